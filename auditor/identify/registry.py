"""Who registered a hardware address: the longest IEEE prefix that covers it.

Source: IEEE RA listings MA-L (24 bit), MA-M (28), MA-S (36), dated in oui_data/SOURCES.toml.
The registry is one text file, `bits TAB prefix TAB registrant`, sorted as text. It is mapped,
not read: the first look-ups search the mapping (no load to wait for); who asks more often
gets a table. A registrant is who registered the network interface, not who made the product.
"""

import hashlib
import mmap
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice, repeat
from pathlib import Path

from auditor.errors import DataError

PREFIX_BITS = (36, 28, 24)  # longest first: an MA-S block lies inside somebody's MA-L block
SUBDIVIDED = "IEEE Registration Authority"  # holds such an MA-L block; makes nothing
NOBODY = frozenset({SUBDIVIDED, "Private"})  # assignments that are made, and name nobody
STALE_DAYS = 180  # registries grow by some 10 blocks a day; half a year hides whole models
MANY = 20_000  # addresses from which on numpy pays for its import
BATCH = 1 << 17
_SEARCHES_BEFORE_TABLE = 64  # a search costs some 20 us, the table some 40 ms
_HINT = "run `auditor oui update FILE` with a fresh copy"


@dataclass(frozen=True, slots=True)
class Block:
    """One assignment: `prefix` holds the first `bits` bits; `registrant` as registered."""

    bits: int
    prefix: int
    registrant: str

    def __str__(self) -> str:
        return f"{self.prefix:0{self.bits // 4}X}/{self.bits}"


@dataclass(frozen=True, slots=True)
class RegistryStatus:
    """What the registry rests on. day: of the data, not of its download."""

    source: str
    day: date
    rows: int
    sha256: str
    licence: str = ""

    def age_days(self, today: date) -> int:
        """Count the days since the data was made."""
        return (today - self.day).days

    def stale(self, today: date) -> bool:
        """Tell whether the data is older than it may be."""
        return self.age_days(today) > STALE_DAYS


@dataclass(frozen=True, slots=True)
class _Split:
    """A 24-bit block whose parts are registered apart; `whole` holds the rest of it.

    parts: first address of the part -> registrant, empty where it names nobody.
    """

    whole: str | None
    parts: dict[int, str]
    lengths: dict[int, int]  # first address of the part -> bits of its prefix

    def find(self, value: int) -> str | None:
        parts = self.parts
        name = parts.get(value & ~0xFFF)
        if name is None:
            name = parts.get(value & ~0xFFFFF, self.whole)
        return name or None

    def bits(self, value: int) -> int:
        starts = (value & ~0xFFF, value & ~0xFFFFF)
        return next((self.lengths[start] for start in starts if start in self.parts), 24)


class Registry:
    """The registry of one folder that holds vendors.tsv and SOURCES.toml."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "vendors.tsv"
        self.status = _status(folder)
        try:
            with self.path.open("rb") as stream:
                self._text = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise DataError(
                f"the registry {self.path} cannot be read", why=str(error), hint=_HINT
            ) from error
        self._searches = 0
        self._table: dict[int, str | _Split] | None = None

    def block(self, value: int) -> Block | None:
        """Give the assignment that the address `value` (48 bits) lies in.

        None where no claim can be made: a local or group address (low two bits of the first
        octet; IEEE Std 802, clause 8) stands in no registry, and a block that IEEE has
        subdivided names nobody.
        """
        if value >> 40 & 0b11:
            return None
        self._searches += 1
        if self._table is not None or self._searches > _SEARCHES_BEFORE_TABLE:
            return self._tabulated(value)
        for bits in PREFIX_BITS:
            name = self._search(bits, value >> 48 - bits)
            if name:
                return None if name in NOBODY else Block(bits, value >> 48 - bits, name)
        return None

    def registrant(self, value: int) -> str | None:
        """Name the registrant of the address `value`; None where no claim can be made."""
        block = self.block(value)
        return block.registrant if block else None

    def registrants(self, values: Iterable[int]) -> Iterator[str | None]:
        """Name the registrant of each address, in order; from many on, all at once by numpy."""
        rest = iter(values)
        several = tuple(islice(rest, MANY))
        if len(several) < MANY:
            return map(self.registrant, several)
        from auditor.identify.registry_bulk import BulkTable

        table = BulkTable.of(self._text[:])
        batches = chain((several,), iter(lambda: tuple(islice(rest, BATCH)), ()))
        return chain.from_iterable(map(table.names_of, batches))

    @property
    def table(self) -> "dict[int, str | _Split]":
        """Give every 24-bit block's registrant, or its parts; made when it is first asked."""
        if self._table is None:
            self._table = self._tabulate()
        return self._table

    def _tabulated(self, value: int) -> Block | None:
        found = self.table.get(value >> 24)
        if isinstance(found, _Split):
            bits, name = found.bits(value), found.find(value)
            return Block(bits, value >> 48 - bits, name) if name else None
        return Block(24, value >> 24, found) if found else None

    def blocks(self) -> Iterator[Block]:
        """Give every assignment, in the order of the file."""
        for line in self._text[:].decode("utf-8").splitlines():
            bits, prefix, name = line.split("\t")
            yield Block(int(bits), int(prefix, 16), name)

    def _search(self, bits: int, prefix: int) -> str | None:
        key = f"{bits}\t{prefix:0{bits // 4}X}\t".encode()
        low, high, text = 0, len(self._text), self._text
        while low < high:
            start = text.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = text.find(b"\n", start)
            end = len(text) if end < 0 else end
            head = text[start : start + len(key)]
            if head == key:
                return text[start + len(key) : end].decode("utf-8", "replace")
            low, high = (end + 1, high) if head < key else (low, start)
        return None

    def _tabulate(self) -> dict[int, str | _Split]:
        cells = self._text[:].decode("utf-8", "replace").replace("\n", "\t").split("\t")
        widths, prefixes, names = cells[0:-1:3], cells[1::3], cells[2::3]
        numbers = map(int, prefixes, repeat(16))
        table: dict[int, str | _Split] = {}
        small: list[tuple[int, int, str]] = []
        for width, number, name in zip(widths, numbers, names, strict=False):
            if width != "24":
                bits = int(width)
                small.append((number << 48 - bits, bits, "" if name in NOBODY else name))
            elif name not in NOBODY and not number >> 16 & 0b11:
                table[number] = name
        for start, bits, name in small:
            whole = table.get(start >> 24)
            if not isinstance(whole, _Split):
                whole = table[start >> 24] = _Split(whole, {}, {})
            whole.parts[start] = name
            whole.lengths[start] = bits
        return table

    def close(self) -> None:
        """Let go of the mapping."""
        self._text.close()


def _status(folder: Path) -> RegistryStatus:
    path = folder / "SOURCES.toml"
    try:
        source = tomllib.loads(path.read_text("utf-8"))["registry"]
        return RegistryStatus(
            source["source"],
            source["day"],
            source["rows"],
            source["sha256"],
            source.get("licence", ""),
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} does not say where the registry comes from", why=repr(error), hint=_HINT
        ) from error


def verify(folder: Path) -> bool:
    """Tell whether vendors.tsv is, byte for byte, what SOURCES.toml says it is."""
    written = hashlib.sha256((folder / "vendors.tsv").read_bytes()).hexdigest()
    return written == _status(folder).sha256
