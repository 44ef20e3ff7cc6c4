"""Runs sweeps, and then probes on whoever is there: many at once, gently, and to be resumed.

The one place that catches everything: a plug-in that fails costs its own attempt and nothing
else. What a host told is handed over as soon as that host is done.
"""

import asyncio
import resource
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cached_property
from itertools import groupby

from auditor.errors import AuditorError, EnvironmentLack, LedgerError
from auditor.interview import Host, Visit
from auditor.model.address import AddressSet
from auditor.model.coverage_note import NOTHING, notes
from auditor.model.household import households
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.model.settled import Done, Doors, settled
from auditor.ourselves import many_files, seldom_tidied
from auditor.outbox import Outbox, reason, until
from auditor.plugins import Medium, Peer, Probe, Sweep
from auditor.work import Network, Tick, Work

__all__ = ["Done", "Network", "Work", "collect", "settled"]

OTHER_FILES = 128  # of the ledger, the interpreter and the sweeps
# Sweeps after which an address need not be knocked on: a host cannot help answering ARP, and
# knock and connect (which has no kind) have knocked.
TELLING = frozenset({"arp", "knock", ""})


async def collect(work: Work, network: Network, stop: asyncio.Event) -> bool:
    """Sweep, then probe whoever is there; True when done, False when stopped by the user.

    Raises what ends a run: ScopeRefusal when the authority ends, LedgerError when results
    cannot be kept. What was handed over to the sink by then stays.
    """
    many_files()
    with seldom_tidied():
        return await _collect(work, network, stop)


async def _collect(work: Work, network: Network, stop: asyncio.Event) -> bool:
    outbox = Outbox(work.sink)
    run = _Run(work, network, outbox)
    try:
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(network.watch()),
                group.create_task(until(stop)),
                group.create_task(outbox.forward()),
            ]
            run.discover(group)
            await run.sweep()
            await run.probe()
            await network.part()
            for helper in helpers:
                helper.cancel()
    except BaseExceptionGroup as errors:
        if why := reason(errors):
            raise why from None
        return False
    finally:
        network.end()
        outbox.flush()
    return True


