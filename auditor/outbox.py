"""Hands what was found to whoever keeps it, and tells the one reason why a run ended."""

import asyncio
from collections.abc import Iterable, Iterator

from auditor.model.observation import Attempt
from auditor.work import Sink

COALESCE_S = 0.02  # attempts that come within so long are committed together


class Stopped(Exception):  # noqa: N818 no error: somebody pressed Ctrl-C
    """The user asked to stop."""


class Outbox:
    """Hands attempts to the sink; those that come close together go together."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.waiting: list[Attempt] = []
        self.news = asyncio.Event()

    def put(self, attempts: Iterable[Attempt]) -> None:
        """Take attempts that are handed over soon."""
        self.waiting.extend(attempts)
        self.news.set()

    def flush(self) -> None:
        """Hand over what waits."""
        batch, self.waiting = self.waiting, []
        self.news.clear()
        if batch:
            self.sink(batch)

    async def forward(self) -> None:
        """Hand over whatever comes, until cancelled."""
        while True:
            await self.news.wait()
            await asyncio.sleep(COALESCE_S)
            self.flush()


async def until(stop: asyncio.Event) -> None:
    """Raise Stopped as soon as the user asks for it."""
    await stop.wait()
    raise Stopped


def reason(errors: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """Give the first reason of several that is more than the user's wish to stop; None: no other."""
    return next((error for error in _flat(errors) if not isinstance(error, Stopped)), None)


def _flat(errors: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Give the exceptions inside nested groups."""
    for inside in errors.exceptions:
        if isinstance(inside, BaseExceptionGroup):
            yield from _flat(inside)
        else:
            yield inside
