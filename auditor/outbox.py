"""The way of answers into the ledger: soon, and not one by one."""

import asyncio
import contextlib
from collections.abc import Iterable

from auditor.model.observation import Attempt
from auditor.work import Sink

COALESCE_S = 0.02  # hosts that end within so long are committed together
KEEP_S = 0.5  # what was answered or sent waits no longer for that, whoever has not ended


class Outbox:
    """Hands attempts to the sink; those that come close together go together."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.waiting: list[Attempt] = []
        self.news = asyncio.Event()

    def add(self, attempt: Attempt) -> None:
        """Take an attempt that may wait for others of its host, for KEEP_S at most."""
        self.waiting.append(attempt)

    def put(self, attempts: Iterable[Attempt]) -> None:
        """Take attempts that end something: they go as soon as may be, with all that wait."""
        self.waiting.extend(attempts)
        self.news.set()

    def flush(self) -> None:
        """Hand over what waits."""
        batch, self.waiting = self.waiting, []
        self.news.clear()
        self.sink(batch)  # also without news: what was sent is kept with it

    async def forward(self) -> None:
        """Hand over for as long as the run goes on."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEP_S):  # wait_for may swallow the end of us
                    await self.news.wait()
            await asyncio.sleep(COALESCE_S)
            self.flush()
