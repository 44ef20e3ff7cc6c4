"""From claims to an identity: the ladder, the standing, and what contradicts it.

Rules, each with its reason:
- confirmed needs one self-declaration, or platform and registrant evidence of two kinds, in
  text that no person types. Two observations of one kind count once: they fail together.
- the holder of the MAC block alone is probable: a silent camera is reviewed, not overlooked.
- typed text and lists are probable at most; they name who somebody thinks it is.
- a brand name alone names no maker; two kinds of weak evidence add up to probable when one
  of them is a brand name that nobody typed. Hints alone name nobody, however many.
- where two makers are each probable, platform beats registrant (the address belongs to the
  network interface: an adapter), both beat lists, and the standing falls to probable; equals
  name nobody. A foreign brand on a maker's platform or block is a relabel.
- a reply that something speaks against (see hearsay) makes nothing more than probable.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from auditor.identify.infer import inferences
from auditor.identify.knowledge import Knowledge
from auditor.identify.shapes import REMEMBERED, outline, shape_of
from auditor.identify.traits import settle, settle_brand
from auditor.model.identity import (
    Contradiction,
    Evidence,
    Identity,
    Standing,
    Strength,
    Trait,
)

_SOLID = frozenset({Strength.SELF_DECLARED, Strength.PLATFORM})
_Kinds = dict[Strength, set[str]]  # strength -> kinds of evidence


@dataclass(frozen=True, slots=True)
class _Case:
    """The evidence for one maker, or for several names of one house (`name` speaks for it).

    rank: 0 words and lists, 1 the holder of the address, 2 and more: kinds of platform.
    """

    name: str
    evidence: tuple[Evidence, ...]
    standing: Standing
    rank: int


def _weighed(name: str, evidence: tuple[Evidence, ...], knowledge: Knowledge) -> _Case:
    """Find how far the evidence for one maker carries; what is in doubt confirms nothing."""
    standing, rank = _carried(evidence, knowledge)
    if standing is Standing.CONFIRMED and any(e.doubt for e in evidence):
        sure, _ = _carried([e for e in evidence if not e.doubt], knowledge)
        standing = standing if sure is Standing.CONFIRMED else Standing.PROBABLE
    return _Case(name, evidence, standing, rank)


def _carried(evidence: Iterable[Evidence], knowledge: Knowledge) -> tuple[Standing, int]:
    firm: dict[Strength, set[str]] = {}
    typed: dict[Strength, set[str]] = {}
    is_typed = knowledge.vocabulary.is_typed
    for e in evidence:
        side = typed if is_typed(e.field, e.kind) else firm
        side.setdefault(e.strength, set()).add(e.kind)
    platform = set().union(*(firm.get(s, ()) for s in _SOLID))
    registrant = Strength.REGISTRANT in firm
    strong = len(platform) + registrant
    if Strength.SELF_DECLARED in firm or strong > 1:
        standing = Standing.CONFIRMED
    elif strong or _said(firm, typed) or _adds_up(firm, typed):
        standing = Standing.PROBABLE
    else:
        standing = Standing.HINT
    return standing, 2 + len(platform) + 2 * registrant if platform else int(registrant)


def _said(firm: _Kinds, typed: _Kinds) -> bool:
    """Tell whether typed text of platform grade, or somebody's list, says so."""
    return bool(_SOLID & typed.keys()) or Strength.RECORD in firm or Strength.RECORD in typed


def _adds_up(firm: _Kinds, typed: _Kinds) -> bool:
    """Tell whether there are two kinds of weak evidence, one a brand name that nobody typed."""
    if Strength.BRAND not in firm:
        return False
    weak = (side.get(s, set()) for side in (firm, typed) for s in (Strength.BRAND, Strength.HINT))
    return len(set().union(*weak)) > 1


def resolve(evidence: Iterable[Evidence], knowledge: Knowledge) -> Identity:
    """Settle every trait of one device."""
    claims = tuple(evidence)
    if not claims:
        return Identity(data_versions=knowledge.stamp)
    others = tuple([e for e in claims if e.trait != "serial"])
    found = _settled(others, claims, knowledge)
    serial, _ = settle("serial", claims, knowledge)
    said = (found.maker.value, found.model.value, serial.value, found.firmware.value)
    inferred = inferences(*said, knowledge)
    return replace(found, serial=serial, inferences=inferred, data_versions=knowledge.stamp)


def _settled(
    others: tuple[Evidence, ...], claims: tuple[Evidence, ...], knowledge: Knowledge
) -> Identity:
    """Settle all but the serial number; each shape of evidence once."""
    shape = shape_of(others) if others else None
    known = knowledge.resolved.get(shape) if shape else None
    if known is not None:
        return known.filled(others, claims)
    maker, clashes = _maker(others, knowledge)
    brand, foreign = settle_brand((*others, *_sold_as(others, maker, knowledge)), maker, knowledge)
    model, models = settle("model", others, knowledge)
    firmware, _ = settle("firmware", others, knowledge)
    device_class, _ = settle("device_class", others, knowledge)
    if device_class.value is None:
        device_class = _usual_class(maker, knowledge)
    row = None
    if brand.value and maker.value and brand.value != maker.value:
        row = knowledge.makers.relationship(brand.value, maker.value)
    found = Identity(
        maker=maker,
        brand=brand,
        model=model,
        firmware=firmware,
        device_class=device_class,
        evidence=claims,
        contradictions=_once((*clashes, *foreign, *models)),
        relationship=row.type if row else None,
    )
    template = outline(found, others) if shape else None
    if shape and template:
        if len(knowledge.resolved) >= REMEMBERED:
            knowledge.resolved.clear()
        knowledge.resolved[shape] = template
    return found


