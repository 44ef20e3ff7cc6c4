"""Equipment of certain classes acquired after a day needs a certificate, whoever made it."""

from datetime import date

from pydantic import Field

from auditor.model.policy import Relations, Text
from auditor.plugins import Answer, Case, Check
from auditor.policy.params import (
    FAIL,
    NOT_APPLICABLE,
    OPEN,
    PASS,
    REVIEW,
    Outcomes,
    Params,
    facts_of,
    knowing,
)
from auditor.policy.questions import question
from auditor.policy.records import acquired, acquired_no_later_than, fact
from auditor.policy.ties import known

NONE_OF_IT = frozenset({"none", "no", "aucun", "aucune", "non"})


class Certificate(Params):
    """equipment: the classes that need one. after: the last day on which none was needed."""

    equipment: tuple[str, ...] = Field(min_length=1)
    after: date
    field: str = "asset.certificate"

    def outcomes(self) -> Outcomes:
        """Give what class, day and certificate lead to."""
        return {
            "without": frozenset({FAIL}),
            "certified": frozenset({PASS}),
            "not_looked_at": frozenset({OPEN}),
            "certificate_missing": frozenset({OPEN}),
            "date_missing": frozenset({OPEN}),
            "on_or_before": frozenset({NOT_APPLICABLE}),
            "other_equipment": frozenset({NOT_APPLICABLE}),
            "kind_unknown": frozenset({REVIEW}),
        }


@knowing
def examine(case: Case, params: Certificate, relations: Relations) -> Answer:  # noqa: ARG001
    """Judge by class, then by day, then by certificate."""
    kind = known(case.assessed.identity.device_class)
    when = acquired(case)
    facts = (*facts_of(case), ("cutoff", params.after.isoformat()))
    if kind is None:
        return Answer(REVIEW, "kind_unknown", facts, (question("device.class"),))
    if kind not in params.equipment:
        return Answer(NOT_APPLICABLE, "other_equipment", facts)
    if (when and when.last <= params.after) or acquired_no_later_than(case) <= params.after:
        return Answer(NOT_APPLICABLE, "on_or_before", facts)
    said = fact(case, params.field)
    if said and said.casefold() not in NONE_OF_IT:
        return Answer(PASS, "certified", (*facts, ("fact", said)))
    if when is None or when.first <= params.after:
        return Answer(OPEN, "date_missing", facts, (question("asset.acquired"),))
    if said is None:
        return Answer(OPEN, "certificate_missing", facts, (question(params.field),))
    return Answer(FAIL, "without", facts)


CHECK = Check(
    "certificate",
    Certificate,
    examine,
    Text("A certificate for the model", "Un certificat pour le modèle"),
)
