"""Copying a whole ledger: to another database, to a backup file, and back.

A copy is verbatim: numbers and hashes are those of the original, so the chain proves it.
PostgreSQL has its own tools for backups (`pg_dump --format=custom DATABASE > FILE`,
`pg_restore --dbname=DATABASE FILE`); what they restore is checked with `verify`.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from auditor.errors import LedgerError
from auditor.store.database import plainly, reading, writing
from auditor.store.ledger import Ledger
from auditor.store.tables import FACTS, Row, columns
from auditor.store.writer import insert

CHUNK = 2_000
_FILE = "sqlite:///"


def move(source: str, target: str) -> int:
    """Copy the ledger at one address to an empty one at another; gives how many facts.

    The chain is verified there. Opinions stay behind: they are derived again. The source is
    left as it is.
    """
    with existing(source) as old, Ledger.open(target) as new:
        name = new.engine.url.render_as_string(hide_password=True)
        if new.head()[0]:
            raise LedgerError(
                f"{name} is not empty",
                why="a ledger is moved into an empty one, so that its chain stays whole",
                hint="name another database, or export bundles and merge them there",
            )
        with reading(old.engine) as reader, writing(new.engine) as writer:
            _copy(reader, writer)
        found = new.verify()
        if not found.ok or (found.rows, found.head) != old.head():
            raise LedgerError(
                f"the copy at {name} does not verify",
                why=found.reason or "the source was written while it was copied",
                hint="delete the copy, run `auditor db verify` on the source and repeat",
            )
        return found.rows


def existing(address: str) -> Ledger:
    """Open a ledger that must be there already."""
    if address.startswith(_FILE) and not Path(address.removeprefix(_FILE)).is_file():
        raise LedgerError(f"{address} does not exist", hint="name the ledger with --db")
    return Ledger.open(address)


def _copy(old: Connection, new: Connection) -> None:
    for table in ("raw", *FACTS, "link"):
        for rows in _rows(old, table, columns(table)):
            insert(new, table, columns(table), rows)


def _rows(connection: Connection, table: str, names: Sequence[str]) -> Iterator[list[Row]]:
    """Give a table's rows in lists, in the order of their first column."""
    key = names[0]
    query = text(
        f"SELECT {', '.join(names)} FROM {table} WHERE {key} > :after ORDER BY {key} LIMIT {CHUNK}"
    )
    after: Any = "" if table == "raw" else 0
    while found := connection.execute(query, {"after": after}).all():
        after = found[-1][0]
        yield [tuple(map(_plain, row)) for row in found]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def backup(source: str, path: Path) -> int:
    """Copy an embedded ledger while it is in use; gives how many facts.

    The copy is complete and verified, or it is not there.
    """
    if not source.startswith(_FILE):
        raise LedgerError(
            "only an embedded ledger is copied to a file",
            why="PostgreSQL has its own tool for that",
            hint="pg_dump --format=custom DATABASE > FILE",
        )
    if path.exists():
        raise LedgerError(f"{path} exists already", hint="name a file that does not exist yet")
    return _copied(Path(source.removeprefix(_FILE)), path)


def restore(path: Path, target: str) -> int:
    """Make a ledger at an unused address out of a backup; a damaged backup is refused."""
    if not target.startswith(_FILE):
        return move(f"{_FILE}{path}", target)
    place = Path(target.removeprefix(_FILE))
    if place.exists():
        raise LedgerError(f"{place} exists already", hint="move it away first")
    return _copied(path, place)


def _copied(source: Path, target: Path) -> int:
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        _copy_file(source, part)
        with Ledger.open(f"{_FILE}{part}") as ledger:
            found = ledger.verify()
        if not found.ok:
            raise LedgerError(
                f"{source} is damaged; no copy was made",
                why=f"{found.first_broken}: {found.reason}",
                hint="use an older backup, or merge the sites' bundles into a new ledger",
            )
        part.replace(target)
        return found.rows
    finally:
        for left in (part, *(part.with_name(f"{part.name}{end}") for end in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)


def _copy_file(source: Path, part: Path) -> None:
    with existing(f"{_FILE}{source}") as ledger, plainly(ledger.engine.url):
        old = sqlite3.connect(source)
        try:
            new = sqlite3.connect(part)
            try:
                old.backup(new, pages=4_096)
            finally:
                new.close()
        finally:
            old.close()
    with part.open("rb") as file:
        os.fsync(file.fileno())
