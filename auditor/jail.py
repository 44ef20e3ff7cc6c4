"""Runs a piece of our own program on a hostile file in a child process with limits.

A workbook of 1.4 kB can make its parser ask for half a terabyte and take the process down
with it; in here only the child dies, and the file is refused with a reason.
"""

import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from auditor.errors import DataError

WORDS_BYTES = 4_096  # kept of what a child says on its error stream


@dataclass(frozen=True, slots=True)
class Limits:
    """What the child may use. address_space_bytes covers everything that it maps."""

    address_space_bytes: int = 1 << 30
    cpu_s: int = 60
    open_files: int = 64
    line_bytes: int = 8 << 20  # of one line of its output


def isolated(
    module: str, arguments: Sequence[str], path: Path, limits: Limits | None = None
) -> Iterator[bytes]:
    """Run `python -m module arguments…` with `path` on its standard input.

    Gives its output line by line. Raises DataError when the child dies or says no; the lines
    given until then are to be thrown away by the caller.
    """
    limits = limits or Limits()

    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limits.address_space_bytes,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits.open_files,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    with (
        path.open("rb") as file,
        subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=confine,  # noqa: PLW1509  (no threads run when files are imported)
        ) as child,
    ):
        assert child.stdout is not None
        assert child.stderr is not None
        words = _Words(child.stderr)
        try:
            while line := child.stdout.readline(limits.line_bytes):
                yield line
        except BaseException:  # who reads has left before the end: the child must not go on
            child.kill()
            raise
        finally:
            code = child.wait()
            said = words.last()
    if code:
        raise DataError(
            f"{path.name} was refused",
            why=_reason(code, said),
            hint="save it as CSV and import that",
        )


class _Words:
    """The last of what a child says on its error stream, taken as it comes: a full pipe would
    stop the child, and with it who waits for its rows.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._tail = b""
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[bytes]) -> None:
        while piece := stream.read1(WORDS_BYTES):  # type: ignore[attr-defined]
            self._tail = (self._tail + piece)[-WORDS_BYTES:]

    def last(self) -> str:
        """Give it once the child has ended."""
        self._reader.join()
        return self._tail.decode("utf-8", "replace").strip()


def _reason(code: int, said: str) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        return f"reading it took more memory or time than a list of assets can need ({name})"
    return said.splitlines()[-1] if said else f"its reader ended with code {code}"
