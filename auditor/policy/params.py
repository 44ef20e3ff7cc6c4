"""What most checks share: parameters about named companies, and the verdict that a tie gives.

Every Params class says with `outcomes` which reason codes it can give and with which
verdicts, so that a pack can be asked for words and a case for each of them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import wraps
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from auditor.model.identity import Standing
from auditor.model.policy import Question, Relations, Verdict
from auditor.plugins import Answer, Case
from auditor.policy.questions import question
from auditor.policy.records import looked_at, relation_day
from auditor.policy.ties import Tie, claimed_brand, clears, known, tie

Examine = Callable[[Case, Any, Relations], Answer]
Outcomes = dict[str, frozenset[Verdict]]
FAIL, REVIEW, OPEN = Verdict.NONCONFORMING, Verdict.REVIEW, Verdict.UNDETERMINED
PASS, NOT_APPLICABLE = Verdict.CONFORMING, Verdict.NOT_APPLICABLE


class Values(BaseModel):
    """Values of a pack; a key that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Params(Values, ABC):
    """Parameters of a rule."""

    @abstractmethod
    def outcomes(self) -> Outcomes:
        """Give every reason code that the check can give with these parameters."""


class KindVerdicts(Values):
    """What each kind of tie comes to; the weak kinds are never prohibited by themselves."""

    listed: Verdict
    subsidiary: Verdict
    affiliate: Verdict
    oem_rebrand: Verdict = REVIEW
    divested: Verdict = REVIEW
    component_only: Verdict = REVIEW

    @model_validator(mode="after")
    def _weak_kinds_are_for_people(self) -> Self:
        for kind in ("oem_rebrand", "divested", "component_only"):
            if getattr(self, kind) is FAIL:
                raise ValueError(f"{kind} cannot be nonconforming by itself: write review")
        return self

    def of(self, kind: str) -> Verdict:
        """Give the verdict for a kind of tie; a contradiction is always for a person."""
        kind = "listed" if kind == "own_brand" else kind
        return REVIEW if kind == "contradiction" else Verdict(getattr(self, kind))


class MakerParams(Params):
    """entities, verdicts: the pack's, unless the rule narrows them.

    equipment: classes that the rule covers, empty for any; doubtful: classes of which a
    person must say whether they are covered. since: the first day on which the entities of
    this rule were named, where that is later than the instrument.
    """

    entities: tuple[str, ...] = Field(min_length=1)
    verdicts: KindVerdicts
    equipment: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    since: date | None = None

    def outcomes(self) -> Outcomes:
        """Give the reasons that the maker alone leads to."""
        kinds = ("listed", "subsidiary", "affiliate", "oem_rebrand", "divested", "component_only")
        found = {kind: frozenset({self.verdicts.of(kind)}) for kind in kinds}
        found |= {
            "probable": frozenset({REVIEW}),
            "contradiction": frozenset({REVIEW}),
            "sale_date_unknown": frozenset({OPEN}),
            "maker_unknown": frozenset({OPEN}),
            "not_looked_at": frozenset({OPEN}),
            "other_maker": frozenset({PASS}),
        }
        if self.equipment:
            found["class_unknown"] = frozenset({REVIEW})
            found["other_equipment"] = frozenset({NOT_APPLICABLE})
        if self.since:
            found["not_yet_named"] = frozenset({NOT_APPLICABLE})
        if self.doubtful:
            found["class_doubtful"] = frozenset({REVIEW})
        return found


def facts_of(case: Case, found: Tie | None = None) -> tuple[tuple[str, str], ...]:
    """Give what words may speak of: who made it, under which name, what it is."""
    identity = case.assessed.identity
    facts = {
        "maker": known(identity.maker) or (found.name if found else ""),
        "brand": claimed_brand(identity) or known(identity.brand) or "",
        "model": known(identity.model) or "",
        "class": known(identity.device_class) or "",
        "entity": found.entity if found else "",
        "name": found.name if found else "",
        "today": case.today.isoformat(),
    }
    return tuple((key, value) for key, value in facts.items() if value or key == "class")


def knowing(examine: Examine) -> Examine:
    """Let a check answer CONFORMING only of a device that somebody has looked at."""

    @wraps(examine)
    def guarded(case: Case, params: Any, relations: Relations) -> Answer:
        answer = examine(case, params, relations)
        if answer.verdict is not PASS or looked_at(case):
            return answer
        return Answer(OPEN, "not_looked_at", answer.facts, (question("device.maker"),))

    return guarded


def clear(case: Case) -> Answer:
    """Answer for a device that nothing ties to a named company."""
    facts = facts_of(case)
    if not clears(case.assessed.identity):
        return Answer(OPEN, "maker_unknown", facts, (question("device.maker"),))
    return Answer(PASS, "other_maker", facts)


def rate(case: Case, params: MakerParams, relations: Relations) -> tuple[Answer, Tie | None]:
    """Answer by maker and class alone; checks that need more go on from a NONCONFORMING."""
    if params.since and case.today < params.since:
        since = ("since", params.since.isoformat())
        return Answer(NOT_APPLICABLE, "not_yet_named", (*facts_of(case), since)), None
    identity = case.assessed.identity
    kind_of_thing = known(identity.device_class)
    covered = not params.equipment or kind_of_thing in params.equipment
    doubtful = kind_of_thing in params.doubtful
    if kind_of_thing and not covered and not doubtful:
        return Answer(NOT_APPLICABLE, "other_equipment", facts_of(case)), None
    found = tie(identity, params.entities, relations, relation_day(case))
    if found is None:
        answer = clear(case)
        if doubtful and answer.verdict is PASS:
            answer = Answer(NOT_APPLICABLE, "other_equipment", answer.facts)
        return answer, None
    answer = _by_kind(case, params.verdicts, found)
    if answer.verdict is not FAIL or covered:
        return answer, found
    if doubtful:
        return replace(answer, verdict=REVIEW, reason="class_doubtful"), found
    ask = (question("device.class"),)
    return replace(answer, verdict=REVIEW, reason="class_unknown", ask=ask), found


def _by_kind(case: Case, verdicts: KindVerdicts, found: Tie) -> Answer:
    facts = facts_of(case, found)
    each = [(verdicts.of(kind), kind) for kind in found.kinds]
    if len({verdict for verdict, _ in each}) > 1:
        if found.standing is Standing.CONFIRMED:
            return Answer(OPEN, "sale_date_unknown", facts, (question("asset.acquired"),))
        return Answer(REVIEW, "probable", facts, _who_made(found))
    verdict, kind = each[0]
    reason = "listed" if kind == "own_brand" else kind
    if found.standing is not Standing.CONFIRMED and verdict is FAIL:
        return Answer(REVIEW, "probable", facts, _who_made(found))
    return Answer(verdict, reason, facts, _who_made(found) if verdict is REVIEW else ())


def _who_made(found: Tie) -> tuple[Question, ...]:
    return () if found.standing is Standing.CONFIRMED else (question("device.maker"),)
