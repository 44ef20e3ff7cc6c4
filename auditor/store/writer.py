"""Appending facts to the chain, inside one transaction that the caller holds."""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from auditor.errors import LedgerError
from auditor.model.block import Block
from auditor.model.observation import Attempt
from auditor.store.attempts import Shapes, Shared, chunks, groups, raws_of, sealed, whole
from auditor.store.encoding import GENESIS, chained, pack, sealed_link
from auditor.store.tables import Row, columns

CHUNK = 1_000  # attempts held in memory at a time; more would only leave the caches
COPY_FROM = 100  # from so many rows on PostgreSQL's COPY is worth its set-up
ALIKE = 500  # rows of one statement; seven values each stay far below SQLite's 32,766
_SHARED = ", ".join(f"?{at}" for at in range(2, 10))
_ALIKE = (
    f"INSERT INTO attempt ({', '.join(columns('attempt'))})"
    f" SELECT column1, ?1, column2, {_SHARED}, column3, column4, column5, column6, column7"
    f" FROM (VALUES {', '.join(['(?, ?, ?, ?, ?, ?, ?)'] * ALIKE)})"
)
_NULL = "\x1a"
_LINK = ("seq", "kind", "first", "last", "run", "nth", "rows", "hash")


@contextmanager
def rarer_collections() -> Iterator[None]:
    """Let the cycle collector look more rarely while millions of small values, none of them in
    a cycle, come and go; it otherwise takes a fifth of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Appender:
    """The end of the chain as it grows within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        last = connection.exec_driver_sql(
            "SELECT seq, rows, hash FROM link ORDER BY seq DESC LIMIT 1"
        ).first()
        self._seq: int = last[0] if last else 0
        self._rows: int = last[1] if last else 0
        self._hash: bytes = bytes(last[2]) if last else GENESIS

    def add(self, kind: str, rows: Sequence[Row]) -> int:
        """Append facts of one kind and the link over them; gives the number of the first."""
        if not rows:
            return 0
        names = columns(kind)
        first = self._last(kind, names[0]) + 1
        done, end = chained(self._hash, rows)
        insert(self._connection, kind, names, [(first + at, *row) for at, row in enumerate(done)])
        self._link(kind, first, first + len(rows) - 1, None, 1, end)
        return first

    def _link(
        self, kind: str, first: int, last: int, run: int | None, nth: int, end: bytes
    ) -> None:
        """Append the link over rows that were just inserted; `end`: the last one's hash."""
        self._seq, self._rows = self._seq + 1, self._rows + last - first + 1
        link = (kind, first, last, run, nth, self._rows)
        self._hash = sealed_link(link, end)
        insert(self._connection, "link", _LINK, [(self._seq, *link, self._hash)])

    def attempts(self, run: int, items: Iterable[Attempt | Block], nth: int | None = None) -> int:
        """Append attempts of a run, a chunk at a time; gives how many.

        nth: the place of the first among the run's attempts; behind the last when None.
        """
        place = self._next_place(run) if nth is None else nth
        shapes = Shapes(self._all("SELECT n, doc FROM shape ORDER BY n"))
        first, end = self._last("attempt", "seq") + 1, place
        with rarer_collections():
            for chunk in chunks(items, CHUNK):
                count = self._chunk(run, chunk, shapes, first, end)
                first, end = first + count, end + count
        return end - place

    def _chunk(
        self, run: int, chunk: Sequence[Attempt | Block], shapes: Shapes, first: int, nth: int
    ) -> int:
        self._keep_raws(chunk)
        some = list(groups(run, chunk, shapes))
        self.add("shape", shapes.new)
        shapes.new.clear()
        parts: list[tuple[Shared, list[Row]]] = []
        last, count = self._hash, 0
        for group in some:
            more, last = sealed(last, first + count, group)
            parts.append((group[0], more))
            count += len(more)
        kinds = {(group[0].values[0], *group[0].values[2:]) for group in some}
        if len(kinds) == 1:  # all columns but the shape are shared
            rows = [row for _, more in parts for row in more] if len(parts) > 1 else parts[0][1]
            parts = [(some[0][0], insert_alike(self._connection, kinds.pop(), rows))]
        left = [row for shared, more in parts for row in whole(shared, more)]
        if left:
            insert(self._connection, "attempt", columns("attempt"), left)
        self._link("attempt", first, first + count - 1, run, nth, last)
        return count

    def _keep_raws(self, chunk: Iterable[Attempt | Block]) -> None:
        raws: dict[str, bytes] = {}
        for item in chunk:
            if isinstance(item, Attempt):
                raws |= raws_of(item)
        self.raws(raws)

    def raws(self, raws: Mapping[str, bytes]) -> None:
        """Keep raw bytes under their hash; those already kept are left alone."""
        if raws:
            marks = ", ".join([placeholder(self._connection)] * 2)
            self._connection.exec_driver_sql(
                f"INSERT INTO raw (sha256, data) VALUES ({marks}) ON CONFLICT DO NOTHING",
                list(raws.items()),
            )

    def run_number(self, run_id: str) -> int:
        """Give the number of a run; it must have been started."""
        number = run_number(self._connection, run_id)
        if number is None:
            raise LedgerError(f"run {run_id!r} is not in the ledger", hint="start it first")
        return number

    def _all(self, query: str) -> list[Any]:
        return list(self._connection.exec_driver_sql(query))

    def _last(self, kind: str, key: str) -> int:
        found = self._connection.exec_driver_sql(f"SELECT max({key}) FROM {kind}").scalar()
        return int(found or 0)

    def _next_place(self, run: int) -> int:
        mark = placeholder(self._connection)
        found = self._connection.exec_driver_sql(
            f"SELECT nth + last - first + 1 FROM link WHERE run = {mark} ORDER BY nth DESC LIMIT 1",
            (run,),
        ).scalar()
        return int(found or 1)


