"""Lines as rows of cells (RFC 4180 and what programs make of it), bounded in every direction.

A row whose quoted cell is never closed would swallow the rest of the file, or the rows up to
the next quote; here only the line that opens the quote is lost, and is said so.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from auditor.importers.lines import Lines
from auditor.plugins import Rejected

DELIMITERS = (",", ";", "\t", "|")
RECORD_LINES = 200  # of one row: notes of many paragraphs fit
RECORD_CHARS = 100_000
EVEN_ROWS = 2_000
_TOO_LONG = "the line is longer than a row can be"
_OPEN = "a quote is opened and never closed"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of cells and the numbers of the lines that they begin at. refused: what is no row.

    nul: numbers of lines that NULs were taken out of. doubted: numbers of rows that go over
    several lines which look like rows themselves.
    """

    numbers: Sequence[int]
    cells: list[list[str]]
    refused: tuple[Rejected, ...] = ()
    nul: tuple[int, ...] = ()
    doubted: tuple[int, ...] = ()


def ends_inside(line: str, delimiter: str, *, inside: bool = False) -> bool:
    """Tell whether a line ends inside a quoted cell; `inside`: whether it begins in one."""
    at, end = 0, len(line)
    while inside or at < end:
        if inside or line[at] == '"':
            closed = _closing(line, at if inside else at + 1)
            if closed < 0:
                return True
            at, inside = closed + 1, False
        at = line.find(delimiter, at) + 1  # after the quote anything up to there is text
        if not at:
            return False
    return False


def _closing(line: str, at: int) -> int:
    """Give where the quote that closes a cell stands, -1 where none does; two are one quote."""
    while True:
        at = line.find('"', at)
        if at < 0 or line[at + 1 : at + 2] != '"':
            return at
        at += 2


def rows(chunks: Iterable[Lines], delimiter: str, width: int = 0) -> Iterator[Rows]:
    """Give the rows of all lines. width: cells of the headings, to tell broken quotes by."""
    held: list[str] = []  # lines of a row that the chunk did not end
    first = 1
    for chunk in chunks:
        texts = chunk.texts
        if not held:
            first = chunk.first
            if not chunk.long and (found := _plain(texts, delimiter)) is not None:
                numbers = range(first, first + len(texts))
                yield Rows(numbers, found, (), chunk.nul)
                continue
        table = _Table([*held, *texts], first, delimiter, width, frozenset(chunk.long))
        yield table.rows(last=False, nul=chunk.nul)
        held, first = table.held, table.held_from
    if held:
        yield _Table(held, first, delimiter, width, frozenset()).rows(last=True)


def evenly(chunks: Iterable[Rows], size: int = EVEN_ROWS) -> Iterator[Rows]:
    """Cut rows anew into chunks of one size, which is what the ledger takes quickest."""
    numbers: list[int] = []
    cells: list[list[str]] = []
    for chunk in chunks:
        numbers += chunk.numbers
        cells += chunk.cells
        if chunk.refused or chunk.nul or chunk.doubted:
            yield Rows([], [], chunk.refused, chunk.nul, chunk.doubted)
        while len(cells) >= size:
            yield Rows(numbers[:size], cells[:size])
            del numbers[:size], cells[:size]
    if cells:
        yield Rows(numbers, cells)


def _plain(texts: list[str], delimiter: str) -> list[list[str]] | None:
    """Read lines that are one row each, quickly; None where some are not."""
    try:
        found = list(csv.reader(texts, delimiter=delimiter))
    except csv.Error:
        return None
    if len(found) != len(texts) or not texts:
        return None
    last = texts[-1]
    return None if '"' in last and ends_inside(last, delimiter) else found


