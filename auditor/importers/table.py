"""A table of any origin as records for the ledger: one reader behind CSV and workbooks alike.

A row is taken when it says anything of a device. What is damaged in it is left out and said;
a row from which nothing is left, or whose cells do not stand under their headings, is refused.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from auditor.importers.cells import Problem, Reader, moments
from auditor.importers.headings import Headings
from auditor.importers.plan import Column, Plan
from auditor.importers.rows import Rows
from auditor.importers.values import make_model, plain_text
from auditor.model.block import Block, Record
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.plugins import Item, Noted, Options, Rejected

KEYS = frozenset({
    "asset.tag", "asset.serial", "device.serial", "device.id", "device.hostname", "dhcp.hostname",
})  # fmt: skip
SHOWN_CHARS = 40  # of a cell that a reason repeats
TEXT_CHARS = 1_000  # of a refused row
_NO_KEY = "nothing in the row tells the device from others, so it will match no other record"
_NOTHING = "nothing is left of the row"
BLOCK_ROWS = 1_000  # as many as the ledger writes at a time
_FUTURE = timedelta(days=1)
_MADE_OF = ("asset.manufacturer", "asset.model")


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Rows that have one cell for each heading. columns: their cells by column."""

    numbers: Sequence[int]
    cells: Sequence[Sequence[str]]
    columns: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the columns of a chunk say. more: further observations of a row, by its place."""

    fields: dict[str, list[str | None]] = field(default_factory=dict)
    more: dict[int, list[Observation]] = field(default_factory=dict)
    problems: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    started: dict[int, datetime] = field(default_factory=dict)

    def put(self, name: str, texts: list[str | None]) -> None:
        """Add a column; where two are of one field, the first that says anything counts."""
        before = self.fields.get(name)
        if before is not None:
            texts = [old or new for old, new in zip(before, texts, strict=True)]
        self.fields[name] = texts

    def put_address(self, name: str, texts: list[str | None]) -> None:
        """Add a column of addresses; a device may well have two."""
        before = self.fields.get(name)
        for at, text in enumerate(texts if before else ()):
            if text and before and before[at] and before[at] != text:
                self.also(at, name, text)
        self.put(name, texts)

    def also(self, at: int, name: str, text: str) -> None:
        """Add one more address to a row."""
        seen = Observation("device.ip" if name == "ip" else name, text)
        if seen not in self.more.setdefault(at, []):
            self.more[at].append(seen)


def items(
    plan: Plan, chunks: Iterable[Rows], options: Options, vocabulary: Headings
) -> Iterator[Item]:
    """Read the rows behind the headings: the mapping, then records, notes and refusals."""
    yield from plan.mapped
    table = _Table(plan, options, vocabulary)
    for chunk in chunks:
        yield from chunk.refused
        yield from (Noted(line, "NUL characters were taken out") for line in chunk.nul)
        yield from table.read(chunk)


class _Table:
    def __init__(self, plan: Plan, options: Options, vocabulary: Headings) -> None:
        self._plan = plan
        self._options = options
        self._fields = _fields(plan.columns)
        self._readers = {
            column.at: Reader(column.kind, options.dates, _codes(column, vocabulary))
            for column in plan.columns
        }

    def read(self, rows: Rows) -> Iterator[Item]:
        refused: list[Rejected] = []
        chunk = self._squared(rows, refused)
        yield from refused
        if chunk.cells:
            yield from self._records(chunk)

    # ------------------------------------------------------------ shape

    def _squared(self, rows: Rows, refused: list[Rejected]) -> _Chunk:
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
        columns = list(zip(*cells, strict=True))
        head = list(self._plan.headings)
        if columns and head[0] in columns[0] and head in cells:
            again = [number for number, row in zip(numbers, cells, strict=True) if row == head]
            refused += [Rejected(number, "the headings again") for number in again]
            numbers = [n for n, row in zip(numbers, cells, strict=True) if row != head]
            cells = [row for row in cells if row != head]
            columns = list(zip(*cells, strict=True))
        return _Chunk(numbers, cells, columns)

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

    # ------------------------------------------------------------ content

    def _records(self, chunk: _Chunk) -> Iterator[Item]:
        found = _Found()
        for column in self._plan.columns:
            self._take(column, chunk.columns[column.at], found)
        blank: list[str | None] = [None] * len(chunk.cells)
        fields = tuple(name for name in self._fields if name in found.fields)
        parts = [found.fields[name] for name in fields]
        ips, macs = found.fields.get("ip", blank), found.fields.get("mac", blank)
        name = self._options.name
        values: Iterable[tuple[str | None, ...]] = (
            zip(*parts, strict=True) if parts else [()] * len(blank)
        )
        records: list[Record] = [
            (ip, mac, f"{name}:{number}", row)
            for ip, mac, number, row in zip(ips, macs, chunk.numbers, values, strict=True)
        ]
        dead = set()
        if all(None in texts for texts in found.fields.values()):
            dead = {
                at
                for at, (ip, mac, _, row) in enumerate(records)
                if not (ip or mac or any(row) or at in found.more)
            }
        for at in sorted(dead):
            if any(cell.strip() for cell in chunk.cells[at]):
                why = "; ".join(found.problems.pop(at, [])) or _NOTHING
                yield Rejected(chunk.numbers[at], why, self._text(chunk.cells[at]))
        yield from self._notes(chunk, found, dead)
        yield from self._emitted(fields, records, found, dead)

    def _take(self, column: Column, cells: Sequence[str], found: _Found) -> None:
        if column.kind == "moment":
            self._started(column, cells, found)
            return
        if column.kind == "make_model":
            made = [make_model(cell) for cell in cells]
            for name, texts in zip(_MADE_OF, zip(*made, strict=True), strict=True):
                found.put(name, list(texts))
            return
        read = self._readers[column.at].read(cells)
        if column.field in {"ip", "mac"}:
            found.put_address(column.field, read.texts)
        else:
            found.put(column.field, read.texts)
        for at, more in (read.more or {}).items():
            for text in more:
                found.also(at, column.field, text)
        if read.hosts:
            found.put("device.hostname", [read.hosts.get(at) for at in range(len(cells))])
        self._complain(column, read.problems, found)

    def _started(self, column: Column, cells: Sequence[str], found: _Found) -> None:
        read, problems = moments(cells, self._options.dates, self._options.zone)
        latest = self._options.moment + _FUTURE
        for at, moment in enumerate(read):
            if moment and moment <= latest:
                found.started.setdefault(at, moment)
            elif moment:
                problems.append((at, cells[at], "lies in the future"))
        self._complain(column, problems, found)

    def _complain(self, column: Column, problems: Sequence[Problem], found: _Found) -> None:
        """Note what is wrong with cells; tables with secrets have none of them repeated."""
        for at, cell, reason in problems:
            shown = "" if self._plan.secret else f" {plain_text(cell[:SHOWN_CHARS]).text!r}"
            found.problems[at].append(f"{column.heading}:{shown} {reason}")

    def _notes(self, chunk: _Chunk, found: _Found, dead: set[int]) -> Iterator[Noted]:
        for at in sorted(found.problems):
            yield Noted(chunk.numbers[at], "; ".join(found.problems[at]))
        keys = [texts for name, texts in found.fields.items() if name in KEYS | {"ip", "mac"}]
        if any(all(texts) for texts in keys):
            return
        for at, number in enumerate(chunk.numbers):
            if at not in dead and not any(texts[at] for texts in keys):
                yield Noted(number, _NO_KEY)

    def _emitted(
        self, fields: tuple[str, ...], records: list[Record], found: _Found, dead: set[int]
    ) -> Iterator[Item]:
        moment = self._options.moment
        if not (dead or found.more or found.started):
            for at in range(0, len(records), BLOCK_ROWS):
                yield self._block(fields, records[at : at + BLOCK_ROWS], moment)
            return
        groups: dict[datetime, list[Record]] = {}
        for at, record in enumerate(records):
            started = found.started.get(at, moment)
            if at in found.more:
                yield self._attempt(fields, record, found.more[at], started)
            elif at not in dead:
                groups.setdefault(started, []).append(record)
        for started, some in groups.items():
            yield self._block(fields, some, started)

    def _block(self, fields: tuple[str, ...], records: list[Record], started: datetime) -> Block:
        return Block(self._plan.tool, fields, records, started, origin=self._plan.origin)

    def _attempt(
        self,
        fields: tuple[str, ...],
        record: Record,
        more: list[Observation],
        started: datetime,
    ) -> Attempt:
        ip, mac, detail, row = record
        seen = [
            Observation(name, text)
            for name, text in zip(fields, row, strict=True)
            if text is not None
        ]
        return Attempt(
            self._plan.tool,
            Endpoint(ip, mac, 0, "file"),
            Outcome.ANSWERED,
            (*seen, *more),
            started,
            detail=detail,
            origin=self._plan.origin,
        )

    def _text(self, cells: Sequence[str]) -> str:
        """Repeat what may be repeated of a refused row: the columns that are used."""
        if self._plan.secret:
            return ""
        shown = [
            f"{column.heading}={text}"
            for column in self._plan.columns
            if (text := plain_text(cells[column.at]).text)
        ]
        return "; ".join(shown)[:TEXT_CHARS]


def _fields(columns: Iterable[Column]) -> tuple[str, ...]:
    """Name the fields of the observations that these columns give, each once."""
    names: dict[str, None] = {}
    for column in columns:
        if column.kind == "make_model":
            names |= dict.fromkeys(_MADE_OF)
        elif column.field == "ip":
            names["device.hostname"] = None  # lists of addresses hold names, too
        elif column.field not in {"mac", "seen"}:
            names[column.field] = None
    return tuple(names)


def _codes(column: Column, vocabulary: Headings) -> Mapping[str, str]:
    return vocabulary.codes.get("yesno" if column.kind == "yesno" else column.field, {})
