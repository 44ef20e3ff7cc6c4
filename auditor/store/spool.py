"""What a run has sent and the ledger does not hold yet, in a file that outlives a killed run.

The ledger takes the journal in batches, with the answers. Until then each line stands here,
written as the packet goes: the system keeps a file's pages when it kills a process. So after
kill -9 the journal lacks at most what was leaving in that very moment. A loss of power takes
the pages as well; `whole` then says so, and the gap is at most one batch.

The lock on the file (flock(2)) ends with the process, however that ends: who holds it is the
only one that collects this run.
"""

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path

from sqlalchemy.engine import make_url

from auditor.errors import LedgerError, UsageError
from auditor.model.journal import Sent
from auditor.store.tables import journal_row, journal_value

BOOT = Path("/proc/sys/kernel/random/boot_id")  # another one after each start of the machine
LARGE_BYTES = 1 << 20  # from here on the file is emptied even if nobody pauses


def spool_of(url: str, run: str, home: Path) -> Path:
    """Say where the file of a run lies: beside an embedded ledger, else in `home`."""
    name = f"sent-{hashlib.sha256(run.encode()).hexdigest()[:16]}"
    made = make_url(url)
    if made.get_backend_name() == "sqlite" and made.database:
        path = Path(made.database)
        return path.with_name(f"{path.name}-{name}")
    home.mkdir(parents=True, exist_ok=True)
    return home / name


class Spool:
    """The file of one run, locked while it is open. Lines are numbered as in the ledger, from 1.

    whole: no line was lost with the machine since the file was begun.
    """

    def __init__(self, path: Path, run: str) -> None:
        """Open or begin the file; UsageError where another process collects the run."""
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise UsageError(
                f"run {run} is still going on",
                why="another process collects it",
                hint="wait until it has ended, or stop it",
            ) from error
        except OSError as error:
            raise _full(path, error) from error
        boot = BOOT.read_text("ascii").strip() if BOOT.exists() else "?"
        head, *self._lines = self._read()
        self.whole = head == boot
        self._head = f"{boot}\n".encode()
        self.size = os.fstat(self._file).st_size
        if not self.size:
            self._write(self._head)

    def _read(self) -> list[str]:
        size = os.fstat(self._file).st_size
        return os.pread(self._file, size, 0).decode("utf-8", "replace").split("\n")

    def left(self, known: int) -> list[Sent]:
        """Give the lines of an earlier process behind the `known` first ones, which the ledger has.

        A line that was cut short ends the list.
        """
        found: list[Sent] = []
        for line in self._lines[:-1]:  # behind the last line feed stands nothing, or half a line
            number, _, rest = line.partition("\t")
            try:
                sent = journal_value((0, *rest.split("\t", 1)))
            except (ValueError, TypeError, IndexError):
                break
            if int(number) == known + len(found) + 1:
                found.append(sent)
        return found

    def note(self, number: int, sent: Sent) -> None:
        """Write one line; LedgerError where it cannot be kept, and then nothing may be sent."""
        _, moment, doc = journal_row(0, sent)
        self._write(f"{number}\t{moment}\t{doc}\n".encode())

    def _write(self, line: bytes) -> None:
        try:
            count = os.write(self._file, line)
        except OSError as error:
            raise _full(self.path, error) from error
        if count < len(line):
            raise _full(self.path, OSError("only a part of a line could be written"))
        self.size += count

    @property
    def large(self) -> bool:
        """Tell whether the file should be emptied at the next occasion."""
        return self.size > LARGE_BYTES

    def empty(self) -> None:
        """Forget all lines: the ledger holds them."""
        if self.size <= len(self._head):
            return
        kept = len(self._head) if self.whole else 0
        os.ftruncate(self._file, kept)
        self.size = kept
        if not kept:
            self._write(self._head)
            self.whole = True

    def close(self, *, done: bool) -> None:
        """Let go of the run. done: the ledger holds every line, and the file goes away."""
        with contextlib.suppress(OSError):
            if done:
                self.path.unlink(missing_ok=True)
            os.close(self._file)


def _full(path: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"what is sent cannot be written down beside the ledger ({path}): sending was stopped",
        why=error.strerror or str(error),
        hint="make room on the disk, and resume the scan",
    )
