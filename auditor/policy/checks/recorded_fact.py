"""Recorded facts decide: purpose of use, source of funds, sensitivity of a site, connection.

Only a code or one of its aliases decides. Any other text is for a person, and no text at all
leaves the question open: nobody guesses what a camera watches or who paid for it.
"""

from dataclasses import replace
from datetime import date
from typing import Self

from pydantic import Field, model_validator

from auditor.model.policy import Relations, Text, Verdict
from auditor.plugins import Answer, Case, Check
from auditor.policy.params import (
    FAIL,
    NOT_APPLICABLE,
    OPEN,
    REVIEW,
    MakerParams,
    Outcomes,
    Values,
    knowing,
    rate,
)
from auditor.policy.questions import question
from auditor.policy.records import Side, choices, fact, is_one_of, named, side_of
from auditor.policy.words import both


class FactTest(Values):
    """field: the fact. covered, outside: code -> aliases, in any language."""

    field: str = Field(min_length=1)
    covered: dict[str, tuple[str, ...]] = Field(min_length=1)
    outside: dict[str, tuple[str, ...]] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_value_is_both(self) -> Self:
        both = sorted(set(self.covered) & set(self.outside))
        if both:
            raise ValueError(f"both covered and outside: {', '.join(both)}")
        return self

    def of(self, said: str | None) -> str:
        """Give `covered`, `outside`, `missing` or `unclear`."""
        if said is None:
            return "missing"
        if is_one_of(said, self.covered):
            return "covered"
        return "outside" if is_one_of(said, self.outside) else "unclear"


class RecordedFact(MakerParams):
    """tests: all must be covered for the maker's verdict to stand; one outside ends it.

    after: the last day of acquisition that is still free, if the rule has one.
    """

    tests: tuple[FactTest, ...] = Field(min_length=1)
    outside: Verdict
    after: date | None = None
    before: Verdict = NOT_APPLICABLE

    def outcomes(self) -> Outcomes:
        """Add what the facts and the day lead to."""
        found = super().outcomes()
        found |= {
            "fact_outside": frozenset({self.outside}),
            "fact_missing": frozenset({OPEN}),
            "fact_unclear": frozenset({REVIEW}),
        }
        if self.after:
            found["on_or_before"] = frozenset({self.before})
        return found


@knowing
def examine(case: Case, params: RecordedFact, relations: Relations) -> Answer:
    """Judge by maker first, then by the day, then by the facts."""
    answer, found = rate(case, params, relations)
    if found is None or answer.verdict is not FAIL:
        return answer
    side, facts = Side.AFTER, answer.facts
    if params.after:
        side, shown = side_of(case, params.after)
        facts = (*facts, *shown)
    if side is Side.BEFORE:
        return replace(answer, verdict=params.before, reason="on_or_before", facts=facts)
    said = [fact(case, test.field) for test in params.tests]
    told = [test.of(value) for test, value in zip(params.tests, said, strict=True)]
    facts = (*facts, ("fact", _spoken(params.tests, said)))
    if "outside" in told:
        return replace(answer, verdict=params.outside, reason="fact_outside", facts=facts)
    ask = [
        choices(question(test.field), test.covered, test.outside)
        for test, how in zip(params.tests, told, strict=True)
        if how != "covered"
    ]
    ask += [question("asset.acquired")] if side is Side.UNKNOWN else []
    if "unclear" in told:
        return replace(answer, verdict=REVIEW, reason="fact_unclear", facts=facts, ask=tuple(ask))
    if ask:
        return replace(answer, verdict=OPEN, reason="fact_missing", facts=facts, ask=tuple(ask))
    return replace(answer, facts=facts)


def _spoken(tests: tuple[FactTest, ...], said: list[str | None]) -> str:
    """Write what is recorded as people of either language call it."""
    names = []
    for test, value in zip(tests, said, strict=True):
        codes = test.covered | test.outside
        code = is_one_of(value, codes) if value else None
        if value:
            names.append(named(code, codes) if code else (value, value))
    english, french = (", ".join(name[at] for name in names) for at in (0, 1))
    return both(english, french)


CHECK = Check(
    "recorded_fact",
    RecordedFact,
    examine,
    Text(
        "Made by a named company, and recorded facts",
        "Fabriqué par une entreprise désignée, et des faits consignés",
    ),
)
