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
)
from auditor.policy.records import fact, is_one_of, looked_at
from auditor.policy.ties import claimed_brand, known
from auditor.policy.words import question

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


def examine(case: Case, params: MakerCountry, relations: Relations) -> Answer:
    """Judge by class, then by country, then by the fact."""
    identity = case.assessed.identity
    kind = known(identity.device_class)
    facts = facts_of(case)
    if params.equipment and kind and kind not in {*params.equipment, *params.doubtful}:
        return Answer(NOT_APPLICABLE, "other_equipment", facts)
    brand = claimed_brand(identity) if params.by_brand else None
    name, standing = (
        (brand, identity.brand.standing) if brand else (known(identity.maker), identity.standing)
    )
    if name is None:
        return clear(case)
    countries = {row.to for row in relations.get(name, ()) if row.type == "country"}
    facts = (*(pair for pair in facts if pair[0] != "name"), ("name", name))
    if not countries:
        ask = (question("maker.country"),)
        return Answer(OPEN, "country_unknown", facts, ask)
    facts = (*facts, ("country", min(countries)))
    if not countries & set(params.countries):
        return _other(case, facts)
    if params.equipment and kind not in params.equipment:
        ask = (question("device.class"),)
        return Answer(REVIEW, "class_unknown_country", facts, ask)
    if standing is not Standing.CONFIRMED:
        return Answer(REVIEW, "probable_country", facts, (question("device.maker"),))
    return _by_fact(case, params, facts)


def _other(case: Case, facts: tuple[tuple[str, str], ...]) -> Answer:
    if not looked_at(case):
        return Answer(OPEN, "not_looked_at", facts, (question("device.maker"),))
    return Answer(PASS, "other_country", facts)


def _by_fact(case: Case, params: MakerCountry, facts: tuple[tuple[str, str], ...]) -> Answer:
    if not params.field:
        return Answer(params.verdict, "from_country", facts)
    said = fact(case, params.field)
    ask = (question(params.field),)
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
