"""Equipment of a named company that was acquired strictly after a cut-off day.

On or before that day another verdict holds, as a rule one with conditions. Where the day is
not recorded, being seen or installed by the cut-off day settles it; nothing else does.
"""

from dataclasses import replace
from datetime import date

from auditor.model.policy import Relations, Text, Verdict
from auditor.plugins import Answer, Case, Check
from auditor.policy.params import FAIL, OPEN, REVIEW, MakerParams, Outcomes, knowing, rate
from auditor.policy.questions import question
from auditor.policy.records import Side, side_of


class AcquiredAfter(MakerParams):
    """after: the last day that is still free. before: the verdict up to and including it."""

    after: date
    before: Verdict = REVIEW

    def outcomes(self) -> Outcomes:
        """Add the two sides of the day, and not knowing."""
        found = super().outcomes()
        found |= {
            "on_or_before": frozenset({self.before}),
            "date_missing": frozenset({OPEN}),
        }
        return found


@knowing
def examine(case: Case, params: AcquiredAfter, relations: Relations) -> Answer:
    """Judge by maker first, then by the day of acquisition."""
    answer, found = rate(case, params, relations)
    if found is None or answer.verdict is not FAIL:
        return answer
    side, shown = side_of(case, params.after)
    facts = (*answer.facts, *shown)
    match side:
        case Side.AFTER:
            return replace(answer, facts=facts)
        case Side.BEFORE:
            return replace(answer, verdict=params.before, reason="on_or_before", facts=facts)
        case Side.UNKNOWN:
            ask = (*answer.ask, question("asset.acquired"))
            return replace(answer, verdict=OPEN, reason="date_missing", facts=facts, ask=ask)


CHECK = Check(
    "acquired_after",
    AcquiredAfter,
    examine,
    Text("Acquired after a cut-off day", "Acquis après une date limite"),
)