def _usual_class(maker: Trait, knowledge: Knowledge) -> Trait:
    """Fall back on what this maker mostly makes: a hint, without evidence of its own."""
    entity = knowledge.makers.entities.get(maker.value or "")
    usual = entity.default_class if entity else None
    return Trait(usual, Standing.HINT) if usual else Trait()


def _sold_as(
    claims: tuple[Evidence, ...], maker: Trait, knowledge: Knowledge
) -> tuple[Evidence, ...]:
    """Turn what names a seller of this maker's products into evidence of the brand."""
    return tuple(
        replace(e, trait="brand")
        for e in claims
        if maker.value
        and e.trait == "maker"
        and e.claim != maker.value
        and knowledge.makers.sold_as(e.claim, maker.value)
    )


def _once(clashes: tuple[Contradiction, ...]) -> tuple[Contradiction, ...]:
    """Keep one contradiction of each code between the same two values."""
    found: dict[tuple[str, frozenset[str]], Contradiction] = {}
    for clash in clashes:
        found.setdefault((clash.code, frozenset({clash.one, clash.other})), clash)
    return tuple(found.values())


def _maker(
    claims: tuple[Evidence, ...], knowledge: Knowledge
) -> tuple[Trait, tuple[Contradiction, ...]]:
    cases = _cases(tuple(e for e in claims if e.trait == "maker"), knowledge)
    if not cases:
        return Trait(), ()
    likely = [case for case in cases if case.standing is not Standing.HINT]
    if not likely:
        everything = tuple(e for case in cases for e in case.evidence)
        return Trait(None, Standing.HINT, everything), ()
    best = max(likely, key=lambda case: _precedence(case, likely, knowledge))
    others = [case for case in likely if case is not best]
    against = tuple(e for case in cases if case is not best for e in case.evidence)
    clashes = tuple(_clash(best, other, knowledge) for other in others)
    if any(_equal(best, other, knowledge) for other in others):
        everything = (*best.evidence, *against)
        return Trait(None, Standing.HINT, everything), clashes
    standing = best.standing
    if any(clash.code == "two_makers" for clash in clashes) and standing is Standing.CONFIRMED:
        standing = Standing.PROBABLE
    return Trait(best.name, standing, best.evidence, against), clashes


def _precedence(
    case: _Case, likely: list[_Case], knowledge: Knowledge
) -> tuple[int, bool, int, str]:
    """Order makers: by platform, by standing, and the maker before those who resell it."""
    resold = sum(knowledge.makers.sold_as(other.name, case.name) for other in likely)
    return case.rank, case.standing is Standing.CONFIRMED, resold, case.name


def _equal(best: _Case, other: _Case, knowledge: Knowledge) -> bool:
    return best.rank == other.rank and not knowledge.makers.sold_as(other.name, best.name)


def _clash(best: _Case, other: _Case, knowledge: Knowledge) -> Contradiction:
    """Name what two likely makers mean: a relabel, a list that errs, or a real conflict."""
    if knowledge.makers.sold_as(other.name, best.name):
        code = "relabel"
    elif other.rank == 0 and best.rank > 0:
        code = "brand_differs"
    else:
        code = "two_makers"
    rules = tuple(sorted({e.rule for e in (*best.evidence, *other.evidence)}))
    return Contradiction(code, "maker", best.name, other.name, rules)


def _cases(claims: tuple[Evidence, ...], knowledge: Knowledge) -> list[_Case]:
    """Group the evidence by maker, the names of one house together."""
    by_name: dict[str, list[Evidence]] = {}
    for evidence in claims:
        by_name.setdefault(evidence.claim, []).append(evidence)
    cases: list[_Case] = []
    for name in sorted(by_name, key=lambda n: (_own(by_name[n]), n), reverse=True):
        at = next(
            (n for n, case in enumerate(cases) if knowledge.makers.same_house(name, case.name)),
            None,
        )
        if at is None:
            cases.append(_weighed(name, tuple(by_name[name]), knowledge))
            continue
        house = cases[at]
        speaks = _speaker(house.name, name, by_name[name], knowledge)
        cases[at] = _weighed(speaks, (*house.evidence, *by_name[name]), knowledge)
    return cases


def _own(evidence: list[Evidence]) -> tuple[int, int]:
    solid = sum(1 for e in evidence if e.strength in {*_SOLID, Strength.REGISTRANT})
    return solid, len(evidence)


def _speaker(one: str, other: str, others: list[Evidence], knowledge: Knowledge) -> str:
    """Let the daughter speak for the house where there is more than a hint of her."""
    daughter = next(
        (
            a
            for a, b in ((one, other), (other, one))
            if any(row.to == b for row in knowledge.makers.relations(a))
        ),
        one,
    )
    if daughter == other and all(e.strength is Strength.HINT for e in others):
        return one
    return daughter
