"""Taking a device away, in steps that are proved: found, isolated, unplugged, disposed.

Not being seen closes nothing. Proof is a disposal record, or several scans without it together
with a switch port that is down and no lease. Seen again anywhere, it is open again.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from auditor.model.annex import BurnPoint, RemovalRow, RemovalStep
from auditor.model.decision import Decision, DecisionKind
from auditor.model.device import Assessed
from auditor.model.observation import Origin
from auditor.policy.decisions import Subject, checked, refuse_unless, sealed
from auditor.policy.subjects import COUNT, IDENTIFIERS, Register, standing, value_of

STEPS = ("found", "isolated", "unplugged", "disposed")
SCANS_WITHOUT_IT = 3  # a camera that is off for a weekend misses one or two
_SEEN = frozenset({Origin.WIRE, Origin.SIGHTING})
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Removal:
    """A proved removal of one device. reappeared: where and when it was seen after it."""

    decision: str
    day: date
    proof: str
    reappeared: str = ""


def removal(
    *,
    by: str,
    at: datetime,
    reason: str,
    subject: Subject,
    step: str,
    document_sha256: str = "",
    certificate: str = "",
    scans: int = 0,
    port_down: bool = False,
    no_lease: bool = False,
) -> Decision:
    """Record a step. `disposed` needs proof: a disposal record, or absence shown three ways."""
    whole = checked(by, at, reason, subject)
    refuse_unless(step in STEPS, f"{step!r} is no step of a removal", f"use {', '.join(STEPS)}")
    named = {key for key, _ in whole}
    refuse_unless(named & set(IDENTIFIERS), "no device is named", "name it by its MAC or serial")
    refuse_unless(
        COUNT.fullmatch(str(scans)),
        f"{scans} is no number of scans",
        "give how many did not see it",
    )
    values = [("step", step)]
    values += [("certificate", certificate)] if certificate else []
    values += [("scans", str(scans))] if scans else []
    values += [("port", "down")] if port_down else []
    values += [("lease", "none")] if no_lease else []
    decision = Decision(
        "",
        DecisionKind.REMOVAL,
        by,
        at,
        reason,
        whole,
        tuple(values),
        document_sha256=document_sha256,
    )
    refuse_unless(
        step != "disposed" or proof_of(decision),
        "there is no proof that the device is gone; not seeing it is none",
        "give the disposal record, or "
        f"{SCANS_WITHOUT_IT} scans without it, the switch port down and no lease, all three",
    )
    return sealed(decision)


def proof_of(decision: Decision) -> str:
    """Give what proves a disposal: `disposal_record`, `absence`, or empty where nothing does."""
    if _SHA256.fullmatch(decision.document_sha256) or value_of(decision, "certificate"):
        return "disposal_record"
    scans = value_of(decision, "scans")
    gone = bool(COUNT.fullmatch(scans)) and int(scans) >= SCANS_WITHOUT_IT
    down = value_of(decision, "port") == "down" and value_of(decision, "lease") == "none"
    return "absence" if gone and down else ""


def _seen_after(assessed: Assessed, moment: datetime) -> str:
    """Say where and when a device was last heard on a network after `moment`; empty if never."""
    device = assessed.device
    heard = [s.seen for s in device.sightings if s.origin in _SEEN and s.seen > moment]
    heard += [a.when for a in device.asked if a.outcome.is_knowledge and a.when > moment]
    return f"{device.site} {max(heard).date().isoformat()}" if heard else ""


def removal_of(assessed: Assessed, decisions: Sequence[Decision]) -> Removal | None:
    """Give the newest proved disposal of a device; None where there is none."""
    steps = [d for d in decisions if d.kind is DecisionKind.REMOVAL]
    if not steps or value_of(steps[-1], "step") != "disposed":
        return None
    last = steps[-1]
    proof = proof_of(last)
    if not proof:
        return None
    return Removal(last.id, last.at.date(), proof, _seen_after(assessed, last.at))


def removal_rows(
    decisions: Iterable[Decision], assessed: Sequence[Assessed], must_go: Iterable[str]
) -> tuple[RemovalRow, ...]:
    """Give how far each device has come that has to go, or whose removal was ever begun."""
    steps = [d for d in standing(decisions) if d.kind is DecisionKind.REMOVAL]
    register, wanted = Register.of(steps), set(must_go)
    rows = []
    for one in assessed:
        own = register.about(one, anywhere=True)
        if own or one.device.id in wanted:
            rows.append(_row(one, own))
    return tuple(rows)


def _row(assessed: Assessed, own: Sequence[Decision]) -> RemovalRow:
    steps = tuple(
        RemovalStep(value_of(d, "step"), d.at.date(), d.by, d.id, proof_of(d)) for d in own
    )
    state, proof, again = (steps[-1].step if steps else "found"), "", ""
    if state == "disposed":
        proof, again = steps[-1].proof, _seen_after(assessed, own[-1].at)
        # a disposal that came from elsewhere without proof counts for no more than pulling the plug
        state = "reappeared" if again else "disposed" if proof else "unplugged"
    return RemovalRow(assessed.device.id, assessed.device.site, state, steps, proof, again)


def burn_down(
    rows: Sequence[RemovalRow], assessed: Sequence[Assessed], today: date, points: int = 60
) -> tuple[BurnPoint, ...]:
    """Count the states at the end of each day on which anything changed, and of `today`.

    More than `points` days are thinned evenly; the first and the last are kept.
    """
    first_seen = {one.device.id: one.device.first_seen.date() for one in assessed}
    days = {first_seen[row.device] for row in rows if row.device in first_seen}
    days |= {step.day for row in rows for step in row.steps}
    ordered = sorted(day for day in days | {today} if day <= today)
    if len(ordered) > points:
        stride = (len(ordered) - 1) / (points - 1)
        ordered = [ordered[round(at * stride)] for at in range(points)]
    return tuple(_point(rows, first_seen, day, today) for day in ordered)


def _point(
    rows: Sequence[RemovalRow], first_seen: dict[str, date], day: date, today: date
) -> BurnPoint:
    counts = dict.fromkeys(STEPS, 0)
    for row in rows:
        if first_seen.get(row.device, today) > day:
            continue
        done = [step.step for step in row.steps if step.day <= day]
        state = done[-1] if done else "found"
        if day == today:
            state = "found" if row.state == "reappeared" else row.state
        counts[state] += 1
    return BurnPoint(day, **counts)
