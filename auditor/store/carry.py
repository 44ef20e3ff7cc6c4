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
from auditor.store.tables import FACTS, LinkRow, RawRow, Row, columns
from auditor.store.values import Verification
from auditor.store.writer import insert

CHUNK = 2_000


def move(source: Ledger, address: str) -> Verification:
    """Copy a ledger into an empty one at another address and verify the chain there.

    Opinions stay behind: they are derived again. The source is left as it is.
    """
    with Ledger.open(address) as target:
        if target.head()[0]:
            raise LedgerError(
                f"{target.engine.url.render_as_string(hide_password=True)} is not empty",
                why="a ledger is moved into an empty one, so that its chain stays whole",
                hint="name another database, or export bundles and merge them there",
            )
        with reading(source.engine) as old, writing(target.engine) as new:
            _copy(old, new)
        found = target.verify()
        if not found.ok or (found.rows, found.head) != source.head():
            raise LedgerError(
                f"the copy at {target.engine.url.render_as_string(hide_password=True)} does not verify",
                why=found.reason or "the source was written while it was copied",
                hint="delete the copy, run `auditor db verify` on the source and repeat",
            )
        return found


def _copy(old: Connection, new: Connection) -> None:
    link = tuple(LinkRow.__table__.columns.keys())  # type: ignore[attr-defined]
    raw = tuple(RawRow.__table__.columns.keys())  # type: ignore[attr-defined]
    tables = {"raw": raw, **{kind: columns(kind) for kind in FACTS}, "link": link}
    for table, names in tables.items():
        for rows in _rows(old, table, names):
            insert(new, table, names, rows)


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


def backup(ledger: Ledger, path: Path) -> Verification:
    """Copy an embedded ledger while it is in use; the copy is complete or is not there."""
    if ledger.engine.dialect.name != "sqlite":
        raise LedgerError(
            "only an embedded ledger is copied to a file",
            why="PostgreSQL has its own tool for that",
            hint="pg_dump --format=custom DATABASE > FILE",
        )
    if path.exists():
        raise LedgerError(f"{path} exists already", hint="name a file that does not exist yet")
    return _copied(Path(ledger.engine.url.database or ""), path)


def restore(path: Path, address: str) -> Verification:
    """Make a ledger at an unused address out of a backup; a damaged backup is refused."""
    if not path.is_file():
        raise LedgerError(f"{path} does not exist", hint="name the backup file")
    if not address.startswith("sqlite:///"):
        with Ledger.open(f"sqlite:///{path}") as source:
            return move(source, address)
    target = Path(address.removeprefix("sqlite:///"))
    if target.exists():
        raise LedgerError(f"{target} exists already", hint="move it away first")
    return _copied(path, target)


def _copied(source: Path, target: Path) -> Verification:
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        _copy_file(source, part)
        with Ledger.open(f"sqlite:///{part}") as ledger:
            found = ledger.verify()
        if not found.ok:
            raise LedgerError(
                f"{source} is damaged; no copy was made",
                why=f"{found.first_broken}: {found.reason}",
                hint="use an older backup, or merge the sites' bundles into a new ledger",
            )
        part.replace(target)
        return found
    finally:
        for left in (part, *(part.with_name(f"{part.name}{end}") for end in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)


def _copy_file(source: Path, part: Path) -> None:
    with Ledger.open(f"sqlite:///{source}") as ledger, plainly(ledger.engine.url):
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
