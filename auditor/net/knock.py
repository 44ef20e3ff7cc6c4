"""Who is there behind a router, asked with bare SYN segments through the gateway.

An open port and a refused one both mean that somebody is there, and then nothing more is asked
of that address here. What a router says cannot be reached is kept as its word; a box that
answers for a whole network is recognised (see `everything`) and is nobody.
"""

import math
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from auditor.model.address import AddressSet, address
from auditor.model.coverage_note import Note
from auditor.model.observation import Attempt, Endpoint, Outcome
from auditor.net import barred
from auditor.net.arp import stretches
from auditor.net.bulk import Numbers, numbers_of, set_of
from auditor.net.everything import (
    OPEN,
    SAMPLE,
    Suspect,
    differs,
    noise,
    suspects,
)
from auditor.net.filters import TCP, segments_or_errors
from auditor.net.guard import Guard, Kind
from auditor.net.rings import Frames
from auditor.net.routes import Way
from auditor.net.syn import HOST_SECOND_S, SynQuestions, host_second
from auditor.net.unreachable import LEAST, LOOK, Complaints
from auditor.net.volley import Beat, Indices, fire

NAME = "knock"
DOUBT_ROUNDS = 1  # to tell hosts from a box that answers for them


class KnockQuestions(SynQuestions):
    """Is anybody there? The first answer of a host settles all questions to it, if `first`.

    heard: per host the state, the port and the time to live of its first answer.
    """

    def __init__(
        self,
        guard: Guard,
        way: Way,
        mac: bytes,
        hosts: Numbers,
        ports: Sequence[int],
        *,
        first: bool,
    ) -> None:
        super().__init__(guard, way.interface, dict.fromkeys(hosts.tolist(), mac), ports, way)
        self.first = first
        self.heard = np.zeros((len(self.hosts), 3), np.int64)
        self.complaints = Complaints(self.source)

    def read(self, frames: Frames, tags: NDArray[np.int32]) -> Indices:  # noqa: ARG002
        """Note the answers that prove to be ours, and what routers say of them."""
        which, states, told = self.answers(frames[frames[:, 23] == TCP])
        self._complain(frames)
        self.state[which] = states
        hosts = which // len(self.ports)
        once, at = np.unique(hosts, return_index=True)
        fresh = self.heard[once, 0] == 0
        once, at = once[fresh], at[fresh]
        self.heard[once, 0] = states[at]
        self.heard[once, 1] = self.doors[which[at]]
        self.heard[once, 2] = told[at, 22]
        return self._settled(hosts) if self.first else which

    def _complain(self, frames: Frames) -> None:
        about, marks, itself, frames = self.complaints.read(frames, TCP)
        host = np.minimum(np.searchsorted(self.hosts, about), len(self.hosts) - 1)
        ours = np.zeros(len(about), np.bool_)
        for port in self.ports.tolist():
            ports = np.full(len(about), port, np.uint16)
            ours |= (self.numbered(about, ports) & np.uint32(0xFFFF)) == marks
        ours &= (self.hosts[host] == about) & ~itself
        self.complaints.note(about[ours], frames[ours])

    def _settled(self, hosts: Indices) -> Indices:
        """Give all questions to these hosts."""
        count = len(self.ports)
        each: Indices = (np.unique(hosts)[:, None] * count + np.arange(count)).ravel()
        return each


async def sweep_knock(
    guard: Guard,
    way: Way,
    mac: bytes,
    targets: AddressSet,
    ports: Sequence[int],
    tick: Callable[[int], None] = lambda _: None,
) -> AsyncIterator[list[Attempt]]:
    """Knock on ports of every IPv4 address behind a gateway (mac: its hardware address).

    Gives stretch by stretch one ANSWERED or REFUSED attempt per address that is there, one per
    reason that a router gave, one for a box that answers for everybody, and one for the whole.
    """
    ports = sorted(p for p in ports if p in guard.scope.ports - guard.scope.never)
    if not ports:
        return
    for stretch in stretches(targets, guard.scope.pace.packets_per_s / len(ports)):
        yield await _Stretch(guard, way, mac, stretch, ports).ask(tick)


