"""Runs sweeps, and then probes on whoever is there: many at once, gently, and to be resumed.

The one place that catches everything: a plug-in that fails costs its own attempt and nothing
else. What a host told is handed over as soon as that host is done.
"""

import asyncio
import itertools
import resource
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence

from auditor.errors import AuditorError
from auditor.model.address import AddressSet
from auditor.model.coverage_note import INCIDENT, NOTHING, RESET, notes
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.model.settled import Done, Doors, settled
from auditor.ourselves import many_files, seldom_tidied
from auditor.plugins import Medium, Peer, Probe, Sweep
from auditor.work import Network, Sink, Tick, Work

__all__ = ["Done", "Network", "Work", "collect", "settled"]

COALESCE_S = 0.02  # hosts that end within so long are committed together
OTHER_FILES = 128  # of the ledger, the interpreter and the sweeps
MOST_RESETS = 2  # in mid-reply; then the host is left alone
# Sweeps after which an address need not be knocked on: a host cannot help answering ARP, and
# knock and connect (which has no kind) have knocked.
TELLING = frozenset({"arp", "knock", ""})
SUSPICIOUS_SILENCES = 3  # in a row, after the host had answered


class _Stopped(Exception):  # noqa: N818 no error: somebody pressed Ctrl-C
    """The user asked to stop."""


async def collect(work: Work, network: Network, stop: asyncio.Event) -> bool:
    """Sweep, then probe whoever is there; True when done, False when stopped by the user.

    Raises what ends a run: ScopeRefusal when the authority ends, LedgerError when results
    cannot be kept. What was handed over to the sink by then stays.
    """
    many_files()
    with seldom_tidied():
        return await _collect(work, network, stop)


async def _collect(work: Work, network: Network, stop: asyncio.Event) -> bool:
    outbox = _Outbox(work.sink)
    run = _Run(work, network, outbox)
    try:
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(network.watch()),
                group.create_task(_until(stop)),
                group.create_task(outbox.forward()),
            ]
            await run.sweep()
            await run.probe()
            for helper in helpers:
                helper.cancel()
    except BaseExceptionGroup as errors:
        ends = list(_flat(errors))
        reasons = [end for end in ends if not isinstance(end, _Stopped)]
        if reasons:
            raise reasons[0] from None
        return False
    finally:
        outbox.flush()
    return True


