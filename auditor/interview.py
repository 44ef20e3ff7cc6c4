"""One host while it is asked what it is: until enough is known, and no longer than it bears it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Protocol

from auditor.model.coverage_note import INCIDENT, LEFT_ALONE, NOT_YET, RESET
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.model.settled import Past, looked_at
from auditor.outbox import Outbox
from auditor.plugins import Peer, Probe
from auditor.work import Network, Work

MOST_RESETS = 2  # in mid-reply; then the host is left alone
SUSPICIOUS_SILENCES = 3  # in a row, after the host had answered
# A host that was silent, slow or made no sense so often waits until everybody was asked something.
MOST_TROUBLES, SLOW_S = 2, 1.0
# A question waits for the answer to the one before it, which may make it needless, and no longer
# than this: whoever takes its time is asked beside it, as far as it may be.
BESIDE_S = 0.5


class Desk(Protocol):
    """What an interview needs of the run that it belongs to.

    present: what was seen of whom so far. waiting: devices that nobody has asked anything yet.
    """

    work: Work
    network: Network
    outbox: Outbox
    present: dict[str, list[Observation]]

    @property
    def waiting(self) -> deque[tuple[str, ...]]:
        """Give the devices that nobody has asked anything yet."""

    def hardware(self, ips: Iterable[str]) -> dict[str, str]:
        """Give the hardware addresses that are known of hosts."""

    def questions(self, ip: str) -> list[tuple[Probe, int]]:
        """Give what is to be asked of a host, in order, each port of each probe once."""

    def community(self, ip: str) -> str | None:
        """Give the SNMP community that the scope authorises for a host; None for none."""

    def converse(
        self, peer: Peer, probe: Probe, seen: list[Observation]
    ) -> Coroutine[None, None, Attempt | None]:
        """Let a probe speak with a peer; one that fails costs its own attempt and nothing else."""


class Visit:
    """The addresses of one device, asked in turn; a device that costs time is put aside."""

    def __init__(self, run: Desk, house: Iterable[str]) -> None:
        self.run, self.left = run, deque(house)
        self.host: Host | None = None
        self.brief = False  # of who has told of itself at another address

    async def go_on(self, over: Callable[["Host"], None]) -> bool:
        """Ask on; False where it is put aside. over: is told of each address that is done with."""
        while self.host or self.left:
            host = self.host or self._next()
            await host.interview()
            if host.paused:
                self.host = host
                return False
            self.host, self.brief = None, self.brief or host.learned or host.known
            over(host)
        return True

    def _next(self) -> "Host":
        ip = self.left.popleft()
        return Host(self.run, ip, self.run.present[ip], brief=self.brief)


class Host:
    """One host while it is being asked. suspect: why it is left alone; None while it is not.

    brief: the device has told of itself at another address; one answer from here is enough.
    """

    def __init__(self, run: Desk, ip: str, seen: list[Observation], *, brief: bool) -> None:
        self.run, self.ip, self.seen, self.brief, self.learned = run, ip, seen, brief, False
        earlier = run.work.done.hurt.get(ip)
        self.suspect = earlier.detail.removesuffix(NOT_YET) if earlier else None
        self.unwell = bool(earlier and not looked_at(earlier))
        past = run.work.done.past.get(ip, Past())  # of the part that was interrupted
        self.answered_on = past.answered_on
        self.asked_last = ""
        self.turns: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        # ports whose owner greets, where others keep silent; and what is not asked once more
        self.speaks_first: set[int] = set()
        self.refused: set[tuple[str, int]] = set()
        if past.told or past.refused:
            names = {probe.name: probe.listens for probe in run.work.probes}
            self.speaks_first.update(port for tool, _, port in past.told if names.get(tool))
            self.refused.update((how, port) for tool, how, port in past.refused if tool in names)
        self.listening: set[asyncio.Future[Attempt | None]] = set()
        self.known = not brief and run.work.enough(seen)
        self.resets, self.silences = past.resets, 0
        self.troubles = 0
        self.paused = False
        self.waves = self._waves()
        self.together = 0  # how many questions are put at a time

    def _waves(self) -> deque[deque[tuple[Probe, int]]]:
        """Give the questions in two waves: what need not be asked may be known after the first.

        Second come the ports that are only listened to, and what seldom adds anything. Where
        others would speak on a port, it is listened to first: its owner may not bear their words.
        """
        asked = self.run.questions(self.ip)
        self.spoken_to = {port for probe, port in asked if not probe.listens}
        late = [
            (probe, port)
            for probe, port in asked
            if probe.late or (probe.listens and port not in self.spoken_to)
        ]
        first = [question for question in asked if question not in late] if late else asked
        listened_to = {port for probe, port in first if probe.listens}
        first.sort(key=lambda question: question[1] in listened_to)  # who may keep silent waits
        return deque(deque(wave) for wave in (first, late) if wave)

    async def interview(self) -> None:
        """Ask until all is asked, or enough is known, or the host seems to suffer, or is paused."""
        self.paused = False
        while self.waves and not self.paused:
            await self._put(self.waves[0])
            if not self.waves[0]:
                self.waves.popleft()

    async def _put(self, wave: deque[tuple[Probe, int]]) -> None:
        """Put the questions of a wave, as many at a time as a host is asked.

        One after the other, as long as it answers at once: the next one may be needless then.
        """
        self.together = min(len(wave), max(1, self.run.work.scope.pace.host_open))
        if self.together == 1:
            await self._work(wave)
            return
        alike = all(probe.listens or probe.late for probe, _ in wave)
        self.workers = 0
        async with asyncio.TaskGroup() as group:
            for _ in range(self.together if alike else 1):
                self._beside(wave, group)

    def _beside(self, wave: deque[tuple[Probe, int]], group: asyncio.TaskGroup) -> None:
        """Let one more ask beside those who wait for answers."""
        if wave and self.workers < self.together:
            self.workers += 1
            group.create_task(self._work(wave, group))

    async def _work(
        self, wave: deque[tuple[Probe, int]], group: asyncio.TaskGroup | None = None
    ) -> None:
        loop = asyncio.get_running_loop()
        for probe, port in self._while_patient(wave):
            slow = loop.call_later(BESIDE_S, self._beside, wave, group) if group else None
            try:
                await self._take_up(probe, port)
            finally:
                if slow:
                    slow.cancel()

    async def _take_up(self, probe: Probe, port: int) -> None:
        async with self.turns[port]:  # one protocol at a time on one port
            if port in self.speaks_first or (probe.transport, port) in self.refused:
                return
            if self.suspect:
                self._leave(probe, port)
            elif not self.known:
                await self._ask(probe, port)

    def _while_patient(self, wave: deque[tuple[Probe, int]]) -> Iterator[tuple[Probe, int]]:
        """Give what is still to be asked, as long as nobody better has to wait for it."""
        while wave:
            if self.troubles >= MOST_TROUBLES and self.run.waiting:
                self.paused = True
                return
            yield wave.popleft()

    async def _ask(self, probe: Probe, port: int) -> None:
        community = self.run.community(self.ip) if probe.needs_community else None
        spared = None if probe.listens and port in self.spoken_to else self._needless
        peer = Peer(self.ip, port, probe.tls, tuple(self.seen), community, spared)
        seen: list[Observation] = []
        asking = self.run.converse(peer, probe, seen)
        told_off = probe.listens and self.together > 1  # by what others tell meanwhile
        attempt = await (self._listen(asking) if told_off else asking)
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

    def _needless(self, more: Sequence[Observation], fields: Sequence[str]) -> bool:
        """Tell whether a reply that is told by these fields would add nothing that is missing."""
        return self.run.work.needless((*self.seen, *more), fields)

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
        self.troubles += not attempt.outcome.is_knowledge or attempt.elapsed_s > SLOW_S
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
