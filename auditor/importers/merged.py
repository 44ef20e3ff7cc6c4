"""Merged cells of a sheet: what stands once over several rows holds for each of them.

Only the upper left cell of a merged range has a value in the file (ECMA-376 part 1, 18.3.1.55).
Downwards it is repeated in its first column; to the right it is not, as a range within one row
is a title above a table, or one text over two columns.
"""

from collections.abc import Iterable

MOST_RANGES = 100_000
MOST_OPEN = 1_000  # ranges that one row lies in; honest ones do not overlap

Range = tuple[tuple[int, int], tuple[int, int]]  # (row, column) of the first and the last cell


class Merged:
    """Fills the rows of one sheet, which come in their order. left: column that rows begin at."""

    def __init__(self, ranges: Iterable[Range], left: int = 0) -> None:
        down = [(top, column - left, end) for (top, column), (end, _) in ranges if end > top]
        self._waiting = sorted(down, reverse=True)[-MOST_RANGES:]
        self._open: list[tuple[int, int, str]] = []

    def row(self, number: int, cells: list[str]) -> list[str]:
        """Fill one row; number: from 0, of the sheet."""
        if not (self._open or self._waiting):
            return cells
        self._open = [one for one in self._open if one[0] >= number]
        for _, column, said in self._open:
            if 0 <= column < len(cells) and not cells[column]:
                cells[column] = said
        while self._waiting and self._waiting[-1][0] <= number:
            top, column, end = self._waiting.pop()
            here = top == number and 0 <= column < len(cells) and bool(cells[column])
            if here and len(self._open) < MOST_OPEN:
                self._open.append((end, column, cells[column]))
        return cells
