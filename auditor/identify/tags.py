"""Whose an asset tag is where several devices bear it: a lot number, or two lists that count alike.

A tag joins trees of records only where nothing that they have of their own speaks against it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from auditor.identify.keys import serials_differ
from auditor.identify.records import SHARED, Records
from auditor.identify.told import Told, makers_differ, places_differ, rows_differ

MOST_ROWS = 256  # different rows under one tag that are compared; more make it no key
Own = tuple[frozenset[str], ...]  # MACs, serials, ids, tags of a tree
Said = tuple[str, Told, str | None]  # run, row and address


@dataclass(frozen=True, slots=True)
class Bearer:
    """A tree of records under a tag, or several that belong together."""

    trees: tuple[int, ...]
    macs: frozenset[str]
    serials: frozenset[str]
    rows: frozenset[Said]
    officer: bool  # a named person says that the tag is there

    def joined(self, other: "Bearer") -> "Bearer":
        """Take another one in."""
        return Bearer(
            self.trees + other.trees,
            self.macs | other.macs,
            self.serials | other.serials,
            self.rows | other.rows,
            self.officer or other.officer,
        )

    def differs(self, other: "Bearer") -> bool:
        """Tell whether the two are not the same device, whatever their tag."""
        if self.macs & other.macs or self.officer or other.officer:
            return False
        if self.serials and other.serials:
            return serials_differ(self.serials, other.serials)
        if self.macs and other.macs:
            return True
        return any(_two(one, two) for one in self.rows for two in other.rows)


def _two(one: Said, other: Said) -> bool:
    if makers_differ(one[1], other[1]) or places_differ(one[1], other[1]):
        return True
    if one[0] != other[0]:
        return False  # names and addresses change from one list to the next
    elsewhere = bool(one[2] and other[2] and one[2] != other[2])
    return rows_differ(one[1], other[1]) or (elsewhere and not one[1].name)


def bearer(root: int, numbers: Iterable[int], own: Own, records: Records) -> Bearer:
    """Gather what a tree, of which these records bear the tag, has of its own."""
    mine = list(numbers)
    rows = frozenset(
        (records.runs[n], records.told[n], records.keys[n].ip) for n in mine if n in records.told
    )
    return Bearer((root,), own[0], own[1], rows, any(n in records.officers for n in mine))


def sides(bearers: Iterable[Bearer], name: Callable[[Bearer], object]) -> list[Bearer]:
    """Put together the bearers that may be one device; nothing where the tag is no key.

    name: what they are put in order by. A bearer that fits several sides is of none.
    """
    found: list[Bearer] = []
    order = sorted(bearers, key=lambda b: (-bool(b.macs) - bool(b.serials), name(b)))
    if len({row for one in order for row in one.rows}) > MOST_ROWS:
        return []
    alone: list[Bearer] = []
    for one in order:
        fits = [at for at, side in enumerate(found) if not side.differs(one)]
        if len(fits) > 1:
            alone.append(one)
        elif fits:
            found[fits[0]] = found[fits[0]].joined(one)
        else:
            found.append(one)
        if len(found) > SHARED:
            return []
    return found + alone
