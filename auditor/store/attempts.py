"""Attempts as rows and back, quickly: a million of them are nothing unusual.

Most rows of one import differ only in endpoint, detail and values. What they share is
written once (`Shared`); what is hashed is the same as `encoding.canonical` gives.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from auditor.model.block import Block
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome
from auditor.store.encoding import canonical, dumps, loads, moment_text, pack, unpack
from auditor.store.tables import Row

MAX_SHAPES = 4_096  # beyond it fields are written into every row: memory stays bounded
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_ORIGINS = {origin.value: origin for origin in Origin}
Varying = tuple[str | None, str | None, str, str]  # ip, mac, detail, doc


@dataclass(frozen=True, slots=True)
class Shared:
    """Run, shape, tool, port, transport, vlan, outcome, origin, started, elapsed_s; and the
    same as the beginning of a JSON array.
    """

    values: Row
    text: str

    @classmethod
    def of(cls, values: Row) -> "Shared":
        """Write the values once, as `canonical` does: nearly every answer has its own moment."""
        run, shape, tool, port, transport, vlan, outcome, origin, started, elapsed = values
        return cls(
            values,
            f"[{run},{_or_null(shape)},{quoted(tool)},{port},{quoted(transport)},{_or_null(vlan)},"
            f"{quoted(outcome)},{quoted(origin)},{quoted(started)},{elapsed!r},",
        )


def _or_null(number: int | None) -> str:
    return "null" if number is None else str(number)


Group = tuple[Shared, list[Varying]]


class Shapes:
    """The tuples of fields that the ledger knows, and those that it will have to learn."""

    def __init__(self, known: Iterable[tuple[int, str]]) -> None:
        self._numbers = {tuple(loads(doc)): number for number, doc in known}
        self.new: list[Row] = []

    def number(self, fields: tuple[str, ...]) -> int | None:
        """Give the number of these fields; None when there are too many kinds already."""
        found = self._numbers.get(fields)
        if found is None and len(self._numbers) < MAX_SHAPES:
            found = self._numbers[fields] = len(self._numbers) + 1
            self.new.append((dumps(list(fields)),))
        return found


def groups(run: int, items: Iterable[Attempt | Block], shapes: Shapes) -> Iterator[Group]:
    """Write attempts of run `number`, put together where they share most columns."""
    before: Attempt | None = None
    fields: tuple[str, ...] = ()
    group: Group | None = None
    known: dict[tuple[str, ...], Shared] = {}  # of attempts that differ in their fields only
    for item in items:
        if isinstance(item, Block):
            if group:
                yield group
            yield _block(run, item, shapes)
            before = group = None
            continue
        names = tuple([seen.field for seen in item.observations])
        if before is None or not _alike(before, item):
            known.clear()
        if names != fields or names not in known:
            if group:
                yield group
            if names not in known:
                known[names] = _shared(run, shapes.number(names), item)
            group = (known[names], [])
        before, fields = item, names
        assert group
        group[1].append(_varying(item, names if group[0].values[1] is None else None))
    if group:
        yield group


def _alike(one: Attempt, other: Attempt) -> bool:
    first, second = one.endpoint, other.endpoint
    return (
        one.started == other.started
        and one.tool == other.tool
        and one.outcome is other.outcome
        and one.origin is other.origin
        and one.elapsed_s == other.elapsed_s
        and first.port == second.port
        and first.transport == second.transport
        and first.vlan == second.vlan
    )


def _shared(run: int, shape: int | None, item: Attempt) -> Shared:
    end = item.endpoint
    # + 0.0: a float, and never -0.0, which SQLite does not keep
    return Shared.of((
        run, shape, pack(item.tool), end.port, pack(end.transport), end.vlan, item.outcome.value,
        item.origin.value, moment_text(item.started), item.elapsed_s + 0.0,
    ))  # fmt: skip


def _varying(item: Attempt, names: tuple[str, ...] | None) -> Varying:
    """Write what is the attempt's own; `names`: its fields where they have no number."""
    values: list[Any] = [
        [seen.value, seen.raw_sha256] if seen.raw else seen.value for seen in item.observations
    ]
    end = item.endpoint
    return end.ip, end.mac, item.detail, dumps(values if names is None else [names, values])


def _block(run: int, block: Block, shapes: Shapes) -> Group:
    shape, outcome, origin = shapes.number(block.fields), block.outcome.value, block.origin.value
    moment = moment_text(block.started)
    shared = Shared.of((
        run, shape, pack(block.tool), block.port, pack(block.transport), None, outcome, origin,
        moment, 0.0,
    ))  # fmt: skip
    if shape is None:
        names = list(block.fields)
        return shared, [
            (ip, mac, detail, dumps([names, list(values)]))
            for ip, mac, detail, values in block.records
        ]
    return shared, [(ip, mac, detail, dumps(values)) for ip, mac, detail, values in block.records]


