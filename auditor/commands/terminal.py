"""What a person sees on a terminal: safe text, plain tables, errors in three lines.

Whatever a device or a file says is hostile until it went through `safe`: control
characters move cursors, set titles and open links (ECMA-48, OSC 8), bidirectional controls
reverse what is read.
"""

import contextlib
import json
import os
import sys
import traceback
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from auditor.errors import AuditorError, LedgerError

WIDEST = 60  # characters of one cell of a table
BROKEN = ("full", "locked", "cannot be read or written", "cannot be written down")
SPACES = " \u00a0\u202f"  # the no-break ones stand before signs in French and act on nothing


def safe(text: object, limit: int = 400) -> str:
    """Escape controls, bidirectional marks and unprintables; cut at `limit` characters."""
    written = "".join(
        character
        if character in SPACES or unicodedata.category(character)[0] not in "CZ"
        else f"\\u{{{ord(character):x}}}"
        for character in str(text)[: limit + 1]
    )
    return written if len(str(text)) <= limit else written[:limit] + "…"


def complain(error: AuditorError) -> int:
    """Print what, why and what to do on stderr; give the exit code."""
    with contextlib.suppress(OSError):  # a terminal that has gone must not change the answer
        for line in error.lines():
            print(safe(line, 2000), file=sys.stderr)
    broken = isinstance(error, LedgerError) and any(w in error.what for w in BROKEN)
    return 3 if broken else 2


def defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say that this is our own mistake, and leave with 3: a crash is never "1, found"."""
    print(safe(f"error: the auditor itself failed: {kind.__name__}: {error}"), file=sys.stderr)
    print("  why: this is a defect, not something that you did", file=sys.stderr)
    print("  fix: report it with the lines below; nothing recorded is lost", file=sys.stderr)
    for line in "".join(traceback.format_exception(kind, error, trace)).splitlines():
        print(safe(line, 500), file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(3)


def emit(records: Iterable[Mapping[str, Any]]) -> None:
    """Print JSON Lines; ASCII only, so that no terminal reads anything into it."""
    for record in records:
        print(json.dumps(record, ensure_ascii=True, default=str))


def table(rows: Sequence[Sequence[object]], heads: Sequence[str]) -> None:
    """Print a plain table with aligned columns; cells are made safe and cut."""
    cells = [[safe(cell, WIDEST) for cell in row] for row in rows]
    shown = ([list(heads)] if heads else []) + cells
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


class Progress:
    """Shows phase, done, rate and the time left on stderr; silent unless it is a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._bar: Any = None
        self._phases: dict[str, Any] = {}

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Take note of how far a phase has come."""
        if not self._shown:
            return
        if self._bar is None:
            self._bar = _bar()
            self._bar.start()
        if phase not in self._phases:
            self._phases[phase] = self._bar.add_task(safe(phase, 30), total=total)
        self._bar.update(self._phases[phase], completed=done, total=total)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            with contextlib.suppress(OSError):
                self._bar.stop()


def _bar() -> Any:
    from rich import progress
    from rich.console import Console
    from rich.text import Text

    class _Speed(progress.ProgressColumn):
        def render(self, task: progress.Task) -> Text:
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        _Speed(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
