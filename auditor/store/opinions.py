"""Derived answers, kept so that they need not be derived again; deletable at any time.

An opinion is about one device and one state of the knowledge (`version`: a hash over the
data files used). No fact depends on one.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from sqlalchemy import Engine, text

from auditor.store.database import reading, writing
from auditor.store.encoding import pack, unpack
from auditor.store.values import Opinion

CHUNK = 5_000
_SAVE = text(
    "INSERT INTO opinion (version, device, facts, doc) VALUES (:version, :device, :facts, :doc)"
    " ON CONFLICT (version, device) DO UPDATE SET facts = excluded.facts, doc = excluded.doc"
)
_READ = text(
    "SELECT device, facts, doc FROM opinion WHERE version = :version AND device > :after"
    f" ORDER BY device LIMIT {CHUNK}"
)


def save(engine: Engine, version: str, opinions: Iterable[Opinion]) -> int:
    """Keep opinions, in place of earlier ones on the same devices; gives how many."""
    stream, count = iter(opinions), 0
    with writing(engine) as connection:
        while chunk := list(islice(stream, CHUNK)):
            rows = [
                {"version": version, "device": pack(one.device), "facts": pack(one.facts),
                 "doc": pack(one.doc)}
                for one in chunk
            ]  # fmt: skip
            connection.execute(_SAVE, rows)
            count += len(chunk)
    return count


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
