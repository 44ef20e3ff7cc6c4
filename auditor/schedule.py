"""Runs sweeps, and then probes on whoever is there: many at once, gently, and to be resumed.

The one place that catches everything: a plug-in that fails costs its own attempt and nothing
else. What a host told is handed over as soon as that host is done.
"""

import asyncio
import resource
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from itertools import groupby

from auditor.errors import AuditorError, EnvironmentLack, LedgerError
from auditor.model.address import AddressSet
from auditor.model.coverage_note import INCIDENT, LEFT_ALONE, NOT_YET, NOTHING, RESET, notes
from auditor.model.household import households
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.model.settled import Done, Doors, Past, looked_at, settled
from auditor.ourselves import many_files, seldom_tidied
from auditor.outbox import Outbox, reason, until
from auditor.plugins import Medium, Peer, Probe, Sweep
from auditor.work import Network, Tick, Work

__all__ = ["Done", "Network", "Work", "collect", "settled"]

OTHER_FILES = 128  # of the ledger, the interpreter and the sweeps
MOST_RESETS = 2  # in mid-reply; then the host is left alone
# Sweeps after which an address need not be knocked on: a host cannot help answering ARP, and
# connect (which has no kind) has knocked.
TELLING = frozenset({"arp", ""})
SUSPICIOUS_SILENCES = 3  # in a row, after the host had answered


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
        if sweep.medium is Medium.CONNECT:
            return targets.minus(self.reached).minus(there)
        return targets.minus(self.reached) if sweep.kind == "icmp" else targets

    def _asking(
        self, sweep: Sweep, targets: AddressSet, tick: Tick
    ) -> AsyncIterator[list[Attempt]]:
        if sweep.kind == "syn":
            unknown = (ip for ip, seen in self.present.items() if not self.work.enough(seen))
            hosts = self.hardware(ip for ip in unknown if ip in targets)
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
        houses = iter(households(known, macs := self.hardware(known)))
        done = len(self.asked) - len(known)
        self.work.progress("probes", done, len(self.asked))

        async def worker() -> None:
            nonlocal done
            for house in houses:
                brief = False  # of who has told of itself at another address
                for ip in house:
                    host = _Host(self, ip, self.present[ip], brief=brief)
                    await host.interview()
                    brief = brief or host.learned or host.known
                    self.work.progress("probes", done := done + 1, len(self.asked))
                    if host.unwell:
                        rechecks.create_task(host.look_again())

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
        scope, made = self.work.scope, []
        for probe in sorted(self.work.probes, key=lambda probe: (probe.order, probe.name)):
            if probe.needs_community and self.community(ip) is None:
                continue
            ports = dict.fromkeys(p for name in probe.ports for p in self.work.lists.get(name, ()))
            made += [(probe, port) for port in ports if port in scope.ports - scope.never]
        return [
            (probe, port)
            for probe, port in made
            if (ip, probe.name, port) not in self.work.done.asked | self.work.done.left
            and not (probe.transport == "tcp" and self.doors.shut(ip, port))
        ]

    def community(self, ip: str) -> str | None:
        """Give the SNMP community that the scope authorises for a host; None for none."""
        return dict(self.work.scope.router_communities).get(ip, self.work.scope.community)

    def failed(
        self, tool: str, where: Endpoint, error: Exception, seen: Sequence[Observation] = ()
    ) -> Attempt:
        """Say that a plug-in failed, and what it had seen by then."""
        said, now = f"{type(error).__name__}: {error}", self.work.clock()
        return Attempt(tool, where, Outcome.CRASHED, tuple(seen), now, detail=said)