class _Stretch:
    """A stretch of addresses while it is being knocked on."""

    def __init__(
        self, guard: Guard, way: Way, mac: bytes, asked: AddressSet, ports: list[int]
    ) -> None:
        self.guard, self.way, self.mac, self.asked, self.ports = guard, way, mac, asked, ports
        self.started = guard.clock()
        self.sent = 0
        self.heard: dict[int, tuple[int, int, int]] = {}  # address: state, port, time to live
        self.said: dict[int, tuple[str, int]] = {}
        self.hidden: set[int] = set()

    async def ask(self, tick: Callable[[int], None]) -> list[Attempt]:
        """Find who answers, and take out those for whom somebody else does."""
        numbers, rounds = numbers_of(self.asked), self.guard.scope.pace.rounds
        most = len(numbers) * len(self.ports) * (rounds + DOUBT_ROUNDS)  # what was planned
        await self._volley(numbers, self.ports, rounds, first=True, tick=tick)
        signs = {ip: ttl for ip, (_, _, ttl) in self.heard.items()}
        await self._doubt(suspects(self.asked, signs), most)
        return self._attempts()

    async def _doubt(self, doubted: Sequence[Suspect], most: int) -> None:
        """See for which /24s one box answers, and who is there nonetheless."""
        if not doubted:
            return
        some = [random.sample(each.members, min(SAMPLE, len(each.members))) for each in doubted]
        told = await self._again(list(chain.from_iterable(some)), most)
        groups: dict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
        for suspect, ips in zip(doubted, some, strict=True):
            noisy = noise(suspect, [told[ip] for ip in ips], self.ports)
            if noisy:
                groups[tuple(sorted(noisy.items()))] += suspect.members
        for pairs, members in groups.items():
            await self._sift(members, dict(pairs), told, most)

    async def _sift(
        self,
        members: Sequence[int],
        noisy: Mapping[int, int],
        known: Mapping[int, Mapping[int, int]],
        most: int,
    ) -> None:
        """Hide those who answer as the box does on every port; known: what some have answered."""
        left = [ip for ip in members if ip not in known]
        told = {ip: known[ip] for ip in members if ip in known}
        if left:
            told |= await self._again(left, most)
        there = {ip for ip, answers in told.items() if differs(answers, noisy)}
        self.hidden |= set(members) - there
        for ip in there:
            port, state = next((p, s) for p, s in told[ip].items() if noisy.get(p) != s)
            self.heard[ip] = (state, port, self.heard[ip][2])

    async def _again(self, ips: Sequence[int], most: int) -> Mapping[int, Mapping[int, int]]:
        """Ask every port, with what is left of the planned packets."""
        room = (most - self.sent) // (len(ips) * len(self.ports))
        rounds = min(DOUBT_ROUNDS, room)
        if rounds < 1:
            return {ip: {} for ip in ips}
        return await self._volley(np.array(ips, np.uint32), self.ports, rounds, first=False)

    async def _volley(
        self,
        numbers: Numbers,
        ports: list[int],
        rounds: int,
        *,
        first: bool,
        tick: Callable[[int], None] = lambda _: None,
    ) -> Mapping[int, Mapping[int, int]]:
        """Ask in waves that keep each host's cap; give per host the state of ports that answered."""
        guard, free = self.guard, math.isinf(self.guard.scope.pace.host_connects_per_s)
        size = len(ports) if free else max(1, int(guard.scope.pace.host_connects_per_s))
        waves = [
            KnockQuestions(guard, self.way, self.mac, numbers, ports[at : at + size], first=first)
            for at in range(0, len(ports), size)
        ]
        settled = np.zeros(len(numbers), np.bool_)
        beat = None if free else Beat(len(numbers), HOST_SECOND_S)
        for number in range(1 if free else rounds):
            for questions in waves:
                asked = len(questions.ports)
                done = np.repeat(settled, asked) if first else questions.state > 0
                if done.all():
                    continue
                told = await fire(
                    guard,
                    self.way.interface,
                    segments_or_errors(questions.own_port),
                    questions,
                    Kind.PACKET,
                    LOOK,
                    _counted(tick if number == 0 and questions is waves[0] else None, asked),
                    rounds=rounds if free else 1,
                    answered=done,
                    least=LEAST,
                    beat=beat,
                )
                self.sent += told.sent
                settled |= questions.heard[:, 0] > 0
        if beat:
            await host_second(float(beat.last.max()))
        return self._gathered(waves, first=first)

    def _gathered(
        self, waves: Sequence[KnockQuestions], *, first: bool
    ) -> Mapping[int, Mapping[int, int]]:
        answers: dict[int, dict[int, int]] = {}
        for questions in waves:
            self.said |= questions.complaints.said
            if first:
                for at in np.flatnonzero(questions.heard[:, 0]).tolist():
                    state, port, ttl = questions.heard[at].tolist()
                    self.heard.setdefault(int(questions.hosts[at]), (state, port, ttl))
                continue
            for ip in questions.hosts.tolist():
                answers.setdefault(ip, {})
            for at in np.flatnonzero(questions.state).tolist():
                answers[int(questions.ips[at])][int(questions.doors[at])] = int(questions.state[at])
        return answers

    def _attempts(self) -> list[Attempt]:
        elapsed_s = round((self.guard.clock() - self.started).total_seconds(), 3)
        made, by = [], self.way.vantage()
        there = {ip: told for ip, told in self.heard.items() if ip not in self.hidden}
        for ip, (state, port, _) in sorted(there.items()):
            ended = Outcome.ANSWERED if state == OPEN else Outcome.REFUSED
            where = Endpoint(address(4, ip), None, port)
            made.append(Attempt(NAME, where, ended, (), self.started, elapsed_s))
        words = {
            address(4, ip): barred.words(*told)
            for ip, told in self.said.items()
            if ip not in self.heard
        }
        made += barred.attempts(NAME, words, by, self.started, elapsed_s)
        whole = Endpoint(transport="tcp")
        hidden = set_of(np.array(sorted(self.hidden), np.uint32))
        if hidden:
            note = str(Note(hidden, proxy=hidden, told=(("router", "answers for all"), ("by", by))))
            made.append(Attempt(NAME, whole, Outcome.GARBLED, (), self.started, elapsed_s, note))
        heard = set_of(np.array(sorted(self.heard), np.uint32))
        silent = self.asked.minus(heard).minus(AddressSet.single(words))
        told = (
            ("ports", ",".join(map(str, self.ports))),
            ("answered", str(len(there))),
            ("sent", str(self.sent)),
            ("by", by),
        )
        note = str(Note(self.asked, silent, proxy=hidden, told=told))
        outcome = Outcome.SILENT if silent else Outcome.ANSWERED
        return [*made, Attempt(NAME, whole, outcome, (), self.started, elapsed_s, note)]


def _counted(tick: Callable[[int], None] | None, ports: int) -> Callable[[int], None]:
    """Count addresses instead of questions."""
    return (lambda count: tick(-(-count // ports))) if tick else (lambda _: None)
