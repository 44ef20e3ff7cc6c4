"""Settle the traits other than the maker: they accuse nobody, so the best claim is shown."""

from collections.abc import Sequence

from auditor.identify.knowledge import Knowledge
from auditor.identify.makers import SAME_HOUSE
from auditor.model.identity import Contradiction, Evidence, Standing, Strength, Trait

# how much a claim of each strength counts for a trait that is read rather than deduced
_WEIGHT = {
    Strength.OFFICER: 6,
    Strength.SELF_DECLARED: 5,
    Strength.PLATFORM: 4,
    Strength.BRAND: 3,
    Strength.REGISTRANT: 2,
    Strength.RECORD: 2,
    Strength.HINT: 1,
}
_SPEAKS_FOR_OTHERS = "recorder"  # shows the models of its channels next to its own


def settle(
    trait: str, claims: Sequence[Evidence], knowledge: Knowledge
) -> tuple[Trait, tuple[Contradiction, ...]]:
    """Choose the best supported value of one trait."""
    groups = _groups(trait, claims)
    if not groups:
        return Trait(), ()
    ranked = sorted(groups, key=lambda key: _order(trait, groups[key], knowledge), reverse=True)
    best = groups[ranked[0]]
    rest = tuple(e for key in ranked[1:] for e in groups[key])
    standing = _standing(best, knowledge)
    clashes: tuple[Contradiction, ...] = ()
    if trait == "model":
        own = _weight(best, knowledge)
        clashes = tuple(
            Contradiction(
                "model_differs",
                trait,
                best[0].claim,
                groups[key][0].claim,
                tuple(sorted({e.rule for e in (*best, *groups[key])})),
            )
            for key in ranked[1:]
            if _weight(groups[key], knowledge) >= own
        )
    return Trait(best[0].claim, standing, tuple(best), rest), clashes


def _groups(trait: str, claims: Sequence[Evidence]) -> dict[str, list[Evidence]]:
    groups: dict[str, list[Evidence]] = {}
    for evidence in claims:
        if evidence.trait == trait:
            key = "".join(evidence.claim.split()).casefold()
            groups.setdefault(key, []).append(evidence)
    return groups


def _order(
    trait: str, evidence: list[Evidence], knowledge: Knowledge
) -> tuple[int, bool, int, int, str]:
    kinds = len({e.kind for e in evidence})
    newest = max(e.attempt for e in evidence)
    first = trait == "device_class" and evidence[0].claim == _SPEAKS_FOR_OTHERS
    return _weight(evidence, knowledge), first, kinds, newest, evidence[0].claim


def _weight(evidence: Sequence[Evidence], knowledge: Knowledge) -> int:
    return max(_one_weight(e, knowledge) for e in evidence)


def _one_weight(evidence: Evidence, knowledge: Knowledge) -> int:
    weight = _WEIGHT[evidence.strength]
    typed = knowledge.vocabulary.is_typed(evidence.field, evidence.kind)
    return min(weight, _WEIGHT[Strength.BRAND]) if typed else weight


def _standing(evidence: Sequence[Evidence], knowledge: Knowledge) -> Standing:
    is_typed = knowledge.vocabulary.is_typed
    firm = [e for e in evidence if not e.doubt and not is_typed(e.field, e.kind)]
    if any(e.strength is Strength.SELF_DECLARED for e in firm):
        return Standing.CONFIRMED
    named = {e.kind for e in firm if _WEIGHT[e.strength] >= _WEIGHT[Strength.BRAND]}
    if len(named) > 1:
        return Standing.CONFIRMED
    if any(e.strength is not Strength.HINT for e in evidence):
        return Standing.PROBABLE
    return Standing.HINT


def settle_brand(
    claims: Sequence[Evidence], maker: Trait, knowledge: Knowledge
) -> tuple[Trait, tuple[Contradiction, ...]]:
    """Choose the brand; a foreign one on a maker's platform or block is a relabel.

    The maker's own name gives way to a foreign brand: its platform carries it everywhere.
    """
    groups = {
        key: evidence
        for key, evidence in _groups("brand", claims).items()
        if any(e.strength is not Strength.HINT for e in evidence)
        and not _house_name(evidence[0].claim, maker, knowledge)
    }
    if not groups:
        return Trait(), ()
    foreign = {k: g for k, g in groups.items() if g[0].claim != maker.value}
    said = {k: g for k, g in foreign.items() if _weight(g, knowledge) > _WEIGHT[Strength.RECORD]}
    pool = said or groups
    ranked = sorted(pool, key=lambda key: _order("brand", pool[key], knowledge), reverse=True)
    best = pool[ranked[0]]
    rest = tuple(e for key, g in groups.items() if g is not best for e in g)
    standing = _standing(best, knowledge)
    if maker.value is None and _only_typed(best, knowledge):
        standing = Standing.HINT  # anybody can call anything so, and nothing else speaks for it
    found = Trait(best[0].claim, standing, tuple(best), rest)
    clashes = [
        _foreign(group, maker, knowledge)
        for group in foreign.values()
        if maker.value and not knowledge.makers.same_house(group[0].claim, maker.value)
    ]
    clashes += [
        _differs(best, group)
        for group in groups.values()
        if group is not best and group[0].claim != maker.value and group not in foreign.values()
    ]
    return found, tuple(clashes)


def _only_typed(evidence: Sequence[Evidence], knowledge: Knowledge) -> bool:
    """Tell whether a name stands only in text that a person can type into a device."""
    return all(
        e.strength is Strength.BRAND and knowledge.vocabulary.is_typed(e.field, e.kind)
        for e in evidence
    )


def _house_name(brand: str, maker: Trait, knowledge: Knowledge) -> bool:
    """Tell whether a brand is only the name of the house that a daughter belongs to."""
    relations = knowledge.makers.relations(maker.value) if maker.value else ()
    return brand != maker.value and any(
        row.to == brand and row.type in SAME_HOUSE for row in relations
    )


def _foreign(brand: list[Evidence], maker: Trait, knowledge: Knowledge) -> Contradiction:
    typed = all(
        e.strength is Strength.RECORD or knowledge.vocabulary.is_typed(e.field, e.kind)
        for e in brand
    )
    table = knowledge.makers.sold_as(brand[0].claim, maker.value or "")
    rules = tuple(sorted({e.rule for e in (*brand, *maker.supporting)}))
    code = "brand_differs" if typed and not table else "relabel"
    return Contradiction(code, "brand", maker.value or "", brand[0].claim, rules)


def _differs(best: list[Evidence], other: list[Evidence]) -> Contradiction:
    rules = tuple(sorted({e.rule for e in (*best, *other)}))
    return Contradiction("brand_differs", "brand", best[0].claim, other[0].claim, rules)
