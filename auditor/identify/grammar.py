"""What a model or serial number says by its shape: maker, class of device, build date.

Rows are data (data/entities/*.toml). A pattern must match the whole text, case apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from auditor.identify.fingerprints import PatternSet, as_bytes
from auditor.identify.schema import FirmwareRow, LifecycleRow, ModelRow, SerialRow

MODEL_CHARS = 80  # no model designation is longer
_MEMO = 20_000
_FIRST_BUILD = date(1998, 1, 1)  # no networked camera is older

Row = ModelRow | SerialRow | FirmwareRow | LifecycleRow


@dataclass(frozen=True, slots=True)
class Named:
    """One row that a text matches, and whose row it is."""

    entity: str
    number: int
    row: Row
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grammar:
    """All rows of one kind, asked at once."""

    rows: tuple[tuple[str, int, Row], ...]
    _memo: dict[str, tuple[Named, ...]] = field(default_factory=dict, repr=False)
    _sets: list[PatternSet] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, Row]]) -> "Grammar":
        """Count the rows of each entity: a rule is named by its number."""
        counts: dict[str, int] = {}
        numbered = []
        for entity, row in rows:
            counts[entity] = counts.get(entity, 0) + 1
            numbered.append((entity, counts[entity], row))
        return cls(tuple(numbered))

    def match(self, text: str) -> tuple[Named, ...]:
        """Give the rows whose pattern is the whole text."""
        if len(text) > MODEL_CHARS or not self.rows:
            return ()
        known = self._memo.get(text)
        if known is None:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            known = self._memo[text] = self._matched(as_bytes(text))
        return known

    def _matched(self, text: bytes) -> tuple[Named, ...]:
        if b"\n" in text:
            return ()
        if not self._sets:
            self._sets.append(PatternSet(f"(?i)^(?:{row.pattern})$" for _, _, row in self.rows))
        patterns = self._sets[0]
        found = []
        for at in patterns.match(text):
            entity, number, row = self.rows[at]
            found.append(Named(entity, number, row, patterns.groups(at, text)))
        return tuple(found)


def build_day(groups: Iterable[str], written: str) -> date | None:
    """Read a date out of the captures of a serial or firmware text; None where none is one."""
    for text in groups:
        try:
            day = datetime.strptime(text, written).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if day >= _FIRST_BUILD:
            return day
    return None
