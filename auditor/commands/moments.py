"""The moments that a run writes down: the wall clock, but never back.

A clock that is set forward is followed; one that is set back is not, until it has caught up:
so no answer comes before its question and no run ends before it began. The authority ends by
the wall clock itself.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

JUMP_S = 2.0  # a clock that differs by so much was set, and has not merely drifted


class Moments:
    """Gives moments (UTC) in order. jumps: what was noticed of the clock, in words.

    wall: the wall clock. after: no moment lies before it; what an earlier part of the run wrote
    last. elapsed: seconds that pass whatever the clock says.
    """

    def __init__(
        self,
        wall: Callable[[], datetime],
        after: datetime | None = None,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wall, self.elapsed = wall, elapsed
        self.jumps: list[str] = []
        now = wall()
        begin = max(now, after or now)
        self._base = begin - timedelta(seconds=elapsed())
        self._behind = (begin - now).total_seconds() > JUMP_S
        if self._behind:
            said = _said(begin - now)
            self.jumps.append(f"the clock stands {said} before what this run wrote down last")

    def now(self) -> datetime:
        """Give the moment, and notice whether the clock was set since the last one."""
        wall, passed = self.wall(), timedelta(seconds=self.elapsed())
        due = self._base + passed
        ahead_s = (wall - due).total_seconds()
        if ahead_s >= 0:
            self._base = wall - passed
        if ahead_s > JUMP_S:
            self.jumps.append(f"the clock went forward by {_said(wall - due)} while this ran")
        if ahead_s < -JUMP_S and not self._behind:
            back = _said(due - wall)
            self.jumps.append(f"the clock was set back by {back} while this ran")
        self._behind = ahead_s < -JUMP_S
        return max(wall, due)


def _said(span: timedelta) -> str:
    return str(timedelta(seconds=round(span.total_seconds())))