def run_number(connection: Connection, run_id: str) -> int | None:
    """Give the number of a run, None when the ledger does not hold it."""
    mark = placeholder(connection)
    found = connection.exec_driver_sql(f"SELECT n FROM run WHERE id = {mark}", (pack(run_id),))
    return found.scalar()


def placeholder(connection: Connection) -> str:
    """Give the mark that the driver puts a value in for."""
    return "?" if connection.dialect.name == "sqlite" else "%s"


def insert_alike(connection: Connection, shared: Row, rows: list[Row]) -> list[Row]:
    """Insert attempts (see `sealed`) that share most columns, where the database gains by it.

    SQLite takes the shared values (the run, and what follows the shape) once for many rows;
    gives the rows that are left.
    """
    if connection.dialect.name != "sqlite":
        return rows
    at = 0
    while len(rows) - at >= ALIKE:
        values = chain(shared, *rows[at : at + ALIKE])
        connection.exec_driver_sql(_ALIKE, tuple(values))
        at += ALIKE
    return rows[at:]


def insert(connection: Connection, table: str, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert whole rows by the quickest way that the database has."""
    if connection.dialect.name == "postgresql" and len(rows) >= COPY_FROM:
        driver: Any = connection.connection.driver_connection
        command = f"COPY {table} ({', '.join(names)}) FROM STDIN WITH (NULL '{_NULL}')"
        with driver.cursor() as cursor, cursor.copy(command) as copy:
            copy.write("".join(map(_copy_line, rows)).replace("\\", "\\\\"))
        return
    marks = ", ".join([placeholder(connection)] * len(names))
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", list(rows)
    )


def _copy_line(row: Row) -> str:
    """Write a row for COPY. No text of ours holds a tab, a line feed or a bare U+001A (see
    encoding.pack; documents are JSON), so only backslashes remain to be doubled.
    """
    return (
        "\t".join(
            [
                value if type(value) is str
                else _NULL if value is None
                else "\\x" + value.hex() if type(value) is bytes
                else str(value)
                for value in row
            ]
        )
        + "\n"
    )  # fmt: skip
