"""Derived answers, kept so that they need not be derived again; deletable at any time.

An opinion is about one device and one state of the knowledge (`version`: a hash over the
data files used). No fact depends on one.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from sqlalchemy import Connection, Engine, text

from auditor.store.database import reading, writing
from auditor.store.encoding import pack, unpack
from auditor.store.tables import Row
from auditor.store.values import Opinion
from auditor.store.writer import insert

CHUNK = 5_000
_COLUMNS = ("version", "device", "facts", "doc")
_INSTEAD = " ON CONFLICT (version, device) DO UPDATE SET facts = excluded.facts, doc = excluded.doc"
_READ = text(
    "SELECT device, facts, doc FROM opinion WHERE version = :version AND device > :after"
    f" ORDER BY device LIMIT {CHUNK}"
)


def save(engine: Engine, version: str, opinions: Iterable[Opinion]) -> int:
    """Keep opinions, in place of earlier ones on the same devices; gives how many."""
    count = 0
    with writing(engine) as connection:
        for one in _chunks(opinions):
            rows = {
                pack(said.device): (version, pack(said.device), pack(said.facts), pack(said.doc))
                for said in one
            }
            _save(connection, list(rows.values()))
            count += len(one)
    return count


def _chunks(opinions: Iterable[Opinion]) -> Iterator[list[Opinion]]:
    stream = iter(opinions)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk


def _save(connection: Connection, rows: list[Row]) -> None:
    names = ", ".join(_COLUMNS)
    if connection.dialect.name == "sqlite":
        query = f"INSERT INTO opinion ({names}) VALUES (?, ?, ?, ?){_INSTEAD}"
        connection.exec_driver_sql(query, rows)
        return
    for statement in (
        "CREATE TEMPORARY TABLE IF NOT EXISTS fresh (LIKE opinion) ON COMMIT DROP",
        "TRUNCATE fresh",
    ):
        connection.exec_driver_sql(statement)
    insert(connection, "fresh", _COLUMNS, rows)
    connection.exec_driver_sql(f"INSERT INTO opinion ({names}) SELECT {names} FROM fresh{_INSTEAD}")


def read(engine: Engine, version: str) -> Iterator[Opinion]:
    """Stream the opinions under one state of the knowledge, by device."""
    with reading(engine) as connection:
        after = ""
        while rows := connection.execute(_READ, {"version": version, "after": after}).all():
            after = rows[-1][0]
            for device, facts, doc in rows:
                yield Opinion(unpack(device), unpack(facts), unpack(doc))


def forget(engine: Engine, version: str | None = None, devices: Iterable[str] = ()) -> None:
    """Delete opinions: all, those of one version, or those on some devices of it."""
    named = [{"version": version, "device": pack(device)} for device in devices]
    with writing(engine) as connection:
        if named:
            connection.execute(
                text("DELETE FROM opinion WHERE version = :version AND device = :device"), named
            )
        elif version is not None:
            query = text("DELETE FROM opinion WHERE version = :version")
            connection.execute(query, {"version": version})
        else:
            connection.execute(text("DELETE FROM opinion"))
