"""The file of what was not taken: line, what became of the row, why; safe for a spreadsheet."""

import csv
import os
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from auditor.commands.terminal import safe
from auditor.errors import LedgerError
from auditor.formats.visible import cell
from auditor.plugins import Noted, Rejected

HEADINGS = ("line", "taken", "reason", "row")
CELL_CHARS = 1_000


class Refusals:
    """Writes `NAME.rejected.csv` into the working folder, once there is anything to write.

    It is put in place when the import is in; until then it is a part with another name.
    """

    def __init__(self, name: str, folder: Path, *, write: bool) -> None:
        self.path = folder / f"{name}.rejected.csv"
        self._part = folder / f".{name}.rejected.{os.getpid()}.part"
        self._write = write
        self._file: TextIOWrapper | None = None
        self.refused = 0
        self.noted = 0
        self.first: list[Rejected | Noted] = []

    def add(self, item: Rejected | Noted) -> None:
        """Keep one refusal, or one note on a row that was taken."""
        if isinstance(item, Rejected):
            self.refused += 1
        else:
            self.noted += 1
        if len(self.first) < 10:
            self.first.append(item)
        if self._write:
            taken = "no" if isinstance(item, Rejected) else "in part"
            text = item.text if isinstance(item, Rejected) else ""
            row = (str(item.line), taken, item.reason, text)
            self._row(row)

    def _row(self, row: tuple[str, ...]) -> None:
        try:
            if self._file is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                self._part.unlink(missing_ok=True)
                number = os.open(self._part, flags, 0o600)
                self._file = TextIOWrapper(os.fdopen(number, "wb"), "utf-8-sig", newline="")
                csv.writer(self._file).writerow(HEADINGS)
            csv.writer(self._file).writerow([cell(safe(text, CELL_CHARS)) for text in row])
        except OSError as error:
            raise _no_room(self.path, error) from error

    def keep(self) -> Path | None:
        """Put the file in place; None where everything was taken whole."""
        if self._file is None:
            return None
        try:
            self._file.close()
            self._part.replace(self.path)
        except OSError as error:
            raise _no_room(self.path, error) from error
        return self.path

    def forget(self) -> None:
        """Throw away what was written and not put in place."""
        if self._file is not None:
            with suppress(OSError):  # a full disk says so again on closing; the part goes anyway
                self._file.close()
            self._part.unlink(missing_ok=True)


def _no_room(path: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"cannot write {path}: {error.strerror}",
        why="rows that are not taken have to be told; nothing of the file was imported",
        hint="free some space or go to a folder that you may write in",
    )
