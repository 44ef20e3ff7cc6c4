"""Hands what was collected to whoever keeps it: together what comes together, and never too much."""

import asyncio
from collections import deque
from collections.abc import Iterable

from auditor.model.observation import Attempt
from auditor.work import Sink

COALESCE_S = 0.02  # what comes within so long is committed together
# To keep so many takes some hundredths of a second, in which nobody is listened to.
MOST_TOGETHER = 1_000
SHARE = 4  # so many times as long as a portion took, others work before the next


class Outbox:
    """Hands attempts to the sink; those that were put together are never parted."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.waiting: deque[list[Attempt]] = deque()
        self.news = asyncio.Event()

    def put(self, attempts: Iterable[Attempt]) -> None:
        """Take attempts that belong together."""
        together = list(attempts)
        if together:
            self.waiting.append(together)
            self.news.set()

    def flush(self) -> None:
        """Hand over all that waits."""
        while self.waiting:
            self._hand_over()

    async def forward(self) -> None:
        """Hand over what comes until cancelled; between two portions others may work."""
        loop = asyncio.get_running_loop()
        while True:
            await self.news.wait()
            await asyncio.sleep(COALESCE_S)
            self.news.clear()
            while self.waiting:
                began = loop.time()
                self._hand_over()
                await asyncio.sleep(SHARE * (loop.time() - began))

    def _hand_over(self) -> None:
        batch: list[Attempt] = []
        while self.waiting and len(batch) < MOST_TOGETHER:
            batch += self.waiting.popleft()
        self.sink(batch)
