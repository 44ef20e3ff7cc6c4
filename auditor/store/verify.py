"""Checking the chain: every row, every link, every raw value, every snapshot's head."""

import hashlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from auditor.store.encoding import GENESIS, canonical, loads, sealed_link
from auditor.store.reader import NAMED, raw_names
from auditor.store.tables import FACTS, Row, columns
from auditor.store.values import Verification

CHUNK = 5_000


class _BrokenError(Exception):
    def __init__(self, row: str, reason: str) -> None:
        super().__init__(row, reason)
        self.row = row
        self.reason = reason


def verify(connection: Connection) -> Verification:
    """Recompute everything that the chain covers; stop at the first row that does not fit."""
    last, rows = GENESIS, 0
    try:
        for link in _links(connection):
            last, rows = _follow(connection, link, last, rows)
        _check_strays(connection)
        _check_raws(connection)
    except _BrokenError as broken:
        return Verification(
            ok=False, rows=rows, first_broken=broken.row, reason=broken.reason, head=last.hex()
        )
    return Verification(ok=True, rows=rows, head=last.hex())


def _links(connection: Connection) -> Iterator[Row]:
    after = 0
    query = text(
        "SELECT seq, kind, first, last, run, nth, rows, hash FROM link"
        f" WHERE seq > :after ORDER BY seq LIMIT {CHUNK}"
    )
    while found := connection.execute(query, {"after": after}).all():
        yield from map(tuple, found)
        after = found[-1][0]


def _follow(connection: Connection, link: Row, before: bytes, rows: int) -> tuple[bytes, int]:
    """Check the rows under one link and the link itself; give its hash and the count so far."""
    seq, kind, first, last, *_, total, sealed = link
    if kind not in FACTS:
        raise _BrokenError(f"link {seq}", f"no such table: {kind}")
    end, expected = before, first
    named: dict[str, int] = {}
    for row in _rows(connection, kind, first, last):
        number, *content, kept = row
        if number != expected:
            raise _BrokenError(f"{kind} {expected}", "the row is missing")
        end = hashlib.sha256(end + _canonical(kind, number, content)).digest()
        if end != bytes(kept):
            raise _BrokenError(f"{kind} {number}", "the row was changed: its hash does not fit")
        expected += 1
        if kind == "attempt" and (found := NAMED.findall(content[-1])):
            named |= {name: number for name in found if name not in named}
        if kind == "snapshot":
            _check_head(connection, number, content[-1], seq)
    if expected != last + 1:
        raise _BrokenError(f"{kind} {expected}", "the row is missing")
    rows += last - first + 1
    if rows != total or sealed_link(link[1:-1], end) != bytes(sealed):
        raise _BrokenError(f"link {seq}", "the link was changed: its hash does not fit")
    _check_kept(connection, named)
    return bytes(sealed), rows


def _canonical(kind: str, number: int, content: list[Any]) -> bytes:
    try:
        return canonical(content)
    except (TypeError, ValueError) as error:
        raise _BrokenError(f"{kind} {number}", "the row holds values of another type") from error


def _rows(connection: Connection, kind: str, first: int, last: int) -> Iterator[Row]:
    names = columns(kind)
    query = text(
        f"SELECT {', '.join(names)} FROM {kind} WHERE {names[0]} BETWEEN :low AND :high"
        f" ORDER BY {names[0]}"
    )
    while first <= last:
        high = min(last, first + CHUNK - 1)
        yield from map(tuple, connection.execute(query, {"low": first, "high": high}))
        first = high + 1


def _check_head(connection: Connection, number: int, doc: str, seq: int) -> None:
    """Check that the chain head that a report was made of stands before it in the chain."""
    head = bytes.fromhex(loads(doc)[0])
    known = connection.execute(
        text("SELECT seq FROM link WHERE hash = :head AND seq < :seq"), {"head": head, "seq": seq}
    ).first()
    if known is None and head != GENESIS:
        raise _BrokenError(f"snapshot {number}", "the state it speaks of is not in the chain")


def _check_strays(connection: Connection) -> None:
    """Rows behind the last link of their table are no part of the chain."""
    for kind in FACTS:
        key = columns(kind)[0]
        found = connection.execute(
            text(
                f"SELECT min({key}) FROM {kind} WHERE {key} > "
                "(SELECT coalesce(max(last), 0) FROM link WHERE kind = :kind)"
                f" OR {key} < 1"
            ),
            {"kind": kind},
        ).scalar()
        if found is not None:
            raise _BrokenError(f"{kind} {found}", "the row was put in beside the chain")


def _check_kept(connection: Connection, named: dict[str, int]) -> None:
    """Check that the raw bytes that attempts name are there; `named`: hash -> first attempt."""
    missing = set(named) - raw_names(connection, named)
    for name, number in sorted(named.items(), key=lambda pair: pair[1]):
        if name in missing and _names(connection, number, name):
            raise _BrokenError(f"attempt {number}", f"the bytes it rests on are missing: {name}")


def _names(connection: Connection, number: int, name: str) -> bool:
    """Tell whether the attempt really names raw bytes so; a value may look like a hash."""
    shape, doc = connection.execute(
        text("SELECT shape, doc FROM attempt WHERE seq = :number"), {"number": number}
    ).one()
    items = loads(doc) if shape is not None else loads(doc)[1]
    return any(isinstance(item, list) and item[1] == name for item in items)


def _check_raws(connection: Connection) -> None:
    after = ""
    query = text("SELECT sha256, data FROM raw WHERE sha256 > :after ORDER BY sha256 LIMIT 500")
    while found := connection.execute(query, {"after": after}).all():
        for name, data in found:
            if hashlib.sha256(bytes(data)).hexdigest() != name:
                raise _BrokenError(f"raw {name}", "the bytes are not those of their hash")
        after = found[-1][0]
