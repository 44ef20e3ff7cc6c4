"""The way of answers into the ledger: soon, together, never too many at once; and why a run ended."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterable, Iterator

from auditor.model.observation import Attempt
from auditor.work import Sink

COALESCE_S = 0.02  # what comes within so long is committed together
KEEP_S = 0.5  # what was sent waits no longer to be kept, whether or not anybody answers
# Fast senders fill the journal sooner than that: while many rows are kept nobody else works, and
# a gap of more than `net.pace.CATCH_UP_S` cannot be caught up.
KEEP_LEAST_S, FEW_ROWS = 0.1, 150
# To keep so many takes some hundredths of a second, in which nobody is listened to.
MOST_TOGETHER = 1_000
SHARE = 4  # so many times as long as a portion took, others work before the next


class Stopped(Exception):  # noqa: N818 no error: somebody pressed Ctrl-C
    """The user asked to stop."""


class Outbox:
    """Hands attempts to the sink; those that were put together are never parted."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.waiting: deque[list[Attempt]] = deque()
        self.news = asyncio.Event()
        self.rows, self.since = 0, time.monotonic()  # what was kept since
        self.keep_s = KEEP_S

    def put(self, attempts: Iterable[Attempt]) -> None:
        """Take attempts that belong together: they go as soon as may be, with all that wait."""
        if together := list(attempts):
            self.waiting.append(together)
        self.news.set()

    def flush(self) -> None:
        """Hand over all that waits; also without news, because what was sent is kept with it."""
        self._hand_over()
        while self.waiting:
            self._hand_over()

    async def forward(self) -> None:
        """Hand over what comes until cancelled; between two portions others may work."""
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.keep_s):  # wait_for may swallow the end of us
                    await self.news.wait()
            await asyncio.sleep(COALESCE_S)
            self.news.clear()
            more = True
            while more:
                began = loop.time()
                self._hand_over()
                if more := bool(self.waiting):
                    await asyncio.sleep(SHARE * (loop.time() - began))
            self._adapt()

    def _adapt(self) -> None:
        """Keep so often that few rows are kept at a time."""
        took_s, rows = time.monotonic() - self.since, self.rows
        self.rows, self.since = 0, time.monotonic()
        self.keep_s = min(KEEP_S, max(KEEP_LEAST_S, FEW_ROWS * took_s / max(1, rows)))

    def _hand_over(self) -> None:
        batch: list[Attempt] = []
        while self.waiting and len(batch) < MOST_TOGETHER:
            batch += self.waiting.popleft()
        try:
            self.rows += self.sink(batch) or 0
        except BaseException:
            self.waiting.appendleft(batch)  # a note that tells of it must not be kept without it
            raise


async def until(stop: asyncio.Event) -> None:
    """Raise Stopped as soon as the user asks for it."""
    await stop.wait()
    raise Stopped


def reason(errors: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """Give what ended a run; None where the user stopped it."""
    return next((end for end in _flat(errors) if not isinstance(end, Stopped)), None)


def _flat(errors: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Give the exceptions inside nested groups."""
    for inside in errors.exceptions:
        if isinstance(inside, BaseExceptionGroup):
            yield from _flat(inside)
        else:
            yield inside