class _Outbox:
    """Hands attempts to the sink; those that come close together go together."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.waiting: list[Attempt] = []
        self.news = asyncio.Event()

    def put(self, attempts: Iterable[Attempt]) -> None:
        self.waiting.extend(attempts)
        self.news.set()

    def flush(self) -> None:
        batch, self.waiting = self.waiting, []
        self.news.clear()
        if batch:
            self.sink(batch)

    async def forward(self) -> None:
        while True:
            await self.news.wait()
            await asyncio.sleep(COALESCE_S)
            self.flush()


class _Run:
    """One collection while it goes on."""

    def __init__(self, work: Work, network: Network, outbox: _Outbox) -> None:
        self.work, self.network, self.outbox = work, network, outbox
        self.present: dict[str, list[Observation]] = {}
        for ip, seen in work.done.present.items():
            self._meet(ip, seen)
        self.reached = NOTHING  # by sweeps that say for each address whether it is there
        self.doors = Doors()
        self.doors.note(work.done.scans)

    # ---------------------------------------------------------------- who is there?

    async def sweep(self) -> None:
        """Run every sweep in its order and note who is there."""
        # ports last: of whoever has told enough by then, nobody need know them
        ordered = sorted(self.work.sweeps, key=lambda s: (s.kind == "syn", s.order, s.name))
        # each group has devices of its own, so their answers do not all come at once
        for together, some in itertools.groupby(ordered, lambda s: s.medium is Medium.GROUP):
            if together:
                await asyncio.gather(*map(self._run, some))
                continue
            for sweep in some:
                await self._run(sweep)

    async def _run(self, sweep: Sweep) -> None:
        done = self.work.done.swept.get(sweep.name)
        if done is not None and sweep.kind in TELLING:
            self.reached = self.reached.join(done)
        try:
            await self._sweep(sweep, done)
        except AuditorError:
            raise
        except Exception as error:
            where = Endpoint(transport=sweep.medium)
            self._keep([self._failed(sweep.name, where, error)])

    async def _sweep(self, sweep: Sweep, done: AddressSet | None) -> None:
        count, total = 0, 1

        def tick(more: int) -> None:
            nonlocal count
            count += more
            self.work.progress(sweep.name, min(count, total), total)

        if sweep.medium is Medium.GROUP:
            tick(0)
            if done is None:
                self._keep(await self.network.group(sweep, self.work.targets))
            tick(1)
            return
        targets = self._unsettled(sweep, done or NOTHING)
        total = targets.size
        if not targets:
            return
        tick(0)
        async for batch in self._asking(sweep, targets, tick):
            self._keep(batch)
            if sweep.kind == "syn":
                self.doors.note(batch)
            if sweep.kind in TELLING:
                for _, note in notes(batch):
                    self.reached = self.reached.join(note.asked.minus(note.left))

    def _unsettled(self, sweep: Sweep, done: AddressSet) -> AddressSet:
        """Give the addresses that a sweep has still something to learn about."""
        there = AddressSet.single(self.present)
        if sweep.kind == "syn":
            return there.minus(done)
        targets = self.work.targets.minus(done)
        if sweep.medium is Medium.CONNECT or sweep.kind == "knock":
            return targets.minus(self.reached).minus(there)
        return targets.minus(self.reached) if sweep.kind == "icmp" else targets

    def _asking(
        self, sweep: Sweep, targets: AddressSet, tick: Tick
    ) -> AsyncIterator[list[Attempt]]:
        if sweep.kind == "syn":
            unknown = (ip for ip, seen in self.present.items() if not self.work.enough(seen))
            asked = [ip for ip in unknown if ip in targets]
            hosts = dict.fromkeys(asked, "") | self.hardware(asked)
            return self.network.ports(sweep, hosts, self._tcp_ports(), tick)
        if sweep.medium is Medium.PASSIVE:
            return self.network.listen(sweep, targets, self.work.passive_s)
        if sweep.medium is Medium.FRAME:
            return self.network.frames(sweep, targets, tick)
        return self.network.connect(sweep, targets, tick)

    def _tcp_ports(self) -> list[int]:
        """Give the ports that TCP probes will ask, and those that a sweep knocks on."""
        named = {name for p in self.work.probes if p.transport == "tcp" for name in p.ports}
        return sorted(
            {port for name in (*named, "knock") for port in self.work.lists.get(name, ())}
        )

    def hardware(self, ips: Iterable[str]) -> dict[str, str]:
        """Give the hardware addresses that are known of hosts."""
        known = {}
        for ip in ips:
            macs = [seen.value for seen in self.present[ip] if seen.field == "mac"]
            known.update({ip: macs[0]} if macs else {})
        return known

    def _keep(self, attempts: Sequence[Attempt]) -> None:
        self.outbox.put(attempts)
        for attempt in attempts:
            if attempt.endpoint.ip and attempt.outcome.is_knowledge:
                self._meet(attempt.endpoint.ip, attempt.observations)

    def _meet(self, ip: str, seen: Iterable[Observation]) -> None:
        """Note that somebody is there; whoever lies outside the targets is never contacted."""
        if ip in self.work.targets:
            self.present.setdefault(ip, []).extend(seen)

    # ---------------------------------------------------------------- what is it?

    async def probe(self) -> None:
        """Ask everyone who is there, many hosts at once."""
        hosts = iter(list(self.present))
        total, done = len(self.present), 0
        self.work.progress("probes", 0, total)

        async def worker() -> None:
            nonlocal done
            for ip in hosts:
                host = _Host(self, ip, self.present[ip])
                await host.interview()
                done += 1
                self.work.progress("probes", done, total)
                if host.suspect:
                    rechecks.create_task(host.look_again())

        with self.network.lent(self.hardware(self.present)) as most:
            async with asyncio.TaskGroup() as rechecks:
                for _ in range(min(self.work.window, total, most, self._sockets())):
                    rechecks.create_task(worker())

    def _sockets(self) -> int:
        """Tell how many hosts may be asked at once with the files that we may open."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return max(1, (soft - OTHER_FILES) // max(1, self.work.scope.pace.host_open))

    def questions(self, ip: str) -> list[tuple[Probe, int]]:
        """Give what is to be asked of a host, in order, each port of each probe once."""
        scope, made = self.work.scope, []
        for probe in sorted(self.work.probes, key=lambda probe: (probe.order, probe.name)):
            if probe.needs_community and self.community(ip) is None:
                continue
            ports = dict.fromkeys(p for name in probe.ports for p in self.work.lists.get(name, ()))
            made += [(probe, port) for port in ports if port in scope.ports - scope.never]
        return [
            (probe, port)
            for probe, port in made
            if (ip, probe.name, port) not in self.work.done.asked
            and not (probe.transport == "tcp" and self.doors.shut(ip, port))
        ]

    def community(self, ip: str) -> str | None:
        """Give the SNMP community that the scope authorises for a host; None for none."""
        return dict(self.work.scope.router_communities).get(ip, self.work.scope.community)

    def _failed(self, tool: str, where: Endpoint, error: Exception) -> Attempt:
        said = f"{type(error).__name__}: {error}"
        return Attempt(tool, where, Outcome.CRASHED, (), self.work.clock(), detail=said)


