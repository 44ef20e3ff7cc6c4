"""Who of those at one address may be one device, where lists put several devices there.

Lists name one private address at many sites, and often several times. What was heard at such
an address belongs to none of the rows unless something better than the address says so.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

from auditor.identify.keys import serials_differ
from auditor.identify.names import normalised
from auditor.identify.records import Records
from auditor.identify.told import Told, rows_differ

MOST_COMPARED = 64  # rows at one address that are compared each with each
Root = Callable[[int], int]
Row = tuple[Told, tuple[str, ...], tuple[str, ...]]  # and its tags and serials


def parts(numbers: Sequence[int], records: Records, root: Root) -> list[list[int]]:
    """Divide the records of one address or name into those that may be one device."""
    listed = [n for n in numbers if n in records.told]
    if not listed or (len(listed) == 1 and not records.told[listed[0]].place):
        return [list(numbers)]
    away = _away(listed, records)
    places: dict[str, list[int]] = {}
    for number in away:
        places.setdefault(records.told[number].place, []).append(number)
    found = [part for rows in places.values() for part in _apart(rows, records)]
    here = [n for n in numbers if n not in away]
    rows = [n for n in listed if n not in away]
    clusters = _apart(rows, records)
    if len(clusters) < 2:
        return [part for part in (here, *found) if part]
    heard = [n for n in here if n not in records.told]
    tied = {root(n) for n in heard}
    newest = records.runs[max(rows, key=lambda n: (records.times[n], records.runs[n]))]
    last = [part for part in clusters if any(records.runs[n] == newest for n in part)]
    for part in clusters:
        if [part] == last or any(root(n) in tied for n in part):
            heard += part  # the newest list knows of one device there; or a better key says so
        else:
            found.append(part)
    return [part for part in (heard, *found) if part]


def _away(listed: Iterable[int], records: Records) -> frozenset[int]:
    """Give the rows that are of another site than the one that their list was imported for.

    One place that nothing is set against may be a building of the site; two of them, or a place
    in a list that names the site itself as well, are sites.
    """
    placed = [n for n in listed if records.told[n].place]
    several = len({records.told[n].place for n in placed}) > 1
    return frozenset(
        n
        for n in placed
        if records.told[n].place != normalised(records.sites[n])
        and (several or (records.sites[n], records.runs[n]) in records.at_home)
    )


def _apart(rows: Sequence[int], records: Records) -> list[list[int]]:
    """Part rows where one list tells several devices apart; else they stay together."""
    of_run: dict[str, list[Row]] = {}
    for number in rows:
        of_run.setdefault(records.runs[number], []).append(_row(number, records))
    if not any(_tells_apart(said) for said in of_run.values()):
        return [list(rows)] if rows else []
    if len(rows) > MOST_COMPARED:
        return _alike(rows, records)
    clusters: list[list[int]] = []
    # the fullest first: what says little may fit several, and then it is none of them
    order = sorted(rows, key=lambda n: (-_said(n, records), records.times[n], records.name(n)))
    for number in order:
        mine = _row(number, records)
        fits = [c for c in clusters if not any(_differ(mine, _row(n, records)) for n in c)]
        if len(fits) == 1:
            fits[0].append(number)
        else:
            clusters.append([number])
    return clusters


def _alike(rows: Iterable[int], records: Records) -> list[list[int]]:
    found: dict[Row, list[int]] = {}
    for number in rows:
        found.setdefault(_row(number, records), []).append(number)
    return list(found.values())


def _tells_apart(rows: Sequence[Row]) -> bool:
    """Tell whether rows of one list are of several devices."""
    kinds = list(dict.fromkeys(rows))
    if len(kinds) > MOST_COMPARED:
        return True
    return any(_differ(one, other) for one, other in combinations(kinds, 2))


def _row(number: int, records: Records) -> Row:
    keys = records.keys[number]
    return records.told[number], keys.tags, keys.serials


def _said(number: int, records: Records) -> int:
    told, tags, serials = _row(number, records)
    return sum(map(bool, (*told, tags, serials)))


def _differ(one: Row, other: Row) -> bool:
    return (
        rows_differ(one[0], other[0])
        or bool(one[1] and other[1] and not {*one[1]} & {*other[1]})
        or serials_differ(frozenset(one[2]), frozenset(other[2]))
    )