class _Table:
    """Lines of which some belong together; `held`: those of a row that goes on behind them."""

    def __init__(
        self, texts: list[str], first: int, delimiter: str, width: int, long: frozenset[int]
    ) -> None:
        self._texts = texts
        self._first = first
        self._delimiter = delimiter
        self._width = width
        self._long = long
        self.held: list[str] = []
        self.held_from = first + len(texts)

    def rows(self, *, last: bool, nul: tuple[int, ...] = ()) -> Rows:
        numbers: list[int] = []
        cells: list[list[str]] = []
        refused: list[Rejected] = []
        doubted: list[int] = []
        at = 0
        while at < len(self._texts):
            number = self._first + at
            end = self._end(at)
            if end is None and not last and len(self._texts) - at < RECORD_LINES:
                self.held, self.held_from = self._texts[at:], number
                break
            found = self._read(at, end) if end else None
            if found is None:
                long = number in self._long
                refused.append(Rejected(number, _TOO_LONG if long else _OPEN))
                end = at + 1
            else:
                numbers.append(number)
                cells.append(found)
                doubted += [number] if end and self._doubted(at, end) else []
            at = end or at + 1
        return Rows(numbers, cells, tuple(refused), nul, tuple(doubted))

    def _end(self, at: int) -> int | None:
        """Give where the row that begins at `at` ends; None when it does not end here."""
        text = self._texts[at]
        if '"' not in text or not ends_inside(text, self._delimiter):
            return at + 1
        chars = len(text)
        for end in range(at + 1, min(len(self._texts), at + RECORD_LINES)):
            more = self._texts[end]
            chars += len(more)
            if chars > RECORD_CHARS or self._is_of_its_own(more):
                return at  # no row is so long, and none holds another: the line is refused
            if '"' in more and not ends_inside(more, self._delimiter, inside=True):
                return end + 1
        return None

    def _is_of_its_own(self, line: str) -> bool:
        """Tell whether a line that would go on within a quoted cell is rather a row itself.

        Behind the quote that closes a cell stands nothing but the next delimiter; `19"` at the
        end of what looks like a row is a measure.
        """
        closed = _closing(line, 0)
        if closed < 0:
            return False
        if line[closed + 1 :].split(self._delimiter, 1)[0].strip():
            return True
        return line[closed - 1 : closed].isdigit() and self._looks_whole(line[:closed])

    def _looks_whole(self, text: str) -> bool:
        """Tell whether a line within a quoted cell looks like a row: `a,b,c`, not `a, b, c`."""
        signs = text.count(self._delimiter)
        return 1 < self._width - 1 <= signs and f"{self._delimiter} " not in text

    def _doubted(self, at: int, end: int) -> bool:
        """Tell whether a row of several lines may have swallowed others."""
        return any(
            self._looks_whole(line if (closed := _closing(line, 0)) < 0 else line[:closed])
            for line in self._texts[at + 1 : end]
        )

    def _read(self, at: int, end: int) -> list[str] | None:
        if self._first + at in self._long or end == at:
            return None
        try:
            found = next(csv.reader(self._texts[at:end], delimiter=self._delimiter), [])
        except csv.Error:
            return None
        # a row of several lines that does not fit the headings has swallowed other rows
        fits = len(found) == self._width or not any(found[self._width :] or ["?"])
        return found if fits or end == at + 1 or not self._width else None


def split(texts: Iterable[str], delimiter: str) -> list[tuple[int, list[str]]]:
    """Read the first lines of a file as rows with their numbers."""
    lines = Lines(1, list(texts))
    return [
        (number, cells)
        for some in rows([lines], delimiter)
        for number, cells in zip(some.numbers, some.cells, strict=True)
    ]


def consistency(found: Sequence[tuple[int, list[str]]]) -> tuple[int, float]:
    """Give how wide most rows are, and the share of rows that are so wide."""
    widths = Counter(len(cells) for _, cells in found if len(cells) > 1)
    if not widths:
        return 1, 0.0
    width, count = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
    filled = sum(1 for _, cells in found if any(cells))
    return width, count / max(1, filled)