def sealed(before: bytes, first: int, group: Group) -> tuple[list[Row], bytes]:
    """Number the rows of a group from `first` on, each hashed with the one before it.

    A row is given without what the group shares: number, shape, ip, mac, detail, doc, hash.
    """
    shared, varying = group
    start, shape, sha256, rows = shared.text, shared.values[1], hashlib.sha256, []
    for number, (ip, mac, detail, doc) in enumerate(varying, first):
        place = quoted(ip) if ip is not None else "null"
        card = quoted(mac) if mac is not None else "null"
        head = f"{start}{place},{card},{quoted(detail)}]\n"
        if "\\" not in head:
            before = sha256(before + (head + doc).encode()).digest()
            rows.append((number, shape, ip, mac, detail, doc, before))
            continue
        # control characters, surrogates, or simply no ASCII
        own = (ip and pack(ip), mac and pack(mac), pack(detail))
        head = canonical((*shared.values, *own, "")).decode()
        before = sha256(before + (head + doc).encode()).digest()
        rows.append((number, shape, *own, doc, before))
    return rows, before


def whole(shared: Shared, rows: Iterable[Row]) -> list[Row]:
    """Give rows of a group with all their columns."""
    run, _, *more = shared.values
    return [(row[0], run, row[1], *more, *row[2:]) for row in rows]


def raws_of(attempt: Attempt) -> dict[str, bytes]:
    """Give the raw bytes that an attempt rests on, by their SHA-256."""
    return {str(seen.raw_sha256): seen.raw for seen in attempt.observations if seen.raw}


def size(item: Attempt | Block) -> int:
    """Count the attempts that an item stands for."""
    return len(item.records) if isinstance(item, Block) else 1


def chunks(items: Iterable[Attempt | Block], limit: int) -> Iterator[list[Attempt | Block]]:
    """Cut a stream into lists that stand for some `limit` attempts; long blocks are cut."""
    chunk: list[Attempt | Block] = []
    room = limit
    for item in items:
        if type(item) is Attempt:
            chunk.append(item)
            room -= 1
            if room <= 0:
                yield chunk
                chunk, room = [], limit
            continue
        for piece in _pieces(item, limit):
            chunk.append(piece)
            room -= size(piece)
            if room <= 0:
                yield chunk
                chunk, room = [], limit
    if chunk:
        yield chunk


def _pieces(item: Attempt | Block, limit: int) -> Iterator[Attempt | Block]:
    if not isinstance(item, Block):
        yield item
        return
    records = iter(item.records)
    while some := list(islice(records, limit)):
        yield item if len(some) == len(item.records) else _with(item, some)


def _with(block: Block, records: Sequence[Any]) -> Block:
    return Block(
        block.tool, block.fields, records, block.started, block.outcome, block.origin,
        block.transport, block.port,
    )  # fmt: skip


class Decoder:
    """Reads attempts from rows; what a row shares with the one before it is read once."""

    def __init__(self, shapes: Mapping[int, tuple[str, ...]]) -> None:
        self._shapes = shapes
        self._before: Sequence[Any] = ()
        self._shared: tuple[Any, ...] = ()

    def value(self, row: Sequence[Any], raws: Mapping[str, bytes]) -> Attempt:
        """Give the attempt of a row's columns behind `run`; `raws`: the bytes that it names."""
        head, (ip, mac, detail, doc) = row[:9], row[9:]
        if head != self._before:
            self._shared, self._before = self._read(*head), head
        fields, tool, port, transport, vlan, outcome, origin, started, elapsed = self._shared
        items = loads(doc)
        if fields is None:
            fields, items = items
        seen = tuple(
            [
                Observation(name, item)
                if type(item) is str
                else Observation(name, item[0], raws[item[1]])
                for name, item in zip(fields, items, strict=True)
                if item is not None
            ]
        )
        end = Endpoint(ip and unpack(ip), mac and unpack(mac), port, transport, vlan)
        return Attempt(tool, end, outcome, seen, started, elapsed, unpack(detail), origin)

    def _read(
        self, shape: int | None, tool: str, port: int, transport: str, vlan: int | None,
        outcome: str, origin: str, started: str, elapsed: float,
    ) -> tuple[Any, ...]:  # fmt: skip
        fields = self._shapes[shape] if shape is not None else None
        return (
            fields, unpack(tool), port, unpack(transport), vlan, _OUTCOMES[outcome], _ORIGINS[origin],
            datetime.fromisoformat(started), elapsed,
        )  # fmt: skip
