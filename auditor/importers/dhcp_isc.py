"""The leases of ISC dhcpd: a journal in which the last entry of an address and holder counts.

Source: dhcpd.leases(5). Times are UTC (or `epoch n`). A lease that has ended is a sighting all
the same: its holder was there when it was given out or last heard.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from auditor.errors import DataError
from auditor.importers.sighted import (
    at_second,
    device_ip,
    device_mac,
    first_lines,
    numbered,
    record,
    shown,
)
from auditor.model.observation import Endpoint
from auditor.plugins import Importer, Item, Options, Rejected, Sample

NAME = "dhcp_isc"
MOST_HELD = 200_000  # leases that are kept in memory until a later entry cannot be overlooked
MOST_WORDS = 64  # statements of one lease
_LEASE = re.compile(r"\s*lease\s+(\S{1,64})\s*\{(.*)")
_OTHER = re.compile(r"\s*(?:ia-na|ia-ta|ia-pd|host|group|failover|key|zone)\b[^{]{0,800}\{")
_STATEMENT = re.compile(r'((?:"(?:[^"\\]|\\.)*"|[^;"}])+);')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_DAY = re.compile(r"\d \d{4}/\d\d/\d\d \d\d:\d\d:\d\d")
_ESCAPED = re.compile(r"\\([0-7]{3}|.)")


@dataclass(frozen=True, slots=True)
class _Lease:
    line: int
    ip: str
    said: Mapping[str, str]

    @property
    def mac(self) -> str | None:
        return device_mac(self.said.get("hardware ethernet", ""))


def recognise(sample: Sample) -> int:
    """Tell by a lease with its braces and one of its statements."""
    lines = first_lines(sample)
    if not any(_LEASE.match(line) for line in lines):
        return 0
    words = ("starts ", "ends ", "binding state", "hardware ", "cltt ")
    return 97 if any(word in line for line in lines for word in words) else 60


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record for every address and holder, as its last entry says."""
    held: dict[tuple[str, str], _Lease] = {}
    found = False
    for item in _leases(file):
        if isinstance(item, Rejected):
            yield item
            continue
        found = True
        ip, mac = device_ip(item.ip), item.mac
        if ip is None or mac is None:
            state = item.said.get("binding state", "unknown")
            yield Rejected(item.line, f"names no device (state {state})", item.ip[:64])
            continue
        held.pop((ip, mac), None)
        held[ip, mac] = item
        if len(held) > MOST_HELD:
            yield _taken(held.pop(next(iter(held))), options)
    yield from (_taken(lease, options) for lease in held.values())
    if not found:
        raise DataError(
            f"{options.name or 'the file'} holds no lease of ISC dhcpd",
            hint="give /var/lib/dhcp/dhcpd.leases",
        )


def _leases(file: BinaryIO) -> Iterator[_Lease | Rejected]:
    lease: _Lease | None = None
    words: dict[str, str] = {}
    depth = 0
    for number, line in numbered(file):
        if begun := _LEASE.match(line):
            if lease:
                yield Rejected(lease.line, "the entry has no end", lease.ip)
            words, depth = {}, 0
            lease, line = _Lease(number, begun[1], words), begun[2]  # noqa: PLW2901
        elif _OTHER.match(line):
            depth += 1
            continue
        if lease is None:
            depth = max(0, depth - line.count("}"))
            continue
        bare = _QUOTED.sub("", line)
        if not depth:
            _read_into(words, line)
        depth += bare.count("{") - bare.count("}")
        if depth < 0:
            yield lease
            lease, depth = None, 0
    if lease:
        yield Rejected(lease.line, "the file ends within the entry", shown(lease.ip))


def _read_into(words: dict[str, str], line: str) -> None:
    """Read `name value;`; the name is one word or, for some, two or three."""
    for found in _STATEMENT.finditer(line.split("#", 1)[0] if '"' not in line else line):
        said = found[1].strip()
        name, _, value = said.partition(" ")
        if name in {"hardware", "binding", "set"}:
            second, _, value = value.strip().partition(" ")
            name = f"{name} {second}"
        if len(words) < MOST_WORDS:
            words[name] = value.removeprefix("= ").strip()


def _taken(lease: _Lease, options: Options) -> Item:
    said = lease.said
    seen = (
        ("dhcp.hostname", _unquoted(said.get("client-hostname", ""))),
        ("dhcp.vendor_class", _unquoted(said.get("set vendor-class-identifier", ""))),
    )
    moment = _moment(said.get("cltt", "")) or _moment(said.get("starts", ""))
    ended = _moment(said.get("ends", ""))
    if said.get("binding state") == "active" and ended and ended < options.moment:
        moment = max(moment, ended) if moment else ended
    end = Endpoint(device_ip(lease.ip), lease.mac, 0, "file")
    return record(NAME, options, lease.line, end, seen, moment)


def _unquoted(text: str) -> str:
    found = _QUOTED.fullmatch(text.strip())
    if not found:
        return text.strip()
    return _ESCAPED.sub(lambda e: chr(int(e[1], 8) & 0xFF) if len(e[1]) == 3 else e[1], found[1])


def _moment(text: str) -> datetime | None:
    """Read `4 2019/10/24 09:58:13` (the weekday first) or `epoch 1571911093`."""
    said = text.strip()
    if said.startswith("epoch "):
        return at_second(said.removeprefix("epoch ").split(" ", 1)[0])
    found = _DAY.match(said)
    try:
        return (
            datetime.strptime(found[0][2:], "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC)
            if found
            else None
        )
    except ValueError:
        return None


IMPORTER = Importer(name=NAME, recognise=recognise, read=read, source="dhcpd.leases(5)")
