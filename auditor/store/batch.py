"""One run that is written in one transaction: an import, or a run that came in a bundle."""

from collections.abc import Iterable
from datetime import datetime

from auditor.model.block import Block
from auditor.model.observation import Attempt, Run
from auditor.store.tables import closing_row, run_row
from auditor.store.writer import Appender


class Batch:
    """Takes the attempts of one run; they become visible when the transaction ends.

    already: the run that brought the same file before; then nothing is written.
    """

    def __init__(self, appender: Appender | None, run: Run, already: str | None = None) -> None:
        self._appender = appender
        self.run = run
        self.already = already
        self.rows = 0
        self.number = appender.add("run", [run_row(run)]) if appender else 0
        if (run.ended, run.status, run.notes) != (None, "running", ()):
            self.finish(run.status, run.notes, run.ended)

    def append(self, attempts: Iterable[Attempt | Block]) -> int:
        """Append attempts; gives how many were written."""
        if self._appender is None:
            return 0
        count = self._appender.attempts(self.number, attempts)
        self.rows += count
        return count

    def finish(self, status: str, notes: tuple[str, ...], ended: datetime | None) -> None:
        """Record how the run ended."""
        if self._appender is not None:
            row = closing_row(self.number, status, ended, notes)
            self._appender.add("closing", [row])
