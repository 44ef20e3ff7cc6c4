"""Commands that look at networks: plan, scan, audit."""

import asyncio
import json
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from auditor import __version__, authority, planning, wiring
from auditor.commands import interrupts, planned, taking_up
from auditor.commands.going_on import Record, newest_unfinished
from auditor.commands.interrupts import INCOMPLETE
from auditor.commands.known_later import EnoughLater
from auditor.commands.listening import listen
from auditor.commands.setting import Setting
from auditor.commands.terminal import Progress, complain, emit, safe
from auditor.errors import AuditorError, EnvironmentLack, UsageError
from auditor.model.address import AddressSet
from auditor.model.observation import Attempt, Origin, Outcome, Run
from auditor.model.scope import Plan, Scope
from auditor.net import interfaces, routes
from auditor.net.engine import Engine
from auditor.net.guard import Guard
from auditor.ourselves import seldom_tidied
from auditor.plugins import Medium, Sweep
from auditor.schedule import Work, collect
from auditor.store.ledger import Ledger
from auditor.wire import snmp


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of the command line that plan, scan and audit share."""

    targets: tuple[str, ...]
    scope: Path | None = None
    site: str = ""
    exclude: tuple[str, ...] = ()
    interface: str | None = None
    pace: float | None = None
    engine: str = "auto"
    trust: tuple[str, ...] = ()
    passive: float = 0.0


@dataclass(frozen=True, slots=True)
class Collected:
    """How a collection ended. run: its id in the ledger."""

    run: str
    status: str
    reason: str = ""
    sent: tuple[tuple[str, int], ...] = field(default=())


def plan(setting: Setting, asked: Asked, *, as_json: bool) -> int:
    """Say what a scan would do. Opens no socket that sends."""
    made = _plan(_scope(setting, asked), asked)
    if as_json:
        emit([planned.as_json(made)])
        return 0
    for line in planned.lines(made, setting.now()):
        print(safe(line, 2000))
    return 0


def scan(setting: Setting, asked: Asked, *, resume: bool) -> int:
    """Collect into the ledger; with `resume`, go on with the newest unfinished scan."""
    with wiring.open_ledger(setting.db) as ledger:
        if asked.passive:
            return _listen(setting, asked, ledger)
        done = _resumed(setting, asked, ledger) if resume else _new(setting, asked, ledger)
    _tell(setting, done)
    return 0 if done.status == "complete" else INCOMPLETE


def audit(
    setting: Setting, asked: Asked, packs: tuple[str, ...], lang: str, out: Path, mark: str
) -> int:
    """Scan, assess, report: the main job."""
    from auditor.commands import judging

    wanted = judging.Wanted(lang=lang, mark=mark, out=out, packs=packs)
    judging.check(setting, wanted)  # an unknown pack must not cost a scan first
    with seldom_tidied():
        with wiring.open_ledger(setting.db) as ledger:
            done = _new(setting, asked, ledger)
        _tell(setting, done)
        try:
            code = judging.report(setting, wanted)
            sys.stdout.flush()
        except BrokenPipeError:  # nobody reads the answer: it was not given
            sys.stdout = None
            return INCOMPLETE
        except AuditorError as error:
            if done.status == "complete":
                raise
            complain(error)
            return INCOMPLETE
    return INCOMPLETE if done.status != "complete" else code


def _scope(setting: Setting, asked: Asked) -> Scope:
    wish = wiring.Wish(
        targets=asked.targets,
        scope_file=asked.scope,
        site=asked.site or setting.text("site"),
        exclude=asked.exclude,
        interface=asked.interface,
        pace=asked.pace,
        trust=asked.trust or setting.texts("trust"),
    )
    return wiring.scope(wish, setting.now())


def _plan(scope: Scope, asked: Asked) -> Plan:
    named = AddressSet.parse(asked.targets) if asked.targets else scope.networks
    near = [link.on_link for link in _links(scope) if link.mac]
    on_link = AddressSet.of(piece for each in near for piece in each.ranges)
    sweeps, probes = _sweeps(asked.engine), wiring.probes()
    routed: list[AddressSet] = []
    if interfaces.may(interfaces.CAP_NET_RAW):
        targets = named.meet(scope.networks).minus(scope.excluded).minus(on_link)
        routed = [there for _, there in routes.ways(targets, _links(scope))[0]]
    else:
        sweeps = tuple(sweep for sweep in sweeps if sweep.medium is not Medium.FRAME)
    lists, _ = authority.port_lists(wiring.DATA / "ports.toml")
    named_ports = {name for probe in probes if probe.transport == "tcp" for name in probe.ports}
    scanned = [port for name in ("knock", *named_ports) for port in lists.get(name, ())]
    links = len(near)
    return planning.plan(
        scope, named, on_link, sweeps, probes, lists["knock"], scanned, links, routed
    )


def _links(scope: Scope) -> Sequence[interfaces.Interface]:
    known = interfaces.interfaces()
    return (interfaces.named(scope.interface, known),) if scope.interface else known


def _sweeps(engine: str) -> tuple[Sweep, ...]:
    every = [sweep for sweep in wiring.sweeps() if sweep.medium is not Medium.PASSIVE]
    if engine == "connect":
        return tuple(sweep for sweep in every if sweep.medium is not Medium.FRAME)
    if engine not in {"auto", "nmap"}:
        raise UsageError(f"there is no engine {engine!r}", hint="use auto, connect or nmap")
    return tuple(every)


def _new(setting: Setting, asked: Asked, ledger: Ledger) -> Collected:
    scope = _scope(setting, asked)
    made = _plan(scope, asked)
    if not made.targets:
        raise UsageError(
            "nothing is left to scan",
            why="; ".join(f"{r.addresses}: {r.reason}" for r in made.refused),
            hint="name addresses inside the scope",
        )
    _reachable(made.targets, scope)
    for refusal in made.refused:
        setting.say(f"refused: {refusal.addresses}: {refusal.reason}")
    now = setting.now()
    run = Run(
        id=f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
        site=scope.site,
        kind="scan",
        started=now,
        operator=scope.authority.operator,
        scope=authority.as_json(scope, asked.engine),  # what is excluded stands beside it
        tool_version=__version__,
    )
    with Record(setting, ledger, run) as record:
        record.look_back()
        return _collect(setting, asked, record, scope)


def _reachable(targets: AddressSet, scope: Scope) -> None:
    """Refuse to start where no interface leads to any target: all would be silent."""
    on_links, behind = interfaces.split(targets, _links(scope))
    firsts = [str(piece).split("-", 1)[0] for piece in behind.ranges[:64]]
    if on_links or any(interfaces.routed_source(ip) for ip in firsts):
        return
    down = [link.name for link in interfaces.interfaces() if not link.up]
    raise EnvironmentLack(
        f"no interface leads to {', '.join(targets.cidrs()[:5])}",
        why=f"these interfaces are down: {', '.join(down)}" if down else "there is no route",
        hint="bring the interface up (ip link set NAME up), or scan from where it is reached",
    )


def _resumed(setting: Setting, asked: Asked, ledger: Ledger) -> Collected:
    run = newest_unfinished(ledger, asked.site, lambda run: run.kind == "scan")
    if run is None:
        raise UsageError("there is no scan to resume", hint="start one: auditor scan TARGET…")
    said = json.loads(run.scope)
    engine = said.get("engine", asked.engine)
    other = asked.engine if asked.engine not in {"auto", engine} else ""
    given = {"targets": asked.targets, "--pace": asked.pace, "--interface": asked.interface}
    taking_up.refuse_changes(engine, given | {"--engine": other})
    scope = authority.from_json(run.scope, setting.now())
    taking_up.refuse_strangers(scope.authority, asked.trust or setting.texts("trust"))
    excluded = AddressSet.parse(asked.exclude)
    source = asked.scope or (Path(said["source"]) if said.get("snmp") else None)
    if source:  # communities are not kept; the file that the run began with has them
        again = _scope(setting, replace(asked, scope=source, targets=()))
        excluded = excluded.join(again.excluded.minus(scope.excluded))
        scope = replace(
            scope, community=again.community, router_communities=again.router_communities
        )
    with Record(setting, ledger, run) as record:
        setting.say(f"resuming {run.id} ({run.site})")
        targets = scope.networks.minus(scope.excluded)
        _reachable(targets, scope)
        taking_up.same_place(run.vantage, interfaces.vantage(targets, _links(scope)))
        record.take_up(excluded)
        scope = replace(scope, excluded=scope.excluded.join(record.excluded))
        return _collect(setting, replace(asked, engine=engine), record, scope, again=True)


def _collect(
    setting: Setting,
    asked: Asked,
    record: Record,
    scope: Scope,
    *,
    again: bool = False,
) -> Collected:
    lists, _ = authority.port_lists(wiring.DATA / "ports.toml")
    guard = _guard(setting, record, scope)
    engine = Engine(guard, interfaces.interfaces(), lists["knock"], by_nmap=asked.engine == "nmap")
    targets = scope.networks.minus(scope.excluded)
    if not again:
        record.begin(engine.vantage(targets))
    progress = Progress(quiet=setting.quiet)
    enough = EnoughLater()
    work = Work(
        scope=scope,
        targets=targets,
        sweeps=_sweeps(asked.engine),
        probes=wiring.probes(),
        lists=lists,
        clock=guard.clock,
        sink=lambda attempts: record.keep((*attempts, *_listed_by_routers(attempts))),
        progress=progress,
        enough=enough,
        needless=enough.needless,
        done=record.done,
    )

    async def job(stop: asyncio.Event) -> bool:
        await guard.look()
        # whatever was sent last, no cap of any second is exceeded
        await asyncio.sleep(record.rest_s(guard.rest_s))
        return await collect(work, engine, stop)

    status, reason = "interrupted", ""
    try:
        status = "complete" if interrupts.run(job) else "interrupted"
    except AuditorError as error:
        reason = error.what
        complain(error)  # what was collected until then stands, and is reported
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt | SystemExit) else "crashed"
        raise
    finally:
        broken = record.finish(status, reason)
        progress.close()
    if broken:
        status = "interrupted"
        if not reason:
            reason = broken.what
            complain(broken)
    return Collected(record.run.id, status, reason, tuple(sorted(record.totals.items())))


def _guard(setting: Setting, record: Record, scope: Scope) -> Guard:
    return Guard(
        scope,
        clock=record.clock.now,
        wall=setting.now,
        journal=record.note,
        spent=record.spent,
        called=record.called,
    )


def _listed_by_routers(attempts: Sequence[Attempt]) -> Iterator[Attempt]:
    """Give each neighbour that a router's table names as a sighting of its own.

    Behind a router no frame tells a hardware address; its ARP table does (RFC 4293).
    """
    for attempt in attempts:
        for observation in attempt.observations:
            if observation.field != "snmp.neighbours":
                continue
            for seen in snmp.seen(observation.raw):
                yield Attempt(
                    seen.protocol,
                    seen.endpoint,
                    Outcome.ANSWERED,
                    seen.observations,
                    attempt.started,
                    detail=f"in the ARP table of {attempt.endpoint.ip}",
                    origin=Origin.SIGHTING,
                )


def _listen(setting: Setting, asked: Asked, ledger: Ledger) -> int:
    """Hear what passes for so long; nothing is sent, so no more authority than ours is needed."""
    links = [
        link
        for link in interfaces.interfaces()
        if asked.interface in {None, link.name} and link.mac
    ]
    here = [network for link in links for network in link.on_link.cidrs() if "." in network]
    scope = _scope(setting, replace(asked, targets=asked.targets or tuple(here)))
    return listen(setting, scope, asked.passive, ledger)


def _tell(setting: Setting, done: Collected) -> None:
    counted = ", ".join(f"{count} {kind}" for kind, count in done.sent) or "nothing"
    setting.say(f"run {done.run}: {done.status}; sent: {counted}")
    if done.status != "complete":
        setting.say(f"to go on: auditor --db {setting.shown_db} scan --resume")
