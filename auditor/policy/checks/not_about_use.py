"""An instrument about markets, exports or one company: it never makes a device unlawful to use.

It is shown beside the device, because a buyer wants to know. Only equipment that was acquired
after a bar on its import or sale is put before a person.
"""

from datetime import date

from pydantic import Field

from auditor.model.policy import Relations, Text
from auditor.plugins import Answer, Case, Check
from auditor.policy.params import NOT_APPLICABLE, REVIEW, Outcomes, Params, facts_of, knowing
from auditor.policy.questions import question
from auditor.policy.records import acquired, relation_day
from auditor.policy.ties import tie


class NotAboutUse(Params):
    """entities: whom it names. barred_after: the last day of free import or sale, if any."""

    entities: tuple[str, ...] = Field(default=())
    barred_after: date | None = None

    def outcomes(self) -> Outcomes:
        """Never more than a review, and that only with a bar."""
        found = {
            reason: frozenset({NOT_APPLICABLE}) for reason in ("named", "not_named", "maker_open")
        }
        if self.barred_after:
            found["acquired_after_bar"] = frozenset({REVIEW})
        return found


@knowing
def examine(case: Case, params: NotAboutUse, relations: Relations) -> Answer:
    """Say whether the maker is named, and nothing about use."""
    found = tie(case.assessed.identity, params.entities, relations, relation_day(case))
    facts = facts_of(case, found)
    if found is None:
        known = dict(facts).get("maker")
        return Answer(NOT_APPLICABLE, "not_named" if known else "maker_open", facts)
    when = acquired(case)
    if params.barred_after and when and when.first > params.barred_after:
        facts = (*facts, ("acquired", when.text), ("cutoff", params.barred_after.isoformat()))
        return Answer(REVIEW, "acquired_after_bar", facts, (question("asset.supplier"),))
    return Answer(NOT_APPLICABLE, "named", facts)


CHECK = Check(
    "not_about_use",
    NotAboutUse,
    examine,
    Text(
        "Named by an instrument that is not about use",
        "Désigné par un instrument qui ne porte pas sur l’utilisation",
    ),
)
