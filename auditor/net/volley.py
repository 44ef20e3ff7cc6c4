"""Asks thousands at once: random order, exact pace, and again only whoever has not answered.

The rounds overlap: an address is asked again as soon as the slowest answer so far would have
come, not when everybody's time is over. It ends when all have answered, or when the last
questions have been given their time.
"""

import asyncio
import contextlib
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from auditor.errors import ScopeRefusal
from auditor.net.filters import Instruction
from auditor.net.guard import Guard, Kind
from auditor.net.interfaces import Interface
from auditor.net.ringed import Ringed
from auditor.net.rings import Frames, Rings

BATCH_S = 1 / 500  # of the pace; what is sent in one go
LARGEST_BATCH, SMALLEST_BATCH = 512, 1
# How long an answer may take: some multiple of the slowest so far, within these bounds.
SLOWEST_TIMES = 4.0
PATIENCE_LEAST_S, PATIENCE_MOST_S = 0.3, 1.0
# Who asks for no cap at all wants speed above all: then the slowest of so many answers is trusted.
# Before it asks again it waits for less: whoever is late then costs one packet more.
PATIENCE_SURE_S, PATIENCE_AGAIN_S, MANY_ANSWERS = 0.05, 0.02, 100
# When so large a share of the asked-again answers only then, we send more than the link bears; a
# link that loses a twentieth of everything does so at any pace.
LOSS_SHARE, FEWEST_TO_JUDGE = 0.08, 50
NEIGHBOURS = 32  # hosts that are asked together where volleys follow each other (see Beat)
LOOK_S = 0.05  # how long one look at the ring may last
UNPACED_PER_S = 400_000.0  # what a core can send; where a back-off starts from without a cap

Indices = NDArray[np.int64]

_SHELF: WeakKeyDictionary[Guard, dict[str, Rings]] = WeakKeyDictionary()  # they end with the run


class Questions(Protocol):
    """What a volley asks: one question per index."""

    def __len__(self) -> int: ...

    def frames(self, which: Indices) -> Frames:
        """Write the frames of these questions, one a row."""

    def read(self, frames: Frames, tags: NDArray[np.int32]) -> Indices:
        """Note the answers; give the indices of the questions that they answer."""

    def permit(self, guard: Guard, which: Indices) -> None:
        """Raise ScopeRefusal where one of these may not be asked now."""

    def journal(self, guard: Guard, which: Indices) -> None:
        """Note what was sent."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a volley came to. answered: one flag per question. slowest_s: of the answers.
    last: when the last question went, by the monotonic clock.
    """

    answered: NDArray[np.bool_]
    sent: int
    rounds: int
    slowest_s: float
    slowed: int
    last: float


