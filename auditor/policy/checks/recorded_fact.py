"""A recorded fact decides: purpose of use, source of funds, sensitivity of a site, connection.

Only a code or one of its aliases decides. Any other text is for a person, and no text at all
leaves the question open: nobody guesses what a camera watches or who paid for it.
"""

from dataclasses import replace
from typing import Self

from pydantic import Field, model_validator

from auditor.model.policy import Relations, Text, Verdict
from auditor.plugins import Answer, Case, Check
from auditor.policy.params import FAIL, OPEN, REVIEW, MakerParams, Outcomes, rate
from auditor.policy.records import fact, is_one_of
from auditor.policy.words import question

Codes = dict[str, tuple[str, ...]]


class RecordedFact(MakerParams):
    """field: the fact. covered, outside: code -> aliases, in any language.

    verdict_covered: what a covered value comes to for a maker whose tie is nonconforming;
    verdict_outside: what a value outside comes to.
    """

    field: str
    covered: Codes = Field(min_length=1)
    outside: Codes = Field(min_length=1)
    verdict_covered: Verdict = FAIL
    verdict_outside: Verdict

    @model_validator(mode="after")
    def _no_value_is_both(self) -> Self:
        both = sorted(set(self.covered) & set(self.outside))
        if both:
            raise ValueError(f"both covered and outside: {', '.join(both)}")
        return self

    def outcomes(self) -> Outcomes:
        """Replace the listed kinds by what the fact makes of them."""
        found = super().outcomes()
        for kind in ("listed", "subsidiary", "affiliate"):
            if FAIL in found[kind]:
                found[kind] = frozenset({self.verdict_covered})
        found |= {
            "fact_outside": frozenset({self.verdict_outside}),
            "fact_missing": frozenset({OPEN}),
            "fact_unclear": frozenset({REVIEW}),
        }
        return found


def examine(case: Case, params: RecordedFact, relations: Relations) -> Answer:
    """Judge by maker first, then by the fact."""
    answer, found = rate(case, params, relations)
    if found is None or answer.verdict is not FAIL:
        return answer
    said = fact(case, params.field)
    ask = (question(params.field),)
    if said is None:
        return replace(answer, verdict=OPEN, reason="fact_missing", ask=ask)
    facts = (*answer.facts, ("fact", said))
    if is_one_of(said, params.covered):
        return replace(answer, verdict=params.verdict_covered, facts=facts)
    if is_one_of(said, params.outside):
        return replace(answer, verdict=params.verdict_outside, reason="fact_outside", facts=facts)
    return replace(answer, verdict=REVIEW, reason="fact_unclear", facts=facts, ask=ask)


CHECK = Check(
    "recorded_fact",
    RecordedFact,
    examine,
    Text(
        "Made by a named company, and a recorded fact",
        "Fabriqué par une entreprise désignée, et un fait consigné",
    ),
)
