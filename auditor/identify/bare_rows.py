"""Rows of lists that name no address, serial, tag or host: known again by what stands in them.

The n-th of several equal rows of one list is the n-th of the next: so many devices as one list
has of them, however often it is imported.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from auditor.identify.names import normalised
from auditor.model.observation import Attempt, Origin

# a row that holds one of these may be known again in another file; a maker and a model alone may not
_TELLING = frozenset({
    "asset.name", "asset.location", "asset.building", "asset.floor", "asset.room", "asset.switch",
    "asset.switch_port", "asset.description", "asset.notes", "asset.photo", "asset.order",
})  # fmt: skip
Pair = tuple[int, int]


class BareRow(NamedTuple):
    """What stands in a row, whatever its columns are held to mean; and where it stands."""

    values: frozenset[int]
    telling: bool
    file: str
    line: str


def bare_row(attempt: Attempt) -> BareRow | None:
    """Read a row; None where a list did not say it, or it says nothing."""
    if attempt.origin is not Origin.FILE:
        return None
    texts = {normalised(o.value) or o.value for o in attempt.observations if o.value.strip()}
    if not texts:
        return None
    file, _, line = attempt.detail.rpartition(":")
    telling = any(o.field in _TELLING for o in attempt.observations)
    return BareRow(frozenset(map(hash, texts)), telling, file, line)


def again(rows: Mapping[int, BareRow], where: Callable[[int], tuple[str, str]]) -> Iterator[Pair]:
    """Give pairs of records that are the same row. where: site and run of a record."""
    nth: dict[tuple[object, ...], int] = {}
    firsts: dict[tuple[object, ...], int] = {}
    runs: dict[int, set[str]] = {}  # per first record: the imports that its device stands in
    for number, row in rows.items():
        site, run = where(number)
        key = (site, row.values, "" if row.telling else row.file)
        count = nth[(run, *key)] = nth.get((run, *key), 0) + 1
        first = firsts.setdefault((*key, count), number)
        runs.setdefault(first, set()).add(run)
        if first != number:
            yield first, number
    yield from _read_anew(rows, where, runs)


def _read_anew(
    rows: Mapping[int, BareRow],
    where: Callable[[int], tuple[str, str]],
    runs: Mapping[int, set[str]],
) -> Iterator[Pair]:
    """Pair rows at one line of one file of which more columns were understood the next time."""
    lines: dict[tuple[str, str, str], list[int]] = {}
    for first in runs:
        row = rows[first]
        if row.file:
            lines.setdefault((where(first)[0], row.file, row.line), []).append(first)
    for same in lines.values():
        kept = same[0]
        taken = set(runs[kept])
        for other in same[1:]:
            one, two = rows[kept].values, rows[other].values
            if (one <= two or two <= one) and not taken & runs[other]:
                taken |= runs[other]
                yield kept, other
