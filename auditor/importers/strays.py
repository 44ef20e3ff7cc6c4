"""Lines of a sheet that are no rows of its table: titles, totals, headings of a further table.

A sheet made for reading has one table below the other, with a title above and a sum below each.
Taken for rows they would be devices that nobody has.
"""

import re
from collections.abc import Sequence

from auditor.importers.headings import Headings
from auditor.importers.plan import Plan

HEADINGS = "the headings again"
OTHERS = "headings that stand elsewhere than the first ones: what follows is not read"
BELOW = "stands under other headings than the first ones; put its table into a file of its own"
TOTAL = "a total"
TITLE = "says nothing but one word: a title, or a device of which nothing is known"

MANY = 3  # used columns: of fewer a row may well fill only one
_TOTAL = re.compile(
    r"\s*(?:(?:grand|sub|sous)[ -]?)?(?:totals?|totaux|sum|somme|subtotals?|nombre total|number of)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_TOTAL_LETTERS = frozenset("TtGgSsNn ")
_AMOUNT = re.compile(r"[\s\d.,'’%$€£+-]*|[A-Z]{2,3}\$?\s?[\d\s.,]+")
_DIGIT = re.compile(r"\d")
_NUMBERED = re.compile(r"\d\D*\d\D*\d")  # headings hold two at most: `IPv4 Address`, `MAC 2`
_TITLED = frozenset({"asset.tag", "asset.name"})


class Strays:
    """Tells such lines from rows, in their order: headings that differ end what can be read."""

    def __init__(self, plan: Plan, vocabulary: Headings) -> None:
        self._width = plan.width
        self._vocabulary = vocabulary
        self._fields = {column.at: column.field for column in plan.columns}
        self._first = [heading.strip() for heading in plan.headings]
        self._known: dict[str, bool] = {}
        self._elsewhere = False

    def why(self, row: Sequence[str]) -> str:
        """Give why a line is no row of the table; empty where it is one."""
        empty = row.count("")
        if empty == self._width:
            return ""
        first = row[0] or next(filter(None, row))
        if first[:1] in _TOTAL_LETTERS and _TOTAL.fullmatch(first) and _is_total(row, first):
            return TOTAL
        if not _NUMBERED.search("".join(row)) and self._is_head(row):
            self._elsewhere = self._differs(row)
            return OTHERS if self._elsewhere else HEADINGS
        if self._elsewhere:
            return BELOW
        if len(self._fields) >= MANY and empty >= self._width - 1 and self._is_title(row):
            return TITLE
        return ""

    def _is_head(self, row: Sequence[str]) -> bool:
        if [cell.strip() for cell in row] == self._first:
            return True
        filled = [cell for cell in row if cell and not cell.isspace()]
        known = sum(map(self._is_known, filled))
        return known >= MANY and known * 5 >= len(filled) * 4

    def _is_known(self, cell: str) -> bool:
        if cell not in self._known:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[cell] = self._vocabulary.known(cell)
        return self._known[cell]

    def _differs(self, row: Sequence[str]) -> bool:
        """Tell whether a heading stands over another column than the first ones put it."""
        said = {at: self._vocabulary.field_of(row[at]) for at in range(len(row))}
        return any(
            field
            and self._fields.get(at)
            and field != self._fields[at]
            and row[at].strip() != self._first[at]
            for at, field in said.items()
        )

    def _is_title(self, row: Sequence[str]) -> bool:
        at, said = next((at, cell.strip()) for at, cell in enumerate(row) if cell)
        return self._fields.get(at) in _TITLED and (" " in said or not _DIGIT.search(said))


def _is_total(row: Sequence[str], first: str) -> bool:
    rest = [cell for cell in row if cell and cell is not first]
    return all(_AMOUNT.fullmatch(cell.strip()) for cell in rest)
