"""Reading facts in the order of the chain, a chunk at a time."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, text

from auditor.errors import DataError, LedgerError
from auditor.model.observation import Attempt, StoredAttempt
from auditor.store.attempts import Decoder
from auditor.store.encoding import loads, pack, unpack
from auditor.store.tables import Row, columns

CHUNK = 1_000
# the third text of an observation; a value that looks like one is looked up in vain
NAMED = re.compile(r'","([0-9a-f]{64})"\]')
_ATTEMPT = ", ".join(name for name in columns("attempt") if name not in {"run", "hash"})


@dataclass(frozen=True, slots=True)
class Span:
    """Attempts `first` to `last`, which belong to one run. nth: place of the first in it."""

    first: int
    last: int
    run: int
    nth: int


def spans(
    connection: Connection, *, site: str | None, run: str | None, after: int
) -> tuple[dict[int, tuple[str, str]], list[Span]]:
    """Give the runs asked for (number -> id, site) and where their attempts stand.

    Neighbouring links of one run are joined.
    """
    runs = named_runs(connection, site, run)
    links = connection.execute(
        text(
            "SELECT first, last, run, nth FROM link WHERE kind = 'attempt' AND last > :after"
            " ORDER BY seq"
        ),
        {"after": after},
    )
    found: list[Span] = []
    for first, last, number, nth in links:
        if number not in runs:
            continue
        before = found[-1] if found else None
        # behind it in the ledger, and behind it in the run (a merged bundle may fill a gap)
        if before and (before.run, before.last + 1, before.nth + first - before.first) == (
            number,
            first,
            nth,
        ):
            found[-1] = Span(before.first, last, number, before.nth)
        else:
            found.append(Span(first, last, number, nth))
    return runs, found


def named_runs(
    connection: Connection, site: str | None = None, run: str | None = None
) -> dict[int, tuple[str, str]]:
    """Give the runs asked for: number -> id, site."""
    query = text(
        "SELECT n, id, site FROM run WHERE (CAST(:site AS TEXT) IS NULL OR site = :site)"
        " AND (CAST(:run AS TEXT) IS NULL OR id = :run)"
    )
    values = {"site": site and pack(site), "run": run and pack(run)}
    return {
        number: (unpack(name), unpack(place))
        for number, name, place in connection.execute(query, values)
    }


def attempts(
    connection: Connection, runs: dict[int, tuple[str, str]], found: Iterable[Span], after: int = 0
) -> Iterator[StoredAttempt]:
    """Stream the attempts of the spans, with the bytes they rest on."""
    decoder = _decoder(connection)
    for span in found:
        for rows in rows_between(connection, max(span.first, after + 1), span.last):
            kept = raws(connection, rows)
            for seq, *row in rows:
                name, site = runs[span.run]
                yield StoredAttempt(seq, name, site, _attempt(seq, row, decoder, kept))


def about(
    connection: Connection, runs: dict[int, tuple[str, str]], ip: str | None, mac: str | None
) -> Iterator[StoredAttempt]:
    """Stream the attempts at an IP address or with a hardware address, by their indexes."""
    query = text(
        f"SELECT run, {_ATTEMPT} FROM attempt WHERE seq > :after AND"
        f" (ip = CAST(:ip AS TEXT) OR mac = CAST(:mac AS TEXT)) ORDER BY seq LIMIT {CHUNK}"
    )
    values: dict[str, Any] = {"ip": ip and pack(ip), "mac": mac and pack(mac), "after": 0}
    decoder = _decoder(connection)
    while rows := connection.execute(query, values).all():
        values["after"] = rows[-1][1]
        mine = [tuple(row) for row in rows if row[0] in runs]
        kept = raws(connection, mine)
        for run, seq, *row in mine:
            yield StoredAttempt(seq, *runs[run], _attempt(seq, row, decoder, kept))


def _decoder(connection: Connection) -> Decoder:
    shapes = connection.execute(text("SELECT n, doc FROM shape"))
    return Decoder({number: tuple(loads(doc)) for number, doc in shapes})


def _attempt(seq: int, row: Sequence[Any], decoder: Decoder, kept: dict[str, bytes]) -> Attempt:
    try:
        return decoder.value(row, kept)
    except (ValueError, TypeError, LookupError, DataError) as error:
        raise unreadable(f"attempt {seq}", error) from error


def unreadable(what: str, error: Exception) -> LedgerError:
    """Say that a fact is there and makes no sense."""
    return LedgerError(
        f"{what} of the ledger cannot be read",
        why=f"it was changed or damaged: {error}",
        hint="run `auditor db verify`, then restore a backup or merge the bundles anew",
    )


def rows_between(connection: Connection, first: int, last: int) -> Iterator[list[Row]]:
    """Give the rows of attempts `first` to `last` in lists, without hash.

    Each list is a query of its own, so no cursor stays open while the caller thinks.
    """
    while first <= last:
        rows = connection.execute(
            text(f"SELECT {_ATTEMPT} FROM attempt WHERE seq BETWEEN :low AND :high ORDER BY seq"),
            {"low": first, "high": min(last, first + CHUNK - 1)},
        ).all()
        yield [tuple(row) for row in rows]
        first += CHUNK


def raws(connection: Connection, rows: Iterable[Row]) -> dict[str, bytes]:
    """Load the raw bytes that these rows' observations name."""
    return raws_named(connection, {name for row in rows for name in NAMED.findall(row[-1])})


def raws_named(connection: Connection, names: Iterable[str]) -> dict[str, bytes]:
    """Load raw bytes by their hashes; those that the ledger does not hold are left out."""
    found = _where_named(connection, "SELECT sha256, data FROM raw", names)
    return {name: bytes(data) for name, data in found}


def raw_names(connection: Connection, names: Iterable[str]) -> set[str]:
    """Tell which of these raw bytes the ledger holds."""
    return {row[0] for row in _where_named(connection, "SELECT sha256 FROM raw", names)}


def _where_named(connection: Connection, query: str, names: Iterable[str]) -> Iterator[Row]:
    wanted = iter(sorted(names))
    while some := list(islice(wanted, 500)):
        marks = ", ".join(f":n{at}" for at in range(len(some)))
        values = {f"n{at}": name for at, name in enumerate(some)}
        found = connection.execute(text(f"{query} WHERE sha256 IN ({marks})"), values)
        yield from map(tuple, found)
