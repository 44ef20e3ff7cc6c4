"""The inventory says of the device what a stocktake must say; nothing is prohibited here."""

from pydantic import Field

from auditor.model.identity import TRAITS
from auditor.model.policy import Relations, Text
from auditor.plugins import Answer, Case, Check
from auditor.policy.params import OPEN, PASS, Outcomes, Params, facts_of, knowing
from auditor.policy.questions import name_of, question
from auditor.policy.records import fact
from auditor.policy.ties import known
from auditor.policy.words import both


class RecordComplete(Params):
    """fields: traits (maker, model, serial …) and recorded facts (asset.…) that must be there."""

    fields: tuple[str, ...] = Field(min_length=1)

    def outcomes(self) -> Outcomes:
        """Give complete and incomplete, and a record of a device that nobody has looked at."""
        return {
            "complete": frozenset({PASS}),
            "incomplete": frozenset({OPEN}),
            "not_looked_at": frozenset({OPEN}),
        }


def _value(case: Case, name: str) -> str | None:
    if name in TRAITS:
        return known(getattr(case.assessed.identity, name))
    return fact(case, name)


@knowing
def examine(case: Case, params: RecordComplete, relations: Relations) -> Answer:  # noqa: ARG001
    """Ask for what is missing."""
    missing = [name for name in params.fields if not _value(case, name)]
    facts = facts_of(case)
    if missing:
        names = [name_of(field) for field in missing]
        said = both(", ".join(n.en for n in names), ", ".join(n.fr for n in names))
        asks = tuple(question(f"device.{n}" if n in TRAITS else n) for n in missing)
        return Answer(OPEN, "incomplete", (*facts, ("missing", said)), asks)
    return Answer(PASS, "complete", facts)


CHECK = Check(
    "record_complete",
    RecordComplete,
    examine,
    Text("The record is complete", "La fiche est complète"),
)
