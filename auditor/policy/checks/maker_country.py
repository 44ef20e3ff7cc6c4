"""The maker, or the brand, has its seat in a country that the instrument speaks of.

No company is named. A site's sensitivity or another recorded fact may decide on top of that.
"""

from pydantic import Field

from auditor.model.identity import Standing
from auditor.model.policy import Relations, Text, Verdict
from auditor.plugins import Answer, Case, Check
from auditor.policy.params import (
    FAIL,
    NOT_APPLICABLE,
    OPEN,
    PASS,
    REVIEW,
    Outcomes,
    Params,
    clear,
    facts_of,
    knowing,
)
from auditor.policy.questions import question
from auditor.policy.records import choices, fact, is_one_of
from auditor.policy.ties import claimed_brand, clears, disputed, known, relation_to

Codes = dict[str, tuple[str, ...]]


class MakerCountry(Params):
    """countries: ISO 3166-1 alpha-2. by_brand: the brand counts before the maker.

    equipment: classes covered, empty for any; doubtful: classes for a person. field: a fact
    that decides; without it the country alone does.
    """

    countries: tuple[str, ...] = Field(min_length=1)
    by_brand: bool = False
    equipment: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    verdict: Verdict = FAIL
    field: str = ""
    covered: Codes = {}
    outside: Codes = {}
    verdict_outside: Verdict = REVIEW

    def outcomes(self) -> Outcomes:
        """Give what country and fact lead to."""
        found: Outcomes = {
            "from_country": frozenset({self.verdict}),
            "probable_country": frozenset({REVIEW}),
            "relabel_country": frozenset({REVIEW}),
            "country_unknown": frozenset({OPEN}),
            "maker_unknown": frozenset({OPEN}),
            "not_looked_at": frozenset({OPEN}),
            "other_country": frozenset({PASS}),
        }
        if self.equipment:
            found["other_equipment"] = frozenset({NOT_APPLICABLE})
            found["class_unknown_country"] = frozenset({REVIEW})
        if self.field:
            found["fact_outside"] = frozenset({self.verdict_outside})
            found["fact_missing"] = frozenset({OPEN})
            found["fact_unclear"] = frozenset({REVIEW})
        return found


@knowing
def examine(case: Case, params: MakerCountry, relations: Relations) -> Answer:
    """Judge by class, then by country, then by the fact."""
    identity = case.assessed.identity
    kind = known(identity.device_class)
    facts = facts_of(case)
    if params.equipment and kind and kind not in {*params.equipment, *params.doubtful}:
        return Answer(NOT_APPLICABLE, "other_equipment", facts)
    brand, maker = claimed_brand(identity), known(identity.maker)
    names = (brand, maker) if params.by_brand else (maker,) if maker else (brand,)
    told = (fact(case, "asset.maker_country") or "").upper()
    seats = [(name, seat_of(name, relations) or told or None) for name in names if name]
    hit = next((pair for pair in seats if pair[1] in params.countries), None)
    doubt = [(n, seat_of(n, relations)) for n in disputed(identity)]
    doubted = next((pair for pair in doubt if pair[1] in params.countries), None)
    if not seats and not doubted:
        return clear(case)
    name, seat = hit or doubted or seats[0]
    facts = (*(f for f in facts if f[0] != "name"), ("name", name), ("country", seat or ""))
    if hit is None:
        if doubted:
            return Answer(REVIEW, "probable_country", facts, (question("device.maker"),))
        sure = clears(identity) or not maker
        return _other(facts, known_seats=sure and all(seat for _, seat in seats))
    if params.equipment and kind not in params.equipment:
        return Answer(REVIEW, "class_unknown_country", facts, (question("device.class"),))
    of_maker = name == maker
    standing = identity.standing if of_maker else identity.brand.standing
    if standing is not Standing.CONFIRMED or not (of_maker or params.by_brand):
        return Answer(REVIEW, "probable_country", facts, (question("device.maker"),))
    if of_maker and brand and _foreign(brand, name, relations):
        return Answer(REVIEW, "relabel_country", facts)
    return _by_fact(case, params, facts)


def _foreign(brand: str, maker: str, relations: Relations) -> bool:
    """Tell whether a brand on a maker's device is neither the maker's nor of its house."""
    link = relation_to(brand, (maker,), relations, None)
    return link is None or not set(link[1]) & {"listed", "subsidiary", "affiliate"}


def seat_of(name: str, relations: Relations) -> str | None:
    """Give the country in which a maker or brand has its seat; None where no source says."""
    return min((row.to for row in relations.get(name, ()) if row.type == "country"), default=None)


def _other(facts: tuple[tuple[str, str], ...], *, known_seats: bool) -> Answer:
    if not known_seats:
        return Answer(OPEN, "country_unknown", facts, (question("asset.maker_country"),))
    return Answer(PASS, "other_country", facts)


def _by_fact(case: Case, params: MakerCountry, facts: tuple[tuple[str, str], ...]) -> Answer:
    if not params.field:
        return Answer(params.verdict, "from_country", facts)
    said = fact(case, params.field)
    ask = (choices(question(params.field), params.covered, params.outside),)
    if said is None:
        return Answer(OPEN, "fact_missing", facts, ask)
    facts = (*facts, ("fact", said))
    if is_one_of(said, params.covered):
        return Answer(params.verdict, "from_country", facts)
    if is_one_of(said, params.outside):
        return Answer(params.verdict_outside, "fact_outside", facts)
    return Answer(REVIEW, "fact_unclear", facts, ask)


CHECK = Check(
    "maker_country",
    MakerCountry,
    examine,
    Text(
        "Made or sold by a company of a country", "Fabriqué ou vendu par une entreprise d’un pays"
    ),
)
