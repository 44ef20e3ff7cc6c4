"""Appending facts to the chain, inside one transaction that the caller holds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from auditor.errors import LedgerError
from auditor.model.observation import Attempt
from auditor.store.encoding import GENESIS, chained, pack, sealed_link
from auditor.store.tables import Row, attempt_row, columns, raws_of

CHUNK = 5_000  # attempts held in memory at a time
COPY_FROM = 100  # from so many rows on PostgreSQL's COPY is worth its set-up
_LINK = ("seq", "kind", "first", "last", "run", "nth", "rows", "hash")


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

    def add(self, kind: str, rows: Sequence[Row], run: int | None = None, nth: int = 1) -> int:
        """Append facts of one kind and the link over them; gives the number of the first.

        run, nth: for attempts, whose they are and the place of the first among the run's.
        """
        if not rows:
            return 0
        names = columns(kind)
        first = self._last(kind, names[0]) + 1
        sealed, end = chained(self._hash, rows)
        insert(self._connection, kind, names, [(first + at, *row) for at, row in enumerate(sealed)])
        last = first + len(rows) - 1
        self._seq, self._rows = self._seq + 1, self._rows + len(rows)
        link = (kind, first, last, run, nth, self._rows)
        self._hash = sealed_link(link, end)
        insert(self._connection, "link", _LINK, [(self._seq, *link, self._hash)])
        return first

    def attempts(self, run: int, attempts: Iterable[Attempt], nth: int | None = None) -> int:
        """Append attempts of a run, a chunk at a time; gives how many.

        nth: the place of the first among the run's attempts; behind the last when None.
        """
        place = self._next_place(run) if nth is None else nth
        count = 0
        for chunk in chunks(attempts, CHUNK):
            raws: dict[str, bytes] = {}
            for attempt in chunk:
                raws |= raws_of(attempt)
            self.raws(raws)
            self.add("attempt", [attempt_row(run, one) for one in chunk], run, place + count)
            count += len(chunk)
        return count

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


def insert(connection: Connection, table: str, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert whole rows by the quickest way that the database has."""
    if connection.dialect.name == "postgresql" and len(rows) >= COPY_FROM:
        driver: Any = connection.connection.driver_connection
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join([placeholder(connection)] * len(names))
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", list(rows)
    )


def chunks(items: Iterable[Attempt], size: int) -> Iterator[list[Attempt]]:
    """Cut a stream into lists of at most `size`."""
    stream = iter(items)
    while chunk := list(islice(stream, size)):
        yield chunk
