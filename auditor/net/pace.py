"""When the next packet may go: never more than the cap in any one second, and no bursts.

Two rules together. The window: the moments of the last sends are remembered, and one more may
go when fewer than the cap lie less than a second back, whichever second one looks at. The
schedule: sends are spread evenly, and a late one is caught up over a few milliseconds at most.
Moments are taken after the send returned, so that a delay in between only makes us slower.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

CATCH_UP_S = 0.02  # how far behind the schedule a sender may run without losing its turns
MARGIN_S = 0.01  # between two windows: whoever counts has another clock and delays of its own
SPAN_S = 30.0  # in which the questions to groups are counted (model/scope.Pace)
SPAN_MARGIN_S = 0.25


class Meter:
    """Counts what was sent against a cap of `per_s` in any one second.

    A cap below one a second stretches the window: 0.5 means one in any two seconds.
    """

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.free = math.isinf(per_s)
        self.most = max(1, math.floor(per_s)) if not self.free else 0
        self.window_s = (max(1.0, 1.0 / per_s) if not self.free else 0.0) + MARGIN_S
        self.interval_s = self.window_s / self.most if self.most else 0.0
        self.sent: deque[tuple[float, int]] = deque()
        self.inside = 0  # how many of them lie in the window
        self.due = -math.inf  # when the schedule lets the next one go
        self.lock = asyncio.Lock()

    def wait_s(self, count: int = 1) -> float:
        """Tell for how long `count` more have to wait; 0.0 when they may go now."""
        if self.free:
            return 0.0
        now = self.clock()
        while self.sent and self.sent[0][0] <= now - self.window_s:
            self.inside -= self.sent.popleft()[1]
        wait = max(0.0, self.due - now)
        over, at = self.inside + count - self.most, 0
        while over > 0 and at < len(self.sent):
            over -= self.sent[at][1]
            wait = max(wait, self.sent[at][0] + self.window_s - now)
            at += 1
        return wait

    def stamp(self, count: int = 1) -> None:
        """Note that `count` have just gone."""
        if self.free:
            return
        now = self.clock()
        self.sent.append((now, count))
        self.inside += count
        self.due = max(self.due, now - CATCH_UP_S) + count * self.interval_s

    def restamp(self) -> None:
        """Move the newest stamp to now: the send that it stands for has returned."""
        if self.sent:
            self.sent[-1] = (self.clock(), self.sent[-1][1])

    async def turn(self, count: int = 1) -> None:
        """Wait for a turn, in the order of asking, and take it."""
        if self.free:
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

    def fill(self) -> None:
        """Begin as if all that the cap allows had just gone: somebody before us may have asked."""
        self.stamp(self.most)
