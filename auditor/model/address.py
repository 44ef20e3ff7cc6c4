"""Hardware and Internet addresses, and sets of them too large to list.

An address set is kept as sorted, disjoint ranges, so a planned /8 costs as much memory as
a /32. netaddr (the only user of it stands here) reads what people type: a single address,
a CIDR block, `10.0.0.1-10.0.0.9`, `10.0.0.1-9`, `10.0.*.*`.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from auditor.errors import DataError

_MAC_DIGITS = re.compile(r"[0-9A-Fa-f]{12}")
_MAC_SEPARATORS = str.maketrans("", "", ":-. ")
_BLOCK = re.compile(r"[0-9a-fA-F.:]{2,45}/\d{1,3}")
_MAPPED_FIRST, _MAPPED_LAST = 0xFFFF << 32, (0xFFFF << 32) + (1 << 32) - 1  # ::ffff:0:0/96
MOST_NAMED6 = 256  # IPv6 addresses in a row; more of them are a network, which is not swept
_NAT64 = 0x0064_FF9B << 96  # 64:ff9b::/96 (RFC 6052, 2.1)
_SIX_TO_FOUR = 0x2002  # 2002::/16 (RFC 3056, 2)
_LAST_OCTETS = re.compile(r"(?P<head>(?:\d{1,3}\.){3})(?P<first>\d{1,3})-(?P<last>\d{1,3})")


@dataclass(frozen=True, slots=True, order=True)
class Mac:
    """A 48-bit hardware address (IEEE Std 802, clause 8), first octet most significant."""

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value < 1 << 48:
            raise DataError(f"{self.value:#x} is no 48-bit address", hint="give six octets")

    @classmethod
    def parse(cls, text: str) -> "Mac":
        """Read `aa:bb:cc:dd:ee:ff`, `AA-BB-…`, `aabb.ccdd.eeff` or twelve digits."""
        digits = text.strip().translate(_MAC_SEPARATORS)
        if not _MAC_DIGITS.fullmatch(digits):
            raise DataError(
                f"{text!r} is no hardware address", hint="write it as aa:bb:cc:dd:ee:ff"
            )
        return cls(int(digits, 16))

    @property
    def is_group(self) -> bool:
        """Tell whether this addresses a group (multicast or broadcast) and so no device."""
        return bool(self.value >> 40 & 0b01)

    @property
    def is_local(self) -> bool:
        """Tell whether the address was made up locally (randomised, virtual): no registrant."""
        return bool(self.value >> 40 & 0b10)

    def __str__(self) -> str:
        return self.value.to_bytes(6, "big").hex(":")


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """The addresses `first` to `last` (both included, as integers) of IP version 4 or 6."""

    version: int
    first: int
    last: int

    def __post_init__(self) -> None:
        if self.version not in {4, 6} or not 0 <= self.first <= self.last < 1 << self.bits:
            raise DataError(
                f"{self.first:#x}-{self.last:#x} is no range of IPv{self.version} addresses",
                hint="write the lower address first",
            )

    @property
    def bits(self) -> int:
        """Give the width of an address of this version."""
        return 32 if self.version == 4 else 128

    @property
    def size(self) -> int:
        """Count the addresses."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        first, last = address(self.version, self.first), address(self.version, self.last)
        return first if self.size == 1 else f"{first}-{last}"


def address(version: int, number: int) -> str:
    """Write an address of that IP version in its canonical text form (RFC 5952 for IPv6)."""
    if version == 4:
        return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return str(ipaddress.IPv6Address(number))


