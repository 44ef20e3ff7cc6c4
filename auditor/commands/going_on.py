"""What a run keeps while it goes on, and how an interrupted one is taken up again.

Answers and the account of what was sent go into the ledger in one commit; until then the
account stands in a file beside it (`auditor.store.spool`), so that a killed run has one too.
Whoever is asked knows no runs: what an earlier one sent a moment ago counts for a new one as well.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from auditor import wiring
from auditor.commands.moments import Moments
from auditor.commands.setting import Setting
from auditor.errors import LedgerError, UsageError
from auditor.model.address import AddressSet
from auditor.model.journal import GAP, SPAN, Sent, calls, conversations
from auditor.model.observation import Attempt, Run
from auditor.model.scope import excluded_later, exclusion_note
from auditor.model.settled import Done, settled
from auditor.outbox import KEEP_S
from auditor.store.ledger import Ledger
from auditor.store.spool import Spool, spool_of

RUNNING = "running"  # the status of a run that nobody has closed


class Record:
    """One run's part of the ledger while this process collects it; nobody else can meanwhile.

    clock: the moments of this run. done: what earlier parts know. spent: conversations that
    they began with each host. called: how often they, or other runs of this ledger, asked everybody
    on a segment just now. last: when something was sent last. excluded: what was excluded since
    the run began.
    """

    def __init__(self, setting: Setting, ledger: Ledger, run: Run) -> None:
        """Take the run; UsageError where another process collects it."""
        self.setting, self.ledger, self.run = setting, ledger, run
        self.totals: Counter[str] = Counter()
        self.done: Done = settled(())
        self.spent: Counter[str] = Counter()
        self.called = 0
        self.last: datetime | None = None
        self.excluded = AddressSet()
        self.clock = Moments(setting.now, after=run.started)
        self._clean = True  # nothing stands in the file that the ledger lacks
        self._spool = Spool(spool_of(setting.db, run.id, wiring.user_data() / "sent"), run.id)
        self._waiting: list[Sent] = []
        self._number = 0  # of the newest line of the journal
        self._lock = threading.Lock()  # volleys send from a thread of their own
        self._told = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spool.close(done=self._clean)

    def begin(self, vantage: str) -> None:
        """Write down that the run begins."""
        self.ledger.start(replace(self.run, vantage=vantage))
        self._clean = False

    def look_back(self) -> None:
        """Count what earlier runs of this ledger sent just now, however they ended."""
        now = self.setting.now()
        runs = (run for run in self.ledger.runs() if run.kind == "scan" and run.id != self.run.id)
        sent = [one for run in runs for one in self._lately(run, now - SPAN)]
        self.called = calls(sent, now)
        self.last = max((one.moment for one in sent), default=None)

    def _lately(self, run: Run, since: datetime) -> list[Sent]:
        """Give what a run has sent since, by the ledger and by the file that it left."""
        path = spool_of(self.setting.db, run.id, wiring.user_data() / "sent")
        left = path.exists() and path.stat().st_mtime > since.timestamp()
        if not left and (run.ended is None or run.ended <= since):
            return []
        sent = list(self.ledger.journaled(run.id))
        with contextlib.suppress(UsageError):  # another process collects it
            if left:
                spool = Spool(path, run.id)
                sent += spool.left(len(sent))
                spool.close(done=False)
        return [one for one in sent if one.moment > since]

    def rest_s(self, whole_s: float) -> float:
        """Tell for how long nothing may be sent, so that no cap remembers what was sent before.

        whole_s: after what silence that is so.
        """
        if self.last is None:
            return 0.0
        over = self.last + timedelta(seconds=whole_s) - self.setting.now()
        return min(whole_s, max(0.0, over.total_seconds()))

    def take_up(self, excluded: AddressSet) -> None:
        """Learn from the ledger and the file beside it what earlier parts of the run did.

        excluded: what nobody may be asked of any more. That is written down, and that the run
        goes on: should this part be cut off as well, it counts as one that nobody has closed.
        """
        self._clean = False
        attempts = [stored.attempt for stored in self.ledger.attempts(run=self.run.id)]
        sent = list(self.ledger.journaled(self.run.id))
        left = self._spool.left(len(sent))
        last = max((a.started for a in attempts), default=self.run.started)
        last = max([self.run.started, last, *(one.moment for one in (*sent, *left))])
        if self.run.status == RUNNING and not self._spool.whole:
            left.append(self._gap(last))
        if left:
            self.ledger.journal(self.run.id, left)
        self._spool.empty()
        self._number = len(sent) + len(left)
        self.called, self.last = calls(sent + left, last), self.setting.now()
        self.done, self.spent = settled(attempts), conversations((*sent, *left))
        self.clock = Moments(self.setting.now, after=last)
        self._tell_jumps()
        self.excluded = excluded_later(self.run.notes).join(excluded)
        self.ledger.finish(self.run.id, RUNNING, self._standing())

    def _standing(self) -> tuple[str, ...]:
        """Give the notes that hold for the rest of the run; of its endings the last one counts."""
        return (exclusion_note(self.excluded),) if self.excluded else ()

    def _gap(self, last: datetime) -> Sent:
        said = f"the run broke off with its machine: up to {KEEP_S:g} s of what it sent is missing"
        self.setting.say(f"{said} in the journal, after {last.isoformat()}")
        return Sent(last, GAP, "", 0, 0, 0, "", said)

    # ---------------------------------------------------------------- while it goes on

    def note(self, sent: Sent) -> None:
        """Write down what has just left; LedgerError where that cannot be, and sending ends."""
        with self._lock:
            self._number += 1
            self._spool.note(self._number, sent)
            self._waiting.append(sent)

    def keep(self, attempts: Sequence[Attempt]) -> int:
        """Commit attempts and what was sent until now, all or none; gives how many rows."""
        self._tell_jumps()
        if self._spool.large:
            with self._lock:  # who sends waits until the file is empty
                count = self._commit(attempts, self._waiting)
                self._waiting = []
                self._emptied()
            return count
        with self._lock:
            sent, self._waiting = self._waiting, []
        try:
            count = self._commit(attempts, sent)
        except BaseException:
            with (
                self._lock
            ):  # nothing of it was kept: it stands in the file, and goes with the next
                self._waiting = [*sent, *self._waiting]
            raise
        with self._lock:
            if not self._waiting:
                self._emptied()
        return count

    def _emptied(self) -> None:
        """Empty the file: the ledger holds all of it. What stays there is known by its number."""
        with contextlib.suppress(LedgerError):
            self._spool.empty()

    def _commit(self, attempts: Sequence[Attempt], sent: Iterable[Sent]) -> int:
        sent = tuple(sent)
        if attempts or sent:
            self.ledger.append(self.run.id, attempts, sent)
        for one in sent:
            self.totals[one.kind] += one.count
        return len(attempts) + len(sent)

    def _tell_jumps(self) -> None:
        for said in self.clock.jumps[self._told :]:
            self.setting.say(said)
        self._told = len(self.clock.jumps)

    def finish(self, status: str, reason: str) -> LedgerError | None:
        """Keep what is left and say how the run ended; gives why the ledger does not take it.

        Then the file beside the ledger stays for whoever resumes the run.
        """
        try:
            self.keep(())
            notes = (*((reason,) if reason else ()), *self.clock.jumps, *self._standing())
            self.ledger.finish(self.run.id, status, notes, self.clock.now())
        except LedgerError as error:
            return error
        self._clean = True
        return None


def newest_unfinished(ledger: Ledger, site: str, fits: Callable[[Run], bool]) -> Run | None:
    """Give the newest run of a site (of any, where none is named) that has not ended as it should."""
    found = [run for run in ledger.runs(site or None) if fits(run) and run.status != "complete"]
    return found[-1] if found else None
