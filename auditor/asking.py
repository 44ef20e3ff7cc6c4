"""Those who are asked what they are, many at once, while others may still be looked for."""

import asyncio
import contextlib
import resource
from collections import deque
from collections.abc import Iterable
from typing import Self

from auditor.interview import Desk, Host, Visit
from auditor.model.household import households

OTHER_FILES = 128  # of the ledger, the interpreter and the sweeps


class Asking:
    """An `async with` statement whose end waits until everybody who was fed was asked.

    waiting: devices that nobody has asked anything yet. aside: those that cost time, and are
    asked on when nobody waits. idle: nobody is being asked.
    """

    def __init__(self, run: Desk) -> None:
        self.run = run
        self.begun: set[str] = set()  # addresses
        self.over = 0  # of these
        self.waiting: deque[tuple[str, ...]] = deque()
        self.aside: deque[Visit] = deque()
        self.workers = self.most = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self.lent = contextlib.ExitStack()
        self.rechecks, self.group = asyncio.TaskGroup(), asyncio.TaskGroup()
        self.stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self.stack.enter_async_context(self.rechecks)
        self.stack.enter_context(self.lent)
        await self.stack.enter_async_context(self.group)
        return self

    async def __aexit__(self, *error: object) -> bool | None:
        return await self.stack.__aexit__(*error)  # type: ignore[arg-type]

    def feed(self, ips: Iterable[str]) -> None:
        """Let these addresses be asked as soon as there is room, each once."""
        known = [ip for ip in ips if ip not in self.begun]
        if not known:
            return
        self.begun.update(known)
        macs = self.run.hardware(known)
        self.waiting.extend(households(known, macs))
        most = self.lent.enter_context(self.run.network.lent(macs))
        self._tell()
        self.most = min(self.run.work.window, most, self._sockets())
        self._hire()

    def _hire(self) -> None:
        """Let two more ask, who hire two each: in between the loop does what others wait for.

        So everybody is soon at work, and the turns to connect decide who goes first (net/pace).
        """
        for _ in range(2):
            if self.waiting and self.workers < self.most:
                self.workers += 1
                self.idle.clear()
                self.group.create_task(self._work())

    async def _work(self) -> None:
        self._hire()
        try:
            while self.waiting or self.aside:
                fresh = bool(self.waiting)
                visit = Visit(self.run, self.waiting.popleft()) if fresh else self.aside.popleft()
                if not await visit.go_on(self._end):
                    self.aside.append(visit)
        finally:
            self.workers -= 1
            if not self.workers:
                self.idle.set()

    def _end(self, host: Host) -> None:
        self.over += 1
        self._tell()
        if host.unwell:
            self.rechecks.create_task(host.look_again())

    def _tell(self) -> None:
        self.run.work.progress("probes", self.over, len(self.begun))

    def _sockets(self) -> int:
        """Tell how many hosts may be asked at once with the files that we may open."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        pace = self.run.work.scope.pace
        handles = 2 if pace.delicate else 1  # of each connection (see net/door)
        return max(1, (soft - OTHER_FILES) // max(1, handles * pace.host_open))
