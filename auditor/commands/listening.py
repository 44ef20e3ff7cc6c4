"""Listening only: what passes on the links of this machine, kept in the ledger; nothing is sent."""

import asyncio
import uuid

from auditor import __version__, authority, wiring
from auditor.commands import interrupts
from auditor.commands.interrupts import INCOMPLETE
from auditor.commands.moments import Moments
from auditor.commands.setting import Setting
from auditor.commands.terminal import complain
from auditor.errors import AuditorError
from auditor.model.address import AddressSet
from auditor.model.coverage_note import DROPPED, OFF_LINK, notes, ranges
from auditor.model.observation import Run
from auditor.model.scope import Scope
from auditor.net import interfaces
from auditor.net.engine import Engine
from auditor.net.guard import Guard
from auditor.plugins import Medium
from auditor.store.ledger import Ledger


def listen(setting: Setting, scope: Scope, seconds: float, ledger: Ledger) -> int:
    """Hear for so long what passes where targets are; say what was missed, and give the exit code."""
    clock = Moments(setting.now)
    guard = Guard(scope, clock=clock.now, wall=setting.now)
    engine = Engine(guard, interfaces.interfaces(), ())
    (sweep,) = (sweep for sweep in wiring.sweeps() if sweep.medium is Medium.PASSIVE)
    now = setting.now()
    run = Run(
        id=f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
        site=scope.site,
        kind="listen",  # nothing was asked: it is no visit that coverage could rest on
        started=now,
        operator=scope.authority.operator,
        scope=authority.as_json(scope),
        vantage=engine.vantage(scope.networks),
        tool_version=__version__,
    )
    ledger.start(run)
    heard, missed, away = 0, 0, AddressSet()

    async def hear(stop: asyncio.Event) -> bool:
        nonlocal heard, missed, away
        async for attempts in engine.listen(sweep, scope.networks, seconds):
            ledger.append(run.id, attempts)
            for _, note in notes(attempts):
                missed += int(note.value(DROPPED) or 0)
                away = away.join(ranges(note, OFF_LINK))
            heard += sum(bool(a.endpoint.ip or a.endpoint.mac) for a in attempts)
            if stop.is_set():
                return False
        return True

    status, reason = "interrupted", ""
    try:
        status = "complete" if interrupts.run(hear) else "interrupted"
    except AuditorError as error:
        reason = error.what
        complain(error)
    finally:
        ledger.finish(run.id, status, (reason,) if reason else (), clock.now())
    setting.say(f"run {run.id}: {heard} sightings; sent: nothing")
    if missed:
        setting.say(f"incomplete: {missed} more were heard than could be kept; listen again")
    if away:
        places = ", ".join(away.cidrs()[:20])
        setting.say(f"incomplete: nobody listened to {places}: this machine stands on no such link")
    return 0 if status == "complete" and not missed and not away else INCOMPLETE
