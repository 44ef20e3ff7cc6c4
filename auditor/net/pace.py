"""When the next packet may go: never more than the cap in any one second, and no bursts.

Two rules together. The window: the moments of the last sends are remembered, and one more may
go when fewer than the cap lie less than a second back, whichever second one looks at. The
schedule: sends are spread evenly, and a late one is caught up over a few milliseconds at most.
Moments are taken after the send returned, so that a delay in between only makes us slower.
"""

import asyncio
import heapq
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable

CATCH_UP_S = 0.02  # how far behind the schedule a sender may run without losing its turns
# Turns between two looks of the loop at its sockets: of those who were no trouble, of the others.
AT_ONCE, AT_ONCE_TROUBLED = 32, 4
AT_ONCE_S = 0.002  # and no more than are due in so long: turns come evenly, not in bursts
MARGIN_S = 0.01  # between two windows: whoever counts has another clock and delays of its own
SPAN_S = 30.0  # in which the questions to groups are counted (model/scope.Pace)
SPAN_MARGIN_S = 0.25


class Meter:
    """Counts what was sent against a cap of `per_s` in any one second.

    A cap below one a second stretches the window: 0.5 means one in any two seconds.
    whole: another meter under whose cap these count as well, with what others send.
    """

    def __init__(
        self,
        per_s: float,
        clock: Callable[[], float] = time.monotonic,
        whole: "Meter | None" = None,
    ) -> None:
        self.clock, self.whole = clock, whole
        self.free = math.isinf(per_s)
        self.most = max(1, math.floor(per_s)) if not self.free else 0
        self.window_s = (max(1.0, 1.0 / per_s) if not self.free else 0.0) + MARGIN_S
        self.interval_s = self.window_s / self.most if self.most else 0.0
        self.sent: deque[list[float]] = deque()  # moment and count
        self.inside = 0  # how many of them lie in the window
        self.kept: deque[tuple[float, int]] = deque()  # until when room is kept, for how many
        self.due = -math.inf  # when the schedule lets the next one go
        self.lock = asyncio.Lock()
        self.counting = threading.Lock()  # volleys count in a thread of their own

    def wait_s(self, count: int = 1) -> float:
        """Tell for how long `count` more have to wait; 0.0 when they may go now."""
        own = 0.0 if self.free else self._wait_s(count)
        return max(own, self.whole.wait_s(count)) if self.whole else own

    def _wait_s(self, count: int) -> float:
        with self.counting:
            return self._counted(count, self.clock())

    def _counted(self, count: int, now: float) -> float:
        while self.sent and self.sent[0][0] <= now - self.window_s:
            self.inside -= int(self.sent.popleft()[1])
        wait = max(0.0, self.due - now)
        over, at = self.inside + count - self._room(now), 0
        while over > 0 and at < len(self.sent):
            over -= int(self.sent[at][1])
            wait = max(wait, self.sent[at][0] + self.window_s - now)
            at += 1
        return wait

    def _room(self, now: float) -> int:
        """Give how many may go in a second beside those for which room is kept."""
        while self.kept and self.kept[0][0] <= now:
            self.kept.popleft()
        return max(1, self.most - sum(count for _, count in self.kept))

    def keep(self, count: int, seconds: float) -> None:
        """Keep room for so many frames of the kernel, which go when it pleases within that time."""
        if not self.free:
            with self.counting:
                self.kept.append((self.clock() + seconds, count))

    def stamp(self, count: int = 1) -> None:
        """Note that `count` have just gone."""
        if self.whole:
            self.whole.stamp(count)
        if self.free or count <= 0:
            return
        with self.counting:
            now = self.clock()
            self.sent.append([now, count])
            self.inside += count
            self.due = max(self.due, now - CATCH_UP_S) + count * self.interval_s

    def restamp(self) -> None:
        """Move the newest stamp to now: the send that it stands for has returned."""
        if self.whole:
            self.whole.restamp()
        with self.counting:
            if self.sent:
                self.sent[-1][0] = self.clock()

    def give_back(self, stamp: list[float]) -> None:
        """Take one back from a stamp (see `latest`): it was counted and has not gone."""
        with self.counting:
            if stamp[1] and stamp[0] > self.clock() - self.window_s:
                stamp[1] -= 1
                self.inside -= 1
                self.due -= self.interval_s

    @property
    def latest(self) -> list[float]:
        """Give the newest stamp."""
        return self.sent[-1]

    @property
    def uncounted(self) -> bool:
        """Tell whether nothing is capped here."""
        return self.free and not self.whole

    async def turn(self, count: int = 1) -> None:
        """Wait for a turn, in the order of asking, and take it."""
        if self.uncounted:
            return
        async with self.lock:
            await self.patience(count)
            self.stamp(count)

    async def patience(self, count: int = 1) -> None:
        """Sleep until `count` more may go; the caller holds the lock."""
        while wait := self.wait_s(count):  # noqa: ASYNC110 time passes, nobody tells
            await asyncio.sleep(wait)


