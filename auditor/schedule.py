"""Runs sweeps, and then probes on whoever is there: many at once, gently, and to be resumed.

The one place that catches everything: a plug-in that fails costs its own attempt and nothing
else. What a host told is handed over as soon as that host is done.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cached_property
from itertools import groupby

from auditor.asking import Asking
from auditor.errors import AuditorError, EnvironmentLack, LedgerError
from auditor.model.address import AddressSet
from auditor.model.coverage_note import NOTHING, Note, notes
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.model.settled import Done, Doors, settled
from auditor.ourselves import many_files, seldom_tidied
from auditor.outbox import Outbox, reason, until
from auditor.plugins import Medium, Peer, Probe, Sweep
from auditor.work import Network, Tick, Work

__all__ = ["Done", "Network", "Work", "collect", "settled"]

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
            await run.collect()
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
        self.found: set[str] = set()  # by sweeps that ask addresses one by one
        self.asking = Asking(self)
        self.early = False  # whom a sweep finds is asked while it goes on

    @property
    def waiting(self) -> deque[tuple[str, ...]]:
        """Give the devices that nobody has asked anything yet."""
        return self.asking.waiting

    async def collect(self) -> None:
        """Look for hosts and ask them: both at once, unless ports are swept before they are asked.

        At the end those are asked whom a group found late.
        """
        ports = any(s.kind == "syn" for s in self.work.sweeps) and self.work.scope.pace.half_opens
        if ports:
            await self.sweep(beside=False)
        async with self.asking:
            if not ports:
                await self.sweep(beside=True)
            self.asking.feed(self.present)
            if self.groups:
                await asyncio.wait(self.groups)
            self.asking.feed(self.present)

    # ---------------------------------------------------------------- who is there?

    def discover(self, group: asyncio.TaskGroup) -> None:
        """Begin to ask the groups; they wait for their turns while others are swept.

        First those in which devices answer that nothing else finds.
        """
        groups = (sweep for sweep in self.work.sweeps if sweep.for_all)
        for sweep in sorted(groups, key=lambda s: (not s.again, s.order, s.name)):
            if not self.work.scope.may_ask(sweep.port):
                self._leave_group(sweep)
                continue
            heard = asyncio.Event()
            self.first.append(heard)
            self.groups.append(group.create_task(self._run(sweep, heard)))

    def _leave_group(self, sweep: Sweep) -> None:
        """Say that a group was not asked: its port is not among the authorised ones."""
        where = Endpoint(port=sweep.port, transport="udp")
        reason = f"port {sweep.port} is not among the authorised ports"
        told = (("group", f"{sweep.group}:{sweep.port}"), ("reason", reason))
        said, now = str(Note(asked=NOTHING, told=told)), self.work.clock()
        self.outbox.put([Attempt(sweep.name, where, Outcome.NOT_TRIED, (), now, detail=said)])

    async def sweep(self, *, beside: bool) -> None:
        """Run every sweep in its order and note who is there.

        beside: whom frames find is asked meanwhile. Connections are swept when nobody is asked:
        both need many files, and places in the kernel's table of neighbours.
        """
        ordered = sorted(self.work.sweeps, key=lambda s: (s.kind == "syn", s.order, s.name))
        # ports last: of whoever has told enough by then, nobody need know them
        for ports, some in groupby(ordered, lambda s: s.kind == "syn"):
            if ports and beside:
                break
            if ports:
                await self._heard()
            for sweep in (sweep for sweep in some if not sweep.for_all):
                self.early = beside and sweep.medium is Medium.FRAME
                if not self.early:
                    await self.asking.idle.wait()
                await self._run(sweep, asyncio.Event())
        await self._heard()

    async def _heard(self) -> None:
        """Wait until every group has been asked and heard once: whoever tells enough is spared."""
        for heard in self.first:
            await heard.wait()

    def _begin(self) -> None:
        """Begin to ask whom a sweep has found, once every group was heard.

        With their IPv6 addresses, as far as they are known: they are asked after the first one.
        """
        if not self.early or not all(heard.is_set() for heard in self.first):
            return
        macs = self.hardware(self.present)
        there = {macs[ip] for ip in self.found if ip in macs}
        kin = [ip for ip in self.present if ":" in ip and macs.get(ip) in there]
        self.asking.feed([*self.found, *kin])
        self.found.clear()

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
            self._begin()

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
                    self._begin()
            tick(1)
            return
        targets = self._unsettled(sweep, done or NOTHING)
        total = targets.size
        if not targets:
            return
        tick(0)
        async for batch in self._asking(sweep, targets, tick):
            # rows come before the note that says of whom they tell all
            again = self.work.done.told if sweep.kind in {"arp", "syn"} else ()
            self._keep([a for a in batch if (a.tool, a.endpoint) not in again])
            if sweep.medium is Medium.FRAME:
                self.found.update(a.endpoint.ip for a in batch if a.endpoint.ip in self.present)
                self._begin()
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
        if ip in self.present:
            self.present[ip].extend(seen)
        elif ip in self.work.targets:
            self.present[ip] = list(seen)

    # ---------------------------------------------------------------- what is it?

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
