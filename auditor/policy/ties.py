"""How a device is tied to a company that an instrument names: the question under most rules.

A tie has a kind (the company itself, its subsidiary, a relabel …) and a standing. The maker
counts first; a brand says who sold the device and ties it at most probably. A relation table
alone never confirms anything, and a relabel is looked at by a person, never prohibited.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from auditor.model.identity import Identity, Standing, Strength, Trait
from auditor.model.policy import RELATION_TYPES, Relations

KNOWN = frozenset({Standing.CONFIRMED, Standing.PROBABLE})
# strongest tie first; what a list or a hint says of a brand is not what the device says
ORDER = tuple(kind for kind in RELATION_TYPES if kind != "country")
_HEARSAY = frozenset({Strength.RECORD, Strength.HINT})
NAME_UNKNOWN = "name_unknown"  # doubt about a person's word: nobody knows a company of that name
# ties that leave units behind when they end; a relabel ends with its contract
_OWNED = frozenset({"own_brand", "subsidiary", "affiliate"})
_DEEPEST = 3  # a trade name of a subsidiary of a listed company


@dataclass(frozen=True, slots=True)
class Tie:
    """entity: the named company. name: the maker or brand that is tied to it.

    kinds: one, or several where a missing date decides which of them holds.
    """

    entity: str
    name: str
    kinds: tuple[str, ...]
    standing: Standing


def known(trait: Trait) -> str | None:
    """Give a trait's value where its standing is probable or better."""
    return trait.value if trait.value and trait.standing in KNOWN else None


def settled_by_person(trait: Trait) -> bool:
    """Tell whether a named person established the trait, by a name that is known."""
    return any(evidence.kind == "officer" and not evidence.doubt for evidence in trait.supporting)


def clears(identity: Identity) -> bool:
    """Tell whether the names that are held can speak for a device: unknown ones cannot.

    A name that a person wrote and nobody knows may be a listed company's, written in another
    way. A brand of that kind does no harm where the maker is confirmed.
    """
    names = [identity.maker]
    names += [identity.brand] if identity.standing is not Standing.CONFIRMED else []
    doubts = {evidence.doubt for trait in names for evidence in trait.supporting}
    return bool(known(identity.maker)) and NAME_UNKNOWN not in doubts


def claimed_brand(identity: Identity) -> str | None:
    """Give the brand that the device itself shows; None where only a list or hint names one."""
    brand = identity.brand
    hearsay = brand.supporting and all(e.strength in _HEARSAY for e in brand.supporting)
    return None if hearsay else known(brand)


def tie(
    identity: Identity, entities: Collection[str], relations: Relations, day: date | None
) -> Tie | None:
    """Tie a device to one of `entities`, None where nothing does.

    day: when the device was acquired (relations have dates), None where nobody knows.
    """
    maker, brand = known(identity.maker), claimed_brand(identity)
    if maker:
        found = _by_maker(maker, identity, brand, entities, relations, day)
    else:
        found = _by_brand(known(identity.brand), entities, relations, day)
    return found or _by_contradiction(identity, entities, relations, day)


def _by_maker(
    maker: str,
    identity: Identity,
    brand: str | None,
    entities: Collection[str],
    relations: Relations,
    day: date | None,
) -> Tie | None:
    link = relation_to(maker, entities, relations, day)
    if link is None:
        return None
    entity, kinds = link
    if kinds == ("listed",) and brand and brand != maker:
        kinds = _of_foreign_brand(brand, entity, relations, day)
        name = brand if kinds != ("listed",) else maker
        return Tie(entity, name, kinds, identity.maker.standing)
    # a row "some of its models are relabels" speaks of sellers, not of an established maker
    kinds = tuple(kind for kind in kinds if kind != "oem_rebrand")
    return Tie(entity, maker, kinds, identity.maker.standing) if kinds else None


def _of_foreign_brand(
    brand: str, entity: str, relations: Relations, day: date | None
) -> tuple[str, ...]:
    """Judge another name on a device that the named company made."""
    link = relation_to(brand, (entity,), relations, day)
    if link is None:
        return ("oem_rebrand",)
    turned = ("oem_rebrand" if kind in {"divested", "component_only"} else kind for kind in link[1])
    return tuple(dict.fromkeys(turned))


def _by_brand(
    brand: str | None, entities: Collection[str], relations: Relations, day: date | None
) -> Tie | None:
    link = relation_to(brand, entities, relations, day) if brand else None
    return Tie(link[0], brand, link[1], Standing.PROBABLE) if link and brand else None


def _by_contradiction(
    identity: Identity, entities: Collection[str], relations: Relations, day: date | None
) -> Tie | None:
    """Tie by evidence that speaks against the maker that was settled on, or for two of them."""
    for name in disputed(identity):
        link = relation_to(name, entities, relations, day)
        if link and link[1] != ("oem_rebrand",):
            return Tie(link[0], name, ("contradiction",), Standing.PROBABLE)
    return None


def disputed(identity: Identity) -> tuple[str, ...]:
    """Give the makers that evidence of substance names beside the one settled on."""
    if settled_by_person(identity.maker):
        return ()
    names = [e.claim for e in identity.maker.against if e.strength not in _HEARSAY]
    for conflict in identity.contradictions:
        if conflict.trait in {"maker", "brand"}:
            names += [conflict.one, conflict.other]
    return tuple(dict.fromkeys(names))


def relation_to(
    name: str,
    entities: Collection[str],
    relations: Relations,
    day: date | None,
    depth: int = 0,
) -> tuple[str, tuple[str, ...]] | None:
    """Give the named company that `name` is tied to, and the kinds of tie that may hold."""
    if name in entities:
        return name, ("listed",)
    rows = [row for row in relations.get(name, ()) if row.type in ORDER]
    ties: dict[str, list[str]] = {}
    for row in rows:
        link: tuple[str, tuple[str, ...]] | None = None
        if row.to in entities:
            link = (row.to, ("listed",))
        elif depth < _DEEPEST and row.to != name:
            link = relation_to(row.to, entities, relations, day, depth + 1)
        if link is None:
            continue
        kinds = _weaker(row.type, link[1])
        if day is not None and not row.holds(day):
            # a tie that had not begun is none; one that has ended leaves units behind
            ended = row.valid_to is not None and row.valid_to < day and row.type in _OWNED
            kinds = ("divested",) if ended else ()
        ties.setdefault(link[0], []).extend(kinds)
        if day is None and row.valid_to is not None and row.type in _OWNED:
            ties[link[0]].append("divested")
    return _strongest(ties, day)


def _weaker(kind: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Join two steps of a chain: it is as strong as its weaker link."""
    joined = (max(kind, other, key=ORDER.index) for other in kinds)
    return tuple("listed" if found in {"listed", "own_brand"} else found for found in joined)


def _strongest(ties: dict[str, list[str]], day: date | None) -> tuple[str, tuple[str, ...]] | None:
    options = []
    for entity, kinds in ties.items():
        held = sorted(set(kinds), key=ORDER.index)
        if "divested" in held:
            # sold: on a known day that prevails, on an unknown day it is one of two readings
            held = ["divested"] if day else [held[0], "divested"]
        elif held:
            held = held[:1]
        if held:
            options.append((ORDER.index(held[0]), entity, tuple(dict.fromkeys(held))))
    if not options:
        return None
    _, entity, best = min(options)
    return entity, best
