"""Whole columns of cells as values, quickly: a list of a million rows is nothing unusual.

Each reader first looks at a column as one text, where everything plain passes at once, and
reads cell by cell only what is not.
"""

import re
from binascii import unhexlify
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from auditor.importers import values
from auditor.importers.dates import read_day, read_moment
from auditor.importers.secrets import may_hold
from auditor.importers.values import NO_KEY, NO_NAME, NOTHING, Value

MEMORY = 50_000  # cells that a reader remembers
FEW = 4  # a column with less than a quarter of different cells is read by them
_OCTETS = frozenset(map(str, range(256)))
_FIRST_OCTETS = frozenset(map(str, range(1, 224)))
_NO_KEYS = frozenset(form for word in NO_KEY for form in (word, word.upper(), word.title()))
SHORT = 4  # letters of a key that is looked at twice
LONGEST_NOTHING = max(map(len, NOTHING)) + 1
LONGEST_NO_NAME = max(map(len, NO_NAME)) + 1
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
            "name": _names,
            "host": _keys,
        }
        slow: dict[str, Callable[[str], Value]] = {
            "mac": values.mac,
            "ip": values.ip,
            "key": values.key,
            "serial": values.key,
            "host": values.host,
            "client_id": values.client_id,
            "name": values.name,
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
        found = self._quick(cells, different)
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


def _macs(cells: Sequence[str], different: Set[str]) -> list[str | None] | None:
    if "" not in different:
        return _written(cells)
    found = _written([cell for cell in cells if cell])
    if found is None:
        return None
    rest = iter(found)
    return [next(rest) if cell else None for cell in cells]


def _written(cells: Sequence[str]) -> list[str | None] | None:
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


def _ips(cells: Sequence[str], different: Set[str]) -> list[str | None] | None:
    some = [cell for cell in cells if cell] if "" in different else cells
    if {cell.count(".") for cell in some} != {3}:
        return None
    octets = ".".join(some).split(".")
    if not (_OCTETS.issuperset(octets) and _FIRST_OCTETS.issuperset(octets[::4])):
        return None
    return _whole(cells, different)


def _keys(cells: Sequence[str], different: Set[str]) -> list[str | None] | None:
    """Tags, serial numbers, names of hosts: nothing in them may need a second look."""
    some = different - {""}
    joined = "".join(some)
    if not joined.replace("-", "").replace("_", "").isalnum() or not joined.isascii():
        return None
    if min(map(len, some)) < SHORT or not _NO_KEYS.isdisjoint(some):
        return None
    return _whole(cells, different)


def _texts(cells: Sequence[str], different: Set[str]) -> list[str | None] | None:
    joined = "\n" + "\n".join(different) + "\n"
    if any(guard in joined for guard in _GUARDS) or may_hold((joined,)):
        return None
    some = different - {""}
    if [*map(str.strip, some)] != [*some]:
        return None
    if max(map(len, some), default=0) > values.CELL_CHARS or _says_nothing(some):
        return None
    return _whole(cells, different)


def _names(cells: Sequence[str], different: Set[str]) -> list[str | None] | None:
    """Names of makers and models: texts of which none may be a word for an unknown one."""
    if any(
        len(cell) < LONGEST_NO_NAME and cell.lower().strip("()[]<> ") in NO_NAME
        for cell in different - {""}
    ):
        return None
    return _texts(cells, different)


def _says_nothing(some: Set[str]) -> bool:
    """Tell whether one of these cells may be a word for nothing, which are short."""
    return any(len(cell) < LONGEST_NOTHING and cell.lower() in NOTHING for cell in some)


def _whole(cells: Sequence[str], different: Set[str]) -> list[str | None]:
    return [cell or None for cell in cells] if "" in different else list(cells)