class _Host:
    """One host while it is being asked. suspect: why it is left alone; None while it is not."""

    def __init__(self, run: _Run, ip: str, seen: list[Observation]) -> None:
        self.run, self.ip, self.seen = run, ip, seen
        self.suspect: str | None = None
        self.answered_on: int | None = None
        self.asked_last = ""
        self.turns: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.speaks_first: set[int] = set()  # ports whose owner greets; others keep silent there
        self.refused: set[tuple[str, int]] = set()  # asked once, and not again
        self.listening: set[asyncio.Future[Attempt | None]] = set()
        self.known = run.work.enough(seen)
        self.resets = self.silences = 0
        self.made: list[Attempt] = []

    async def interview(self) -> None:
        """Ask until all is asked, or enough is known, or the host seems to suffer."""
        asked = self.run.questions(self.ip)
        questions = iter(asked)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(len(asked), max(1, self.run.work.scope.pace.host_open))):
                    group.create_task(self._work(questions))
        finally:
            self.run.outbox.put(self.made)

    async def _work(self, questions: Iterable[tuple[Probe, int]]) -> None:
        for probe, port in questions:
            async with self.turns[port]:  # one protocol at a time on one port
                if port in self.speaks_first or (probe.transport, port) in self.refused:
                    continue
                if self.suspect:
                    self._leave(probe, port)
                elif not self.known:
                    await self._ask(probe, port)

    async def _ask(self, probe: Probe, port: int) -> None:
        community = self.run.community(self.ip) if probe.needs_community else None
        peer = Peer(self.ip, port, probe.tls, tuple(self.seen), community)
        seen: list[Observation] = []
        asking = self.run.network.converse(peer, probe, seen)
        try:
            attempt = await (self._listen(asking) if probe.listens else asking)
        except Exception as error:
            where = Endpoint(ip=self.ip, port=port, transport=probe.transport)
            said = f"{type(error).__name__}: {error}"
            now = self.run.work.clock()
            attempt = Attempt(probe.name, where, Outcome.CRASHED, tuple(seen), now, detail=said)
        if attempt is None:
            return
        self.made.append(attempt)
        self.seen.extend(attempt.observations)
        if probe.listens and attempt.observations:
            self.speaks_first.add(port)
        if attempt.outcome is Outcome.REFUSED:
            self.refused.add((probe.transport, port))
        self.asked_last = f"{probe.name} on port {port}"
        if attempt.observations:
            self._weigh()
        await self._feel(attempt)

    async def _listen(self, asking: Coroutine[None, None, Attempt | None]) -> Attempt | None:
        """Wait for who may speak first; None where others told enough meanwhile."""
        listening = asyncio.ensure_future(asking)
        self.listening.add(listening)
        try:
            return await listening
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and task.cancelling():
                listening.cancel()
                raise
            return None

    def _weigh(self) -> None:
        """See whether enough is known by now; then nobody need be listened to any longer."""
        self.known = self.run.work.enough(self.seen)
        for other in self.listening if self.known else ():
            other.cancel()

    async def _feel(self, attempt: Attempt) -> None:
        """Judge from how the last question ended whether the host is still well."""
        self.resets += attempt.detail.startswith(RESET)
        if self.resets >= MOST_RESETS:
            self.suspect = self.suspect or f"broke off in mid-reply {self.resets} times"
        if attempt.endpoint.transport != "tcp":
            return
        if attempt.outcome.is_knowledge or attempt.outcome is Outcome.GARBLED:
            self.answered_on, self.silences = attempt.endpoint.port, 0
        elif attempt.outcome is Outcome.SILENT and self.answered_on is not None:
            self.silences += 1
        if self.silences >= SUSPICIOUS_SILENCES and self.answered_on is not None:
            self.silences = 0
            if await self.run.network.knock(self.ip, self.answered_on) is Outcome.SILENT:
                self.suspect = self.suspect or "stopped answering"

    def _leave(self, probe: Probe, port: int) -> None:
        where = Endpoint(ip=self.ip, port=port, transport=probe.transport)
        why = f"left alone: the host {self.suspect}"
        now = self.run.work.clock()
        self.made.append(Attempt(probe.name, where, Outcome.NOT_TRIED, (), now, detail=why))

    async def look_again(self) -> None:
        """Wait, look once whether the host is back, and record the incident."""
        port, began = self.answered_on or 0, self.run.work.clock()
        await asyncio.sleep(self.run.work.recheck_s)
        back = await self.run.network.knock(self.ip, port) if port else Outcome.SILENT
        well = back.is_knowledge
        how = "answers again" if well else "does not answer"
        detail = (
            f"{self.suspect} after {self.asked_last}; {self.run.work.recheck_s:.0f} s later {how}"
        )
        outcome = Outcome.GARBLED if well else Outcome.SILENT
        where = Endpoint(ip=self.ip, port=port, transport="tcp")
        self.run.outbox.put([Attempt(INCIDENT, where, outcome, (), began, detail=detail)])


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()
    raise _Stopped


def _flat(errors: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Give the exceptions inside nested groups."""
    for inside in errors.exceptions:
        if isinstance(inside, BaseExceptionGroup):
            yield from _flat(inside)
        else:
            yield inside
