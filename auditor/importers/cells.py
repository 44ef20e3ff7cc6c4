"""Whole columns of cells as values, quickly: a list of a million rows is nothing unusual.

Each reader first looks at a column as one text, where everything plain passes at once, and
reads cell by cell only what is not.
"""

import re
from binascii import unhexlify
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from auditor.importers import values
from auditor.importers.dates import read_day, read_moment
from auditor.importers.secrets import may_hold
from auditor.importers.values import NO_KEY, NOTHING, Value

MEMORY = 50_000  # cells that a reader remembers
FEW = 4  # a column with less than a quarter of different cells is read by them
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_HOSTS_V4 = re.compile(rf"(?:(?:22[0-3]|2[01]\d|1\d\d|[1-9]\d?)(?:\.{_OCTET}){{3}}\n)*")
_ZEROS = "00:00:00:00:00:00"
_EVEN = bytes(range(0, 256, 2))
_NUMBER_LIKE = re.compile(r"\n.\.")  # `1.12233445E10` is digits and an E to the eye
_GUARDS = ("\r", '\n"', "\n'", "\n`", "\n=", "\ufeff", "\u200b", "\u00a0")

Problem = tuple[int, str, str]  # place in the column, the cell, what is wrong with it


@dataclass(frozen=True, slots=True)
class Read:
    """A column that was read: a value or None for each cell.

    more: further values by place. hosts: names found where addresses were expected.
    """

    texts: list[str | None]
    problems: Sequence[Problem] = ()
    more: Mapping[int, tuple[str, ...]] | None = None
    hosts: Mapping[int, str] | None = None


class _Memory(dict[str, Value]):
    """Cells that were read before: most columns hold few different ones."""

    def __init__(self, read: Callable[[str], Value]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, cell: str) -> Value:
        if len(self) > MEMORY:
            self.clear()
        value = self[cell] = self._read(cell)
        return value


class Reader:
    """Reads one column, chunk after chunk."""

    def __init__(self, kind: str, order: str, codes: Mapping[str, str]) -> None:
        quick = {
            "mac": _macs,
            "ip": _ips,
            "key": _keys,
            "serial": _keys,
            "text": _texts,
            "host": _keys,
        }
        slow: dict[str, Callable[[str], Value]] = {
            "mac": values.mac,
            "ip": values.ip,
            "key": values.key,
            "serial": values.key,
            "host": values.host,
            "amount": values.amount,
            "count": values.count,
            "code": lambda cell: values.code(cell, codes),
            "yesno": lambda cell: values.code(cell, codes),
            "day": lambda cell: day(cell, order),
        }
        self._quick = quick.get(kind)
        self._memory = _Memory(slow.get(kind, values.plain_text))

    def read(self, cells: Sequence[str]) -> Read:
        """Read the cells of one chunk."""
        different = set(cells)
        if len(different) * FEW < len(cells) or self._quick is None:
            return self._one_by_one(cells, different)
        found = self._quick(cells)
        return Read(found) if found is not None else self._one_by_one(cells, different)

    def _one_by_one(self, cells: Sequence[str], different: set[str]) -> Read:
        memory = self._memory
        known = {cell: memory[cell] for cell in different}
        if not any(value.reason or value.more for value in known.values()):
            plain = {cell: value.text for cell, value in known.items()}
            return Read([plain[cell] for cell in cells])
        read = [known[cell] for cell in cells]
        hosts = {at: str(v.text) for at, v in enumerate(read) if v.reason == "host"}
        texts = [None if value.reason == "host" else value.text for value in read]
        problems = [
            (at, cells[at], value.reason)
            for at, value in enumerate(read)
            if value.reason and at not in hosts
        ]
        more = {at: value.more for at, value in enumerate(read) if value.more}
        return Read(texts, problems, more or None, hosts or None)


def day(cell: str, order: str) -> Value:
    """Read a day; a time behind it is left off."""
    said = values.bare(cell)
    if said.lower() in NO_KEY or said.startswith("0000"):
        return values.EMPTY
    found = read_day(said, order)
    return Value(found.value or None, found.reason)


def moments(
    cells: Sequence[str], order: str, zone: str
) -> tuple[list[datetime | None], list[Problem]]:
    """Read the cells that say when a record's source last heard of its device."""
    found: list[datetime | None] = []
    problems: list[Problem] = []
    for at, cell in enumerate(cells):
        said = values.bare(cell)
        if said.lower() in NO_KEY:
            found.append(None)
            continue
        moment, why = read_moment(said, order, zone)
        found.append(moment)
        if why:
            problems.append((at, cell, why))
    return found, problems


def _macs(cells: Sequence[str]) -> list[str | None] | None:
    joined = "\n" + "\n".join(cells) + "\n"
    if not joined.isascii() or _NUMBER_LIKE.search(joined):
        return None
    digits = joined.encode().translate(None, b":-. ")[1:]
    count = len(cells)
    if len(digits) != 13 * count or digits[12::13] != b"\n" * count:
        return None
    try:
        octets = unhexlify(digits.replace(b"\n", b""))
    except ValueError:
        return None
    if len(octets) != 6 * count or octets[::6].translate(None, _EVEN):
        return None  # a group among them
    written = octets.hex(":")
    found: list[str | None] = [written[at : at + 17] for at in range(0, 18 * count, 18)]
    return None if _ZEROS in found else found


def _ips(cells: Sequence[str]) -> list[str | None] | None:
    joined = "\n".join(cells) + "\n"
    if joined.count("\n") != len(cells):
        return None  # a cell of several lines
    return list(cells) if _HOSTS_V4.fullmatch(joined) else None


def _keys(cells: Sequence[str]) -> list[str | None] | None:
    """Tags, serial numbers, names of hosts: nothing in them may need a second look."""
    joined = "\n" + "\n".join(cells)
    if not joined.replace("\n", "").replace("-", "").replace("_", "").isalnum():
        return None
    if joined.count("\n") != len(cells) or not joined.isascii():
        return None
    if not NO_KEY.isdisjoint(joined.lower().split("\n")[1:]):
        return None
    return list(cells)


def _texts(cells: Sequence[str]) -> list[str | None] | None:
    stripped = [cell.strip() for cell in cells]
    joined = "\n" + "\n".join(stripped)
    if may_hold([joined]) or any(guard in joined for guard in _GUARDS):
        return None
    if len(joined) > values.CELL_CHARS and max(map(len, stripped)) > values.CELL_CHARS:
        return None
    nothing = NOTHING.intersection(joined.lower().split("\n")[1:])
    if not nothing:
        return list(stripped)
    if nothing == {""}:
        return [cell or None for cell in stripped]
    return [None if cell.lower() in NOTHING else cell for cell in stripped]