class _Run:
    """One collection while it goes on."""

    def __init__(self, work: Work, network: Network, outbox: Outbox) -> None:
        self.work, self.network, self.outbox = work, network, outbox
        self.present: dict[str, list[Observation]] = {}
        for ip, seen in work.done.present.items():
            self._meet(ip, seen)
        self.names = {probe.name for probe in work.probes}
        self.reached = NOTHING  # by sweeps that say for each address whether it is there
        self.doors = Doors()
        self.doors.note(work.done.scans)
        self.first: list[asyncio.Event] = []  # set when a group has been asked and heard once
        self.groups: list[asyncio.Task[None]] = []
        self.asked: set[str] = set()  # hosts that have had their interview
        self.waiting: deque[tuple[str, ...]] = deque()  # devices that nobody has asked anything yet

    # ---------------------------------------------------------------- who is there?

    def discover(self, group: asyncio.TaskGroup) -> None:
        """Begin to ask the groups; they wait for their turns while others are swept.

        First those in which devices answer that nothing else finds.
        """
        groups = (sweep for sweep in self.work.sweeps if sweep.for_all)
        for sweep in sorted(groups, key=lambda s: (not s.again, s.order, s.name)):
            heard = asyncio.Event()
            self.first.append(heard)
            self.groups.append(group.create_task(self._run(sweep, heard)))

    async def sweep(self) -> None:
        """Run every sweep in its order and note who is there."""
        ordered = sorted(self.work.sweeps, key=lambda s: (s.kind == "syn", s.order, s.name))
        # ports last: of whoever has told enough by then, nobody need know them
        for ports, some in groupby(ordered, lambda s: s.kind == "syn"):
            if ports:
                await self._heard()
            for sweep in (sweep for sweep in some if not sweep.for_all):
                await self._run(sweep, asyncio.Event())
        await self._heard()

    async def _heard(self) -> None:
        """Wait until every group has been asked and heard once: whoever tells enough is spared."""
        for heard in self.first:
            await heard.wait()

    async def _run(self, sweep: Sweep, heard: asyncio.Event) -> None:
        done = self.work.done.swept.get(sweep.name)
        if done is not None and sweep.kind in TELLING:
            self.reached = self.reached.join(done)
        try:
            await self._sweep(sweep, done, heard)
        except AuditorError:
            raise
        except Exception as error:
            where = Endpoint(transport=sweep.medium)
            self._keep([self.failed(sweep.name, where, error)])
        finally:
            heard.set()

    async def _sweep(self, sweep: Sweep, done: AddressSet | None, heard: asyncio.Event) -> None:
        count, total = 0, 1

        def tick(more: int) -> None:
            nonlocal count
            count += more
            self.work.progress(sweep.name, min(count, total), total)

        if sweep.for_all:
            tick(0)
            if done is None:
                async for batch in self.network.group(sweep, self.work.targets):
                    self._keep(
                        [a for a in batch if (a.tool, a.endpoint) not in self.work.done.told]
                    )
                    heard.set()
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
        """Ask everyone who is there, many hosts at once, and then whom a group found meanwhile."""
        async with asyncio.TaskGroup() as rechecks:
            await self._wave(rechecks)
            if self.groups:
                await asyncio.wait(self.groups)
            if set(self.present) - self.asked:
                await self._wave(rechecks)

    async def _wave(self, rechecks: asyncio.TaskGroup) -> None:
        known = [ip for ip in self.present if ip not in self.asked]
        self.asked.update(known)
        self.waiting.extend(households(known, macs := self.hardware(known)))
        aside: deque[Visit] = deque()  # cost time, and are asked on when everybody was asked
        done = len(self.asked) - len(known)
        self.work.progress("probes", done, len(self.asked))

        def over(host: Host) -> None:
            nonlocal done
            self.work.progress("probes", done := done + 1, len(self.asked))
            if host.unwell:
                rechecks.create_task(host.look_again())

        async def worker() -> None:
            while self.waiting or aside:
                visit = Visit(self, self.waiting.popleft()) if self.waiting else aside.popleft()
                if not await visit.go_on(over):
                    aside.append(visit)

        with self.network.lent(macs) as most:
            async with asyncio.TaskGroup() as asking:
                for _ in range(min(self.work.window, len(known), most, self._sockets())):
                    asking.create_task(worker())

    def _sockets(self) -> int:
        """Tell how many hosts may be asked at once with the files that we may open."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        pace = self.work.scope.pace
        handles = 2 if pace.delicate else 1  # of each connection (see net/door)
        return max(1, (soft - OTHER_FILES) // max(1, handles * pace.host_open))

    def questions(self, ip: str) -> list[tuple[Probe, int]]:
        """Give what is to be asked of a host, in order, each port of each probe once."""
        done, shut = self.work.done, self.doors.shut(ip)
        stranger = self.community(ip) is None
        made = []
        for probe, ports in self.plan:
            if probe.needs_community and stranger:
                continue
            for port in ports:
                key = ip, probe.name, port
                closed = probe.transport == "tcp" and port in shut
                if not (closed or key in done.asked or key in done.left):
                    made.append((probe, port))
        return made

    @cached_property
    def plan(self) -> list[tuple[Probe, list[int]]]:
        """Give the probes in their order, each with the ports that the scope lets it ask."""
        lists, allowed = self.work.lists, self.work.scope.ports - self.work.scope.never
        ordered = sorted(self.work.probes, key=lambda probe: (probe.order, probe.name))
        named = {p: dict.fromkeys(n for at in p.ports for n in lists.get(at, ())) for p in ordered}
        return [(p, [port for port in named[p] if port in allowed]) for p in ordered]

    def community(self, ip: str) -> str | None:
        """Give the SNMP community that the scope authorises for a host; None for none."""
        return dict(self.work.scope.router_communities).get(ip, self.work.scope.community)

    async def converse(self, peer: Peer, probe: Probe, seen: list[Observation]) -> Attempt | None:
        """Let a probe speak with a peer; one that fails costs its own attempt and nothing else."""
        try:
            return await self.network.converse(peer, probe, seen)
        except (EnvironmentLack, LedgerError):
            raise  # nobody can be asked any more, or nothing kept
        except Exception as error:
            where = Endpoint(ip=peer.ip, port=peer.port, transport=probe.transport)
            return self.failed(probe.name, where, error, seen)

    def failed(
        self, tool: str, where: Endpoint, error: Exception, seen: Sequence[Observation] = ()
    ) -> Attempt:
        """Say that a plug-in failed, and what it had seen by then."""
        said, now = f"{type(error).__name__}: {error}", self.work.clock()
        return Attempt(tool, where, Outcome.CRASHED, tuple(seen), now, detail=said)