def host(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read one address; ValueError where it is none.

    A zone (`%eth0`) is left out: it names an interface of whoever wrote it. An IPv4-mapped
    address (RFC 4291, 2.5.5.2) is the IPv4 address that the kernel would send to.
    """
    found = ipaddress.ip_address(text.split("%", 1)[0])
    return (found.version == 6 and found.ipv4_mapped) or found


def _four(text: str) -> int | None:
    """Read an IPv4 address, as nearly all are; much faster than to ask `ipaddress`."""
    number, octets = 0, text.split(".")
    if len(octets) != 4 or not text.isascii():
        return None
    for octet in octets:
        if not octet.isdigit() or len(octet) > 3 or (len(octet) > 1 and octet[0] == "0"):
            return None
        value = int(octet)
        if value > 255:
            return None
        number = number << 8 | value
    return number


def _numbered(text: str) -> tuple[int, int]:
    """Give version and number of one address; ValueError where it is none (see `host`)."""
    four = _four(text)
    if four is not None:
        return 4, four
    found = host(text)
    return found.version, int(found)


def carried(ip: str) -> str | None:
    """Give the IPv4 host that a translator or a relay reaches by this IPv6 address.

    Source: RFC 6052 (well-known prefix of NAT64), RFC 3056 (6to4). None for all others.
    """
    number = int(host(ip)) if ":" in ip else 0
    if number >> 32 << 32 == _NAT64:
        return address(4, number & 0xFFFF_FFFF)
    return address(4, number >> 80 & 0xFFFF_FFFF) if number >> 112 == _SIX_TO_FOUR else None


def canonical_ip(text: str) -> str:
    """Give the canonical text of one IP address; the zone of a link-local one is kept."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError as error:
        raise DataError(f"{text!r} is no IP address", why=str(error)) from error


@dataclass(frozen=True)
class AddressSet:
    """A set of IP addresses as sorted, disjoint ranges; holds both versions."""

    ranges: tuple[Range, ...] = ()

    @classmethod
    def of(cls, ranges: Iterable[Range]) -> "AddressSet":
        """Join overlapping and touching ranges."""
        joined: list[Range] = []
        for piece in sorted(ranges, key=_place):
            before = joined[-1] if joined else None
            if before and before.version == piece.version and piece.first <= before.last + 1:
                joined[-1] = Range(before.version, before.first, max(before.last, piece.last))
            else:
                joined.append(piece)
        return cls(tuple(joined))

    @classmethod
    def single(cls, ips: Iterable[str]) -> "AddressSet":
        """Make a set of single addresses given as text, fast."""
        joined: list[list[int]] = []
        for version, number in sorted(set(map(_numbered, ips))):
            if joined and joined[-1][0] == version and joined[-1][2] + 1 == number:
                joined[-1][2] = number
            else:
                joined.append([version, number, number])
        return cls(tuple(Range(*piece) for piece in joined))

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "AddressSet":
        """Read targets as people write them; names of hosts are refused (they can move)."""
        return cls.of(_unmapped(_range(text.strip())) for text in texts)

    @property
    def size(self) -> int:
        """Count the addresses (`len` cannot: an IPv6 /64 holds more than it may return)."""
        return sum(piece.size for piece in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, ip: str) -> bool:
        version, number = _numbered(ip)
        at = self._index(version, number)
        return at is not None and self.ranges[at].first <= number <= self.ranges[at].last

    @cached_property
    def _starts(self) -> dict[int, tuple[list[int], list[int]]]:
        starts: dict[int, tuple[list[int], list[int]]] = {4: ([], []), 6: ([], [])}
        for at, piece in enumerate(self.ranges):
            starts[piece.version][0].append(piece.first)
            starts[piece.version][1].append(at)
        return starts

    def _index(self, version: int, number: int) -> int | None:
        from bisect import bisect_right

        firsts, places = self._starts[version]
        at = bisect_right(firsts, number)
        return places[at - 1] if at else None

    def __iter__(self) -> Iterator[str]:
        """Give every address as text, in order, without ever listing them."""
        for piece in self.ranges:
            for number in range(piece.first, piece.last + 1):
                yield address(piece.version, number)

    def join(self, other: "AddressSet") -> "AddressSet":
        """Give the addresses that are in either set."""
        return AddressSet.of((*self.ranges, *other.ranges))

    def minus(self, other: "AddressSet") -> "AddressSet":
        """Give the addresses of this set that are not in `other`; linear in both."""
        if not (self.ranges and other.ranges):
            return self
        kept: list[Range] = []
        holes, at = other.ranges, 0
        for piece in self.ranges:
            here = piece.version, piece.first
            while at < len(holes) and (holes[at].version, holes[at].last) < here:
                at += 1
            kept += _without(piece, holes, at)
        return AddressSet(tuple(kept))

    def meet(self, other: "AddressSet") -> "AddressSet":
        """Give the addresses that are in both sets."""
        return self.minus(self.minus(other))

    def of_version(self, version: int) -> "AddressSet":
        """Give the IPv4 or the IPv6 addresses of this set."""
        return AddressSet(tuple(piece for piece in self.ranges if piece.version == version))

    def named6(self) -> "AddressSet":
        """Give the IPv6 addresses that somebody named one by one, and not as a network."""
        six = self.of_version(6).ranges
        return AddressSet(tuple(piece for piece in six if piece.size <= MOST_NAMED6))

    def cidrs(self) -> tuple[str, ...]:
        """Write the set as the fewest CIDR blocks."""
        blocks: list[str] = []
        for piece in self.ranges:
            kind = ipaddress.IPv4Address if piece.version == 4 else ipaddress.IPv6Address
            blocks += map(
                str, ipaddress.summarize_address_range(kind(piece.first), kind(piece.last))
            )
        return tuple(blocks)

    def texts(self) -> tuple[str, ...]:
        """Write the set as `first-last` ranges, single addresses bare."""
        return tuple(map(str, self.ranges))


LINK_LOCAL = AddressSet((Range(6, 0xFE80 << 112, (0xFE80 << 112 | (1 << 118) - 1)),))  # fe80::/10


def _unmapped(piece: Range) -> Range:
    """Write a range of IPv4-mapped addresses as the IPv4 addresses that it means."""
    if piece.version == 4 or not _MAPPED_FIRST <= piece.first <= piece.last <= _MAPPED_LAST:
        return piece
    return Range(4, piece.first - _MAPPED_FIRST, piece.last - _MAPPED_FIRST)


def _place(piece: Range) -> tuple[int, int, int]:
    return piece.version, piece.first, piece.last


def _without(piece: Range, holes: Sequence[Range], at: int) -> list[Range]:
    """Give what is left of `piece` when the holes from `at` on are taken out."""
    first, left, end = piece.first, [], (piece.version, piece.last)
    while at < len(holes) and (holes[at].version, holes[at].first) <= end:
        if first < holes[at].first:
            left.append(Range(piece.version, first, holes[at].first - 1))
        first = max(first, holes[at].last + 1)
        at += 1
    if first == piece.first:
        return [piece]
    return [*left, Range(piece.version, first, piece.last)] if first <= piece.last else left


def _plain_range(text: str) -> Range | None:
    """Read `address`, `address-address` and `address/bits` without netaddr, whose import takes
    its time; our own notes hold thousands.
    """
    if "/" in text and _BLOCK.fullmatch(text):
        try:
            block = ipaddress.ip_network(text, strict=False)
        except ValueError:
            return None
        return Range(block.version, int(block[0]), int(block[-1]))
    head, sign, tail = text.partition("-")
    first = _four(head)
    last = _four(tail) if sign else first
    if first is not None and last is not None:
        return Range(4, first, last) if first <= last else None
    try:
        one = ipaddress.ip_address(head)
        other = ipaddress.ip_address(tail) if sign else one
    except ValueError:
        return None
    if one.version != other.version or int(one) > int(other):
        return None
    return Range(one.version, int(one), int(other))


def _range(text: str) -> Range:
    if found := _plain_range(text):
        return found
    import netaddr

    try:
        short = _LAST_OCTETS.fullmatch(text)
        if short:
            text = f"{short['head']}{short['first']}-{short['head']}{short['last']}"
        if "*" in text:
            first, last = netaddr.glob_to_iptuple(text)
        elif "-" in text:
            first, last = map(netaddr.IPAddress, text.split("-", 1))
        elif "/" in text:
            network = netaddr.IPNetwork(text)
            first, last = (
                netaddr.IPAddress(network.first, network.version),
                netaddr.IPAddress(network.last, network.version),
            )
        else:
            # inet_aton forms such as "10.1" mean 10.0.0.1 to some and 10.1.0.0 to others
            first = last = netaddr.IPAddress(text, flags=netaddr.INET_PTON)
        return Range(first.version, int(first), int(last))
    except (netaddr.AddrFormatError, ValueError, TypeError, DataError) as error:
        raise DataError(
            f"{text!r} is no address, network or range of addresses",
            why=str(error),
            hint="write 192.168.1.0/24, 192.168.1.10-20, 192.168.1.* or one address",
        ) from error