class Beat:
    """Keeps volleys to the same hosts apart: each host rests for so long between two of them.

    Every volley reaches the hosts in the same order (a random one, but for neighbours in it), so
    the first may be asked again while the last still rest. A question's index is that of its host
    times the number of questions to a host, plus its own.
    """

    def __init__(self, hosts: int, rest_s: float) -> None:
        self.rest_s = rest_s
        self.last = np.full(hosts, -math.inf)  # when each was asked last, by the monotonic clock
        self._block = _shuffled(hosts).argsort() // NEIGHBOURS

    def order(self, count: int) -> Indices:
        """Give in which order so many questions go."""
        within = _shuffled(count).argsort()
        blocks = self._block.repeat(count // len(self.last))
        return within[blocks[within].argsort(kind="stable")]

    def due(self, batch: Indices, count: int) -> float:
        """Tell when all these hosts will have rested."""
        return float(self.last[self._hosts(batch, count)].max()) + self.rest_s

    def went(self, batch: Indices, count: int, moment: float) -> None:
        """Note that these of so many questions went at that moment."""
        self.last[self._hosts(batch, count)] = moment

    def _hosts(self, batch: Indices, count: int) -> Indices:
        return batch // (count // len(self.last))


def _shuffled(count: int) -> Indices:
    return np.frombuffer(os.urandom(8 * count), np.uint64).argsort()


class Volley:
    """One set of questions while it is being asked; runs in a thread of its own."""

    def __init__(
        self,
        guard: Guard,
        rings: Rings,
        questions: Questions,
        kind: Kind,
        octets: int,
        tick: Callable[[int], None] = lambda _: None,
        answered: NDArray[np.bool_] | None = None,
        least: int | None = None,
        beat: Beat | None = None,
    ) -> None:
        self.guard, self.rings, self.questions, self.octets = guard, rings, questions, octets
        self.least, self.beat = least, beat
        self.meter, self.tick = guard.meters[kind], tick
        count = len(questions)
        self.answered = np.zeros(count, np.bool_) if answered is None else answered.copy()
        self.asked_at, self.first_at = np.zeros(count), np.zeros(count)
        self.order = beat.order(count) if beat else _shuffled(count)
        self.sent = self.slowed = self.round = 0
        self.slowest_s = 0.0
        self.gap_s = 0.0  # between batches, when we backed off
        self.again = self.late = 0
        self.stopped = False

    def fire(self, rounds: int) -> Told:
        """Ask in so many rounds."""
        for self.round in range(rounds):
            waiting = self.order[~self.answered[self.order]]
            if not waiting.size or self.stopped:
                break
            if self.round:
                self._hear_out(float(self.asked_at[waiting[0]]), PATIENCE_AGAIN_S)
            self._ask(waiting)
            self._judge_loss()
        last = float(self.asked_at.max(initial=0.0))
        self._hear_out(last, PATIENCE_SURE_S)
        return Told(self.answered, self.sent, self.round + 1, self.slowest_s, self.slowed, last)

    def _ask(self, waiting: Indices) -> None:
        per_s = self.meter.most or UNPACED_PER_S
        size = max(SMALLEST_BATCH, min(LARGEST_BATCH, int(per_s * BATCH_S)))
        at = 0
        while at < len(waiting) and not self.stopped:
            batch = waiting[at : at + size]
            at += len(batch)
            if self.round:
                batch = batch[~self.answered[batch]]
            if batch.size:
                self._send(batch)
            if self.round == 0:
                self.tick(len(batch))

    def _send(self, batch: Indices) -> None:
        if self.gap_s:
            self._listen_until(time.monotonic() + self.gap_s)
        if self.beat:
            self._listen_until(self.beat.due(batch, len(self.questions)))
        while wait := self.meter.wait_s(len(batch)):
            self._listen(wait)
        self.questions.permit(self.guard, batch)
        frames = self.questions.frames(batch)
        self.asked_at[batch] = time.monotonic()
        if self.round == 0:
            self.first_at[batch] = self.asked_at[batch]
        gone = 0
        while gone < len(frames) and not self.stopped:
            gone += self.rings.send(frames[gone:])
            self._listen(0.0 if gone == len(frames) else 0.001)
        self.meter.stamp(len(batch))
        if self.beat:
            self.beat.went(batch, len(self.questions), time.monotonic())
        self.sent += len(batch)
        self.again += len(batch) if self.round else 0
        self.questions.journal(self.guard, batch)

    def _hear_out(self, asked: float, sure_s: float) -> None:
        """Give a question of that moment its time, which the answers meanwhile make known."""
        while (until := asked + self._patience(sure_s)) > time.monotonic() and not self.stopped:
            if self.answered.all():
                return
            self._listen_until(min(until, time.monotonic() + LOOK_S))

    def _listen_until(self, moment: float) -> None:
        while (left := moment - time.monotonic()) > 0 and not self.stopped:
            if self.answered.all():
                return
            if self.guard.revoked:
                raise ScopeRefusal("the sweep was stopped", why=self.guard.revoked)
            self._listen(min(left, LOOK_S))

    def _listen(self, seconds: float) -> None:
        self.rings.wait(seconds)
        frames, tags = self.rings.take(self.octets, self.least)
        if not len(frames):
            return
        which = self.questions.read(frames, tags)
        news = which[~self.answered[which]]
        self.answered[news] = True
        # an answer to a repeated question tells no time (Karn's rule, RFC 6298 section 3)
        once = news[self.asked_at[news] == self.first_at[news]]
        if once.size:
            slowest = time.monotonic() - float(self.asked_at[once].min())
            self.slowest_s = max(self.slowest_s, min(slowest, PATIENCE_MOST_S))
        if self.round:  # who answers so late was not heard the first time, or not heard by us
            age_s = time.monotonic() - self.first_at[news]
            self.late += int((age_s > 2 * self.slowest_s + PATIENCE_AGAIN_S).sum())

    def _patience(self, sure_s: float) -> float:
        count = int(self.answered.sum())
        if not count:
            return PATIENCE_MOST_S
        if self.meter.free and count >= MANY_ANSWERS:
            return min(PATIENCE_MOST_S, sure_s + self.slowest_s)
        return min(PATIENCE_MOST_S, max(PATIENCE_LEAST_S, SLOWEST_TIMES * self.slowest_s))

    def _judge_loss(self) -> None:
        """Send at half the pace from now on when many answered only when asked again."""
        early = int(self.answered.sum()) - self.late
        if self.slowed or self.late < max(FEWEST_TO_JUDGE, LOSS_SHARE * early):
            return  # once: loss that stays is not ours, and more slowness would not cure it
        per_s = self.meter.most or UNPACED_PER_S
        self.gap_s = min(BATCH_S, LARGEST_BATCH / per_s)  # as long again as the batch itself
        self.slowed += 1


def _tell(loop: asyncio.AbstractEventLoop, tick: Callable[[int], None], count: int) -> None:
    loop.call_soon_threadsafe(tick, count)


async def fire(
    guard: Guard,
    interface: Interface,
    program: Iterable[Instruction],
    questions: Questions,
    kind: Kind,
    octets: int,
    tick: Callable[[int], None] = lambda _: None,
    rounds: int | None = None,
    answered: NDArray[np.bool_] | None = None,
    opened: Ringed | None = None,
    least: int | None = None,
    beat: Beat | None = None,
) -> Told:
    """Fire a volley in a thread, in as many rounds as the profile asks for, or in `rounds`.

    octets: how much of each answer is looked at; least: how much of it must be there. tick is
    called in the caller's loop. answered: what need not be asked any more. opened: a socket with
    rings, opened ahead. beat: how long each host rests since earlier volleys.
    """
    loop = asyncio.get_running_loop()
    with _kept(guard, interface, program, opened) as rings:
        volley = Volley(
            guard,
            rings,
            questions,
            kind,
            octets,
            lambda count: _tell(loop, tick, count),
            answered,
            least,
            beat,
        )
        firing = loop.run_in_executor(None, volley.fire, rounds or guard.scope.pace.rounds)
        try:
            return await asyncio.shield(firing)
        except asyncio.CancelledError:
            volley.stopped = True
            await asyncio.wait([firing])
            raise


@contextlib.contextmanager
def _kept(
    guard: Guard, interface: Interface, program: Iterable[Instruction], opened: Ringed | None
) -> Iterator[Rings]:
    """Lend rings on an interface, and keep them for the next volley of the same run."""
    shelf = _SHELF.setdefault(guard, {})
    program = tuple(program)
    rings = shelf.pop(interface.name, None)
    if rings and (opened or not rings.wake(program)):
        rings.close()
        rings = None
    rings = rings or Rings(interface, program, opened)
    try:
        yield rings
        rings.rest()
    except BaseException:
        rings.close()
        raise
    shelf[interface.name] = rings
