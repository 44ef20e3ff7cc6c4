"""A table of any origin as records for the ledger: one reader behind CSV and workbooks alike.

A row is taken when it says anything of a device. What is damaged in it is left out and said;
a row from which nothing is left, or whose cells do not stand under their headings, is refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from auditor.importers.cells import Problem, Reader, moments
from auditor.importers.gathered import Found
from auditor.importers.headings import Headings
from auditor.importers.plan import BRAND, MAKER, MODEL, TEXT, Column, Plan
from auditor.importers.rows import Rows
from auditor.importers.squared import Chunk, Shape
from auditor.importers.values import plain_text
from auditor.model.block import Block, Record
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.plugins import Item, Noted, Options, Rejected

KEYS = frozenset({
    "asset.tag", "asset.serial", "device.serial", "device.id", "device.hostname", "dhcp.hostname",
})  # fmt: skip
# what may be said of a device, and names none by itself
ABOUT = frozenset(
    f"asset.{name}"
    for name in (
        "owner", "owner_type", "organisation", "location", "site", "building", "floor", "room", "acquired",
        "installed", "removed", "replacement", "funding", "contract", "order", "supplier", "supplier_uei",
        "supplier_cage", "cost", "status", "custodian", "purpose", "sensitivity", "network_exposure", "vlan",
        "privacy_assessment", "risk_assessment", "control_internet", "control_functions", "control_firewall",
        "control_storage", "core_network", "mitigation", "certificate",
    )
)  # fmt: skip
SHOWN_CHARS = 40  # of a cell that a reason repeats
TEXT_CHARS = 1_000  # of a refused row
_NO_KEY = "nothing in the row tells the device from others, so it will match no other record"
_SWALLOWED = (
    "a quoted cell of it goes over lines that look like rows: is a quote missing or astray?"
)
_NAMELESS = "names nothing by which a device could be found"
_NOTHING = "nothing is left of the row"
BLOCK_ROWS = 1_000  # as many as the ledger writes at a time
_FUTURE = timedelta(days=1)


def items(
    plan: Plan, chunks: Iterable[Rows], options: Options, vocabulary: Headings
) -> Iterator[Item]:
    """Read the rows behind the headings: the mapping, then records, notes and refusals."""
    yield from plan.mapped
    table = _Table(plan, options, vocabulary)
    for chunk in chunks:
        yield from chunk.refused
        yield from (Noted(line, "NUL characters were taken out") for line in chunk.nul)
        yield from (Noted(line, _SWALLOWED) for line in chunk.doubted)
        yield from table.read(chunk)


class _Table:
    def __init__(self, plan: Plan, options: Options, vocabulary: Headings) -> None:
        self._plan = plan
        self._options = options
        self._shape = Shape(plan, vocabulary)
        self._fields = _fields(plan.columns)
        self._readers = {
            (column.at, column.field): Reader(
                column.kind, options.dates, _codes(column, vocabulary)
            )
            for column in plan.columns
        }

    def read(self, rows: Rows) -> Iterator[Item]:
        refused: list[Rejected] = []
        chunk = self._shape.squared(rows, refused)
        yield from refused
        if chunk.cells:
            yield from self._records(chunk)

    # ------------------------------------------------------------ content

    def _records(self, chunk: Chunk) -> Iterator[Item]:
        found = Found()
        for column in sorted(self._plan.columns, key=_is_guess):
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
        dead = self._nameless(found, len(records))
        for at in sorted(dead):
            if any(cell.strip() for cell in chunk.cells[at]):
                wrong = "; ".join(found.problems.pop(at, []))
                why = _NAMELESS if any(records[at][3]) else wrong or _NOTHING
                yield Rejected(chunk.numbers[at], why, self._text(chunk.cells[at]))
        yield from self._notes(chunk, found, dead)
        yield from self._emitted(fields, records, found, dead)

    def _nameless(self, found: Found, count: int) -> set[int]:
        """Give the rows that name no device; of a form any word that was filled in counts."""
        telling = [
            texts for name, texts in found.fields.items() if self._plan.filled or name not in ABOUT
        ]
        if any(None not in texts for texts in telling):
            return set()
        return {
            at
            for at in range(count)
            if at not in found.more and not any(texts[at] for texts in telling)
        }

    def _take(self, column: Column, cells: Sequence[str], found: Found) -> None:
        if column.kind == "moment":
            self._started(column, cells, found)
            return
        if column.kind == "make_model":
            found.put_make_model(cells)
            return
        read = self._readers[column.at, column.field].read(cells)
        if column.field in {"ip", "mac"}:
            found.put_address(column.field, read.texts)
        elif column.kind == "client_id":
            found.put("mac", read.texts)  # where no column says it plainly
        elif column.field == MAKER:
            found.put_maker(read.texts)
        else:
            found.put(column.field, read.texts)
        for at, more in (read.more or {}).items():
            for text in more:
                found.also(at, column.field, text)
        if read.hosts:
            found.put("device.hostname", [read.hosts.get(at) for at in range(len(cells))])
        self._complain(column, read.problems, found)

    def _started(self, column: Column, cells: Sequence[str], found: Found) -> None:
        read, problems = moments(cells, self._options.dates, self._options.zone)
        latest = self._options.moment + _FUTURE
        for at, moment in enumerate(read):
            if moment and moment <= latest:
                found.started.setdefault(at, moment)
            elif moment:
                problems.append((at, cells[at], "lies in the future"))
        self._complain(column, problems, found)

    def _complain(self, column: Column, problems: Sequence[Problem], found: Found) -> None:
        """Note what is wrong with cells; tables with secrets have none of them repeated."""
        for at, cell, reason in problems:
            shown = "" if self._plan.secret else f" {plain_text(cell[:SHOWN_CHARS]).text!r}"
            found.problems[at].append(f"{column.heading}:{shown} {reason}")

    def _notes(self, chunk: Chunk, found: Found, dead: set[int]) -> Iterator[Noted]:
        for at in sorted(found.problems):
            yield Noted(chunk.numbers[at], "; ".join(found.problems[at]))
        keys = [texts for name, texts in found.fields.items() if name in KEYS | {"ip", "mac"}]
        if any(all(texts) for texts in keys):
            return
        for at, number in enumerate(chunk.numbers):
            if at not in dead and not any(texts[at] for texts in keys):
                yield Noted(number, _NO_KEY)

    def _emitted(
        self, fields: tuple[str, ...], records: list[Record], found: Found, dead: set[int]
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
            names |= dict.fromkeys((MAKER, BRAND, MODEL, TEXT))
        elif column.field == MAKER:
            names |= dict.fromkeys((MAKER, BRAND))
        elif column.field == "ip":
            names["device.hostname"] = None  # lists of addresses hold names, too
        elif column.field not in {"mac", "seen", "client_id"}:
            names[column.field] = None
    return tuple(names)


def _is_guess(column: Column) -> bool:
    """Tell what comes after columns that say one thing each."""
    return column.kind in {"make_model", "client_id"}


def _codes(column: Column, vocabulary: Headings) -> Mapping[str, str]:
    return vocabulary.codes.get("yesno" if column.kind == "yesno" else column.field, {})