class _Host:
    """One host while it is being asked. suspect: why it is left alone; None while it is not.

    brief: the device has told of itself at another address; one answer from here is enough.
    """

    def __init__(self, run: _Run, ip: str, seen: list[Observation], *, brief: bool) -> None:
        self.run, self.ip, self.seen, self.brief, self.learned = run, ip, seen, brief, False
        earlier = run.work.done.hurt.get(ip)
        self.suspect = earlier.detail.removesuffix(NOT_YET) if earlier else None
        self.unwell = bool(earlier and not looked_at(earlier))
        past = run.work.done.past.get(ip, Past())  # of the part that was interrupted
        self.answered_on = past.answered_on
        self.asked_last = ""
        self.turns: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        listening = {probe.name for probe in run.work.probes if probe.listens}
        asking = {probe.name for probe in run.work.probes}
        # ports whose owner greets; others keep silent there
        self.speaks_first = {port for tool, _, port in past.told if tool in listening}
        # asked once, and not again
        self.refused = {(how, port) for tool, how, port in past.refused if tool in asking}
        self.listening: set[asyncio.Future[Attempt | None]] = set()
        self.known = not brief and run.work.enough(seen)
        self.resets, self.silences = past.resets, 0

    async def interview(self) -> None:
        """Ask until all is asked, or enough is known, or the host seems to suffer."""
        asked = self.run.questions(self.ip)
        questions = iter(asked)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(asked), max(1, self.run.work.scope.pace.host_open))):
                group.create_task(self._work(questions))

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
        except (EnvironmentLack, LedgerError):
            raise  # nobody can be asked any more, or nothing kept
        except Exception as error:
            where = Endpoint(ip=self.ip, port=port, transport=probe.transport)
            attempt = self.run.failed(probe.name, where, error, seen)
        if attempt is None:
            return
        self.run.outbox.put([attempt])
        self.seen.extend(attempt.observations)
        if probe.listens and attempt.observations:
            self.speaks_first.add(port)
        if attempt.outcome is Outcome.REFUSED:
            self.refused.add((probe.transport, port))
        self.asked_last = f"{probe.name} on port {port}"
        if attempt.observations or self.brief:
            self._weigh(attempt)
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

    def _weigh(self, attempt: Attempt) -> None:
        """See whether enough is known by now; then nobody need be listened to any longer."""
        self.learned = self.learned or bool(attempt.observations)
        heard = attempt.outcome.is_knowledge
        self.known = heard if self.brief else self.run.work.enough(self.seen)
        for other in self.listening if self.known else ():
            other.cancel()

    async def _feel(self, attempt: Attempt) -> None:
        """Judge from how the last question ended whether the host is still well."""
        self.resets += attempt.detail.startswith(RESET)
        if self.resets >= MOST_RESETS:
            self._suffers(f"broke off in mid-reply {self.resets} times")
        if attempt.endpoint.transport != "tcp":
            return
        if attempt.outcome.is_knowledge or attempt.outcome is Outcome.GARBLED:
            self.answered_on, self.silences = attempt.endpoint.port, 0
        elif attempt.outcome is Outcome.SILENT and self.answered_on is not None:
            self.silences += 1
        if self.silences >= SUSPICIOUS_SILENCES and self.answered_on is not None:
            self.silences = 0
            if await self.run.network.knock(self.ip, self.answered_on) is Outcome.SILENT:
                self._suffers("stopped answering")

    def _suffers(self, why: str) -> None:
        """Leave the host alone, and record that at once: the run may end within the minute."""
        if not self.suspect:
            self.suspect, self.unwell = f"{why} after {self.asked_last}", True
            self._incident(Outcome.NOT_TRIED, NOT_YET)

    def _leave(self, probe: Probe, port: int) -> None:
        where = Endpoint(ip=self.ip, port=port, transport=probe.transport)
        why = f"{LEFT_ALONE}: the host {self.suspect}"
        now = self.run.work.clock()
        left = Attempt(probe.name, where, Outcome.NOT_TRIED, (), now, detail=why)
        self.run.outbox.put([left])

    async def look_again(self) -> None:
        """Wait, look once whether the host is back, and record how it is."""
        await asyncio.sleep(self.run.work.recheck_s)
        port = self.answered_on
        back = await self.run.network.knock(self.ip, port) if port else Outcome.NOT_TRIED
        if back is Outcome.NOT_TRIED:
            self._incident(back, "; it could not be looked at again")
            return
        how = "answers again" if back.is_knowledge else "does not answer"
        outcome = Outcome.GARBLED if back.is_knowledge else Outcome.SILENT
        self._incident(outcome, f"; {self.run.work.recheck_s:.0f} s later {how}")

    def _incident(self, outcome: Outcome, more: str) -> None:
        where = Endpoint(ip=self.ip, port=self.answered_on or 0, transport="tcp")
        now, said = self.run.work.clock(), f"{self.suspect}{more}"
        self.run.outbox.put([Attempt(INCIDENT, where, outcome, (), now, detail=said)])