class Seldom(Meter):
    """Counts against a cap of `most` in any `SPAN_S`, not in any second.

    Unlike the others it lets the first few go almost at once: these are questions that everybody
    on a segment hears, and what counts is how many of them a device has to answer together.
    """

    def __init__(self, most: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(most, clock)
        self.window_s = SPAN_S + SPAN_MARGIN_S
        self.interval_s = SPAN_S / (10 * self.most) if self.most else 0.0


class Turns:
    """Gives the turns of one meter to whoever has been the least trouble, and of those first to
    whom nobody has spoken to yet; else as they came.

    A thousand peers that are slow, silent or in flood all want turns, too. Few are given between
    two looks at the sockets, so that those who answer are heard at once, however many wait.
    """

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self._waiting: list[tuple[int, bool, int, asyncio.Future[tuple[list[float], ...]]]] = []
        self._number = itertools.count()
        due = AT_ONCE if meter.free else int(AT_ONCE_S / meter.interval_s)
        self._at_once = max(1, min(AT_ONCE, due))
        self._usher: asyncio.Task[None] | None = None
        self._freely = 0  # given since the loop looked at its sockets, where nothing is capped

    async def turn(self, trouble: int = 0, *, again: bool = False) -> None:
        """Wait for a turn and take it; the caller sends before it awaits anything else.

        again: the host has been spoken to before.
        """
        loop = asyncio.get_running_loop()
        if not trouble and self._takes_freely(loop):
            return
        called: asyncio.Future[tuple[list[float], ...]] = loop.create_future()
        heapq.heappush(self._waiting, (trouble, again, next(self._number), called))
        if self._usher is None:
            self._usher = loop.create_task(self._call())
        await called
        now = self.meter.clock()
        for stamp in called.result():  # it goes now, and not when its turn was called
            stamp[0] = now

    def _takes_freely(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Tell whether one may go at once who was no trouble: nothing is capped, nobody waits, few have gone."""
        if self._waiting or self._freely >= self._at_once or not self.meter.uncounted:
            return False
        if not self._freely:
            loop.call_soon(self._look)
        self._freely += 1
        return True

    def _look(self) -> None:
        self._freely = 0

    async def _call(self) -> None:
        """Call those who wait; each is counted at once, before anybody else looks at the meter."""
        try:
            while self._waiting:
                if wait := self.meter.wait_s():
                    await asyncio.sleep(wait)
                    continue
                self._call_some()
                await asyncio.sleep(0)
        finally:
            self._usher = None

    def _call_some(self) -> None:
        for count in range(1, self._at_once + 1):
            if not self._waiting or self.meter.wait_s():
                return
            if count > AT_ONCE_TROUBLED and self._waiting[0][0]:
                return
            *_, called = heapq.heappop(self._waiting)
            if not called.done():  # else whoever waited has gone
                self.meter.stamp()
                each = (self.meter, self.meter.whole)
                called.set_result(tuple(m.latest for m in each if m and not m.free))
