"""When a duty is due: business days by a country's public holidays, in a stated time zone.

A duty starts when a finding is identified, or when the report before it was submitted; the
first day counted is the one after (the day of the act itself is not).
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from auditor.errors import DataError
from auditor.model.annex import Clock
from auditor.model.decision import Decision, DecisionKind
from auditor.model.policy import Due, Finding, Text, Verdict
from auditor.plugins import Case
from auditor.policy.decisions import Subject, checked, refuse_unless, sealed
from auditor.policy.exemptions import zone_of
from auditor.policy.pack import Duty, Pack
from auditor.policy.records import read_day
from auditor.policy.subjects import speaks_of, value_of

_SATURDAY = 5
_SUBMITTED = "submitted:"
IF_COVERED = Text(" (if the device turns out to be covered)", " (si l’appareil s’avère visé)")
PROVISIONAL = Text(
    " (provisional: counted from the day on which the report before it is due)",
    " (provisoire : calculé à partir de l’échéance du rapport précédent)",
)
UNCONFIRMED = Text(
    " (unconfirmed: verify the clause before relying on it)",
    " (non confirmé : vérifier la clause avant de s’y fier)",
)


@lru_cache(maxsize=512)
def _holidays(country: str, year: int) -> frozenset[date]:
    """Give the public holidays of a year, moved ones on the day on which they are observed."""
    import holidays

    try:
        return frozenset(holidays.country_holidays(country, years=year, observed=True))
    except NotImplementedError as error:
        raise DataError(
            f"no calendar of {country!r} is known", hint="use an ISO country"
        ) from error


def is_business_day(day: date, country: str) -> bool:
    """Tell whether offices are open: no weekend, no public holiday (country empty: weekends only)."""
    return day.weekday() < _SATURDAY and not (country and day in _holidays(country, day.year))


def add_business_days(day: date, count: int, country: str) -> date:
    """Give the `count`th business day after `day`."""
    while count:
        day += timedelta(days=1)
        count -= is_business_day(day, country)
    return day


def due_day(duty: Duty, start: datetime, zone: str) -> date:
    """Give the day on which a duty that started at a moment is due, as the zone's calendar has it."""
    local = start.astimezone(zone_of(zone))
    match duty.unit:
        case "business_days":
            return add_business_days(local.date(), duty.within, duty.calendar)
        case "days":
            return local.date() + timedelta(days=duty.within)
        case "hours":
            # in UTC: the clocks of a zone may change in between
            end = start.astimezone(UTC) + timedelta(hours=duty.within)
            return end.astimezone(zone_of(zone)).date()
    raise AssertionError(duty.unit)


def dues(
    pack: Pack, finding: Finding, case: Case, decisions: Sequence[Decision], zone: str
) -> tuple[Due, ...]:
    """Give the duties that one finding starts, each with its day and whether it was done.

    The variant of a clause is the organisation's to state (`clause`); unstated, all are shown.
    """
    stated = case.organisation.get("clause", "")
    found: dict[str, Due] = {}
    for duty in pack.raw.duty:
        applies = finding.reason in duty.on and (not duty.rules or finding.rule in duty.rules)
        if applies and (not stated or duty.variant in {"", stated}):
            found[duty.id] = _due(duty, finding, case, decisions, zone, found)
    return tuple(found.values())


def _due(
    duty: Duty,
    finding: Finding,
    case: Case,
    decisions: Sequence[Decision],
    zone: str,
    before: dict[str, Due],
) -> Due:
    start, says = case.identified, duty.says
    if finding.verdict is not Verdict.NONCONFORMING:
        says = _add(says, IF_COVERED)
    if duty.start.startswith(_SUBMITTED):
        first = before.get(duty.start.removeprefix(_SUBMITTED))
        if first is not None:
            start = datetime.combine(first.done or first.due, datetime.min.time(), zone_of(zone))
            says = says if first.done else _add(says, PROVISIONAL)
    if duty.unconfirmed:
        says = _add(says, UNCONFIRMED)
    assert start is not None, "the judge gives every case a moment of identification"
    return Due(
        duty=duty.id,
        what=says,
        due=due_day(duty, start, zone),
        zone=zone,
        citation=duty.citation.en,
        done=_done(duty, finding, decisions),
        citation_fr=duty.citation.fr,
    )


def _add(one: Text, other: Text) -> Text:
    return Text(one.en + other.en, one.fr + other.fr)


def _done(duty: Duty, finding: Finding, decisions: Sequence[Decision]) -> date | None:
    """Give the day on which a report was submitted first, as recorded."""
    days = [
        read_day(value_of(decision, "submitted"))
        for decision in decisions
        if decision.kind is DecisionKind.REPORTED
        and value_of(decision, "duty") == duty.id
        and speaks_of(decision, finding.pack, finding.rule)
    ]
    return min((day.last for day in days if day), default=None)


def reported(
    *, by: str, at: datetime, subject: Subject, duty: str, submitted: date, reference: str
) -> Decision:
    """Record that a report was submitted: which duty, when, and under which reference."""
    whole = checked(by, at, reference, subject)
    refuse_unless(
        [key for key, _ in whole if key == "pack"], "no pack is named", "add pack=ID to the subject"
    )
    refuse_unless(duty.strip(), "no duty is named", "give the duty as the report names it")
    refuse_unless(
        submitted <= at.date() + timedelta(days=1), "submitted on a day to come", "check it"
    )
    values = (("duty", duty), ("submitted", submitted.isoformat()))
    return sealed(Decision("", DecisionKind.REPORTED, by, at, reference, whole, values))


def clocks(findings: Sequence[Finding], today: date) -> tuple[Clock, ...]:
    """Give every duty of every finding and how it stands today, the most pressing first."""
    rows = [_clock(finding, due, today) for finding in findings for due in finding.due]
    return tuple(
        sorted(set(rows), key=lambda c: (c.due.done is not None, c.due.due, c.device, c.due.duty))
    )


def _clock(finding: Finding, due: Due, today: date) -> Clock:
    late = (due.done or today) > due.due
    state = ("done_late" if late else "done") if due.done else ("overdue" if late else "due")
    provisional = PROVISIONAL.en in due.what.en
    return Clock(finding.device, finding.pack, due, state, (due.due - today).days, provisional)
