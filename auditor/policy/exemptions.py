"""Exemptions that cannot rot: granted whole, limited, watched, and ended by the calendar.

An exemption holds until the end of its last day in its own time zone. It lapses by itself; it
holds for nobody once it covers more devices than it was granted for, or lacks what it must have.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from auditor.errors import DataError
from auditor.model.annex import ExceptionRow
from auditor.model.decision import Decision, DecisionKind
from auditor.model.device import Assessed
from auditor.model.policy import Text
from auditor.policy.decisions import Subject, checked, refuse_unless, sealed
from auditor.policy.subjects import COUNT, Register, value_of

LIMIT_DEVICES = 10  # above this a second approver is needed
LONGEST_DAYS = 366  # a permanent exemption is a decision to ignore the law
WARN_DAYS = ((7, "ends_very_soon"), (30, "ends_soon"))
_SHA256 = re.compile(r"[0-9a-f]{64}")

_PROBLEMS = {
    "expiry": Text("has no last day", "n’a pas de dernier jour"),
    "requester": Text("does not say who asked for it", "n’indique pas qui l’a demandée"),
    "same_person": Text(
        "was asked for and granted by the same person",
        "a été demandée et accordée par la même personne",
    ),
    "controls": Text("names no compensating control", "n’indique aucune mesure compensatoire"),
    "document": Text("has no document behind it", "ne s’appuie sur aucun document"),
    "second": Text(
        "covers more than {limit} devices without a second approver",
        "vise plus de {limit} appareils sans second approbateur",
    ),
}


def exemption(
    *,
    by: str,
    requested_by: str,
    at: datetime,
    reason: str,
    subject: Subject,
    expires: date,
    zone: str,
    controls: Sequence[str],
    document_sha256: str,
    devices: int,
    second_approver: str = "",
) -> Decision:
    """Grant an exemption. devices: how many it covers now, and may ever cover."""
    whole = checked(by, at, reason, subject)
    local = at.astimezone(zone_of(zone)).date()
    refuse_unless(expires >= local, "the exemption has expired already", "give a later last day")
    refuse_unless(
        (expires - local).days <= LONGEST_DAYS,
        f"the exemption would hold for more than {LONGEST_DAYS} days",
        "grant it for a year at most, and again if need be",
    )
    refuse_unless(
        _SHA256.fullmatch(document_sha256), "no SHA-256 of the signed document", "give the file"
    )
    refuse_unless(devices > 0, "the exemption covers no device", "check the subject")
    values = [("devices", str(devices))]
    values += [("second_approver", second_approver.strip())] if second_approver.strip() else []
    decision = Decision(
        "", DecisionKind.EXEMPTION, by.strip(), at, reason, whole, tuple(values),
        requested_by.strip(), expires, zone, tuple(c for c in controls if c.strip()), document_sha256,
    )  # fmt: skip
    for problem in problems(decision):
        refuse_unless(False, f"the exemption {problem.en}", "complete it")  # noqa: FBT003
    return sealed(decision)


def zone_of(name: str) -> ZoneInfo:
    """Give a time zone by its IANA name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise DataError(f"{name!r} is no time zone", hint="write it as America/Toronto") from error


def problems(decision: Decision) -> tuple[Text, ...]:
    """Give what an exemption lacks; a recorded one that lacks anything holds for nobody."""
    return tuple(_lacks(decision))


def _lacks(decision: Decision) -> Iterator[Text]:
    people = [decision.by, decision.requested_by, value_of(decision, "second_approver")]
    folded = [person.strip().casefold() for person in people if person.strip()]
    if decision.expires is None:
        yield _PROBLEMS["expiry"]
    if not decision.requested_by.strip():
        yield _PROBLEMS["requester"]
    if len(set(folded)) < len(folded):
        yield _PROBLEMS["same_person"]
    if not decision.controls:
        yield _PROBLEMS["controls"]
    if not _SHA256.fullmatch(decision.document_sha256):
        yield _PROBLEMS["document"]
    if granted(decision) > LIMIT_DEVICES and not value_of(decision, "second_approver"):
        words = _PROBLEMS["second"]
        limit = str(LIMIT_DEVICES)
        yield Text(words.en.replace("{limit}", limit), words.fr.replace("{limit}", limit))


def granted(decision: Decision) -> int:
    """Give for how many devices an exemption was granted; one where it does not say."""
    said = value_of(decision, "devices")
    return int(said) if COUNT.fullmatch(said) else 1


def moment_of(today: date, zone: str, now: datetime | None = None) -> datetime:
    """Give the moment of an assessment: `now` where it lies in `today`, else the start of that day."""
    place = zone_of(zone)
    if now is not None and now.astimezone(place).date() == today:
        return now
    return datetime.combine(today, time(), place)


def days_left(decision: Decision, moment: datetime) -> int:
    """Count the days until the last day on which it holds; negative once that has ended."""
    if decision.expires is None:
        return -1
    return (decision.expires - moment.astimezone(zone_of(decision.zone)).date()).days


def covered(
    decisions: Iterable[Decision], register: Register, assessed: Iterable[Assessed]
) -> dict[str, tuple[str, ...]]:
    """Give per exemption the ids of the devices that it speaks of."""
    found: dict[str, list[str]] = {d.id: [] for d in decisions if d.kind is DecisionKind.EXEMPTION}
    for device in assessed if found else ():
        for decision in register.about(device):
            if decision.id in found:
                found[decision.id].append(device.device.id)
    return {key: tuple(ids) for key, ids in found.items()}


def holding(
    active: Sequence[Decision],
    register: Register,
    assessed: Sequence[Assessed],
    today: date,
    zone: str,
    now: datetime | None = None,
) -> frozenset[str]:
    """Give the ids of the exemptions that hold at that moment."""
    moment = moment_of(today, zone, now)
    devices = covered(active, register, assessed)
    return frozenset(
        decision.id
        for decision in active
        if decision.id in devices and _state(decision, moment, len(devices[decision.id])) in _HOLDS
    )


_HOLDS = frozenset({"active", *(name for _, name in WARN_DAYS)})


def _state(decision: Decision, moment: datetime, devices: int) -> str:
    left = days_left(decision, moment)
    if problems(decision):
        return "void"
    if left < 0:
        return "expired"
    if moment < decision.at:
        return "not_yet"
    if devices > granted(decision):
        return "exceeded"
    return next((name for days, name in WARN_DAYS if left <= days), "active")


def exception_rows(
    decisions: Sequence[Decision],
    assessed: Sequence[Assessed],
    today: date,
    zone: str,
    now: datetime | None = None,
) -> tuple[ExceptionRow, ...]:
    """Give the register of exemptions: every one that was ever granted, and how it stands."""
    moment = moment_of(today, zone, now)
    gone = {d.withdraws for d in decisions if d.kind is DecisionKind.WITHDRAWN}
    all_of_them = [d for d in decisions if d.kind is DecisionKind.EXEMPTION]
    devices = covered(all_of_them, Register.of(all_of_them), assessed)
    rows = []
    for decision in sorted(all_of_them, key=lambda d: (d.expires or date.min, d.id)):
        ids = devices[decision.id]
        state = "withdrawn" if decision.id in gone else _state(decision, moment, len(ids))
        left = days_left(decision, moment)
        rows.append(ExceptionRow(decision, state, left, ids, problems(decision)))
    return tuple(rows)
