"""Rows brought to the width of the headings; what is no row of the table is refused and said."""

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.importers.headings import Headings
from auditor.importers.plan import Plan
from auditor.importers.rows import Rows
from auditor.importers.strays import Strays
from auditor.plugins import Rejected


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that have one cell for each heading. columns: their cells by column."""

    numbers: Sequence[int]
    cells: Sequence[Sequence[str]]
    columns: Sequence[Sequence[str]]


class Shape:
    """Brings the rows of one table into shape, chunk after chunk."""

    def __init__(self, plan: Plan, vocabulary: Headings) -> None:
        self._plan = plan
        self._strays = Strays(plan, vocabulary)

    def squared(self, rows: Rows, refused: list[Rejected]) -> Chunk:
        """Bring the rows to the width of the headings; refuse those that do not fit."""
        numbers: Sequence[int] = rows.numbers
        cells: Sequence[list[str]] = rows.cells
        if set(map(len, cells)) - {self._plan.width}:
            kept = []
            for number, row in zip(numbers, cells, strict=True):
                fitted = self._fitted(row, number, refused)
                if fitted is not None:
                    kept.append((number, fitted))
            numbers, cells = [n for n, _ in kept], [row for _, row in kept]
        if self._plan.filled:
            numbers, cells = self._visited(numbers, cells, refused)
        kept = []
        for number, row in zip(numbers, cells, strict=True):
            if why := self._strays.why(row):
                refused.append(Rejected(number, why))
            else:
                kept.append((number, row))
        if len(kept) < len(cells):
            numbers, cells = [n for n, _ in kept], [row for _, row in kept]
        return Chunk(numbers, cells, list(zip(*cells, strict=True)))

    def _visited(
        self, numbers: Sequence[int], cells: Sequence[list[str]], refused: list[Rejected]
    ) -> tuple[list[int], list[list[str]]]:
        """Leave out the rows of a form that nobody has filled in."""
        kept = []
        for number, row in zip(numbers, cells, strict=True):
            if any(row[at].strip() for at in self._plan.filled):
                kept.append((number, row))
            else:
                refused.append(Rejected(number, "not filled in"))
        return [number for number, _ in kept], [row for _, row in kept]

    def _fitted(self, row: list[str], number: int, refused: list[Rejected]) -> list[str] | None:
        width, filled = self._plan.width, len(row)
        if not any(cell.strip() for cell in row):
            return None  # an empty line is no row
        while filled > width and not row[filled - 1].strip():
            filled -= 1
        lone = len(row) == 1 and width > 2
        if filled > width or (filled < width and (self._plan.secret or lone)):
            refused.append(Rejected(number, f"{filled} cells, but {width} headings"))
            return None
        return row[:width] + [""] * (width - len(row))
