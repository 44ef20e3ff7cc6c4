"""What arp-scan printed: an address, its hardware address and a vendor a line, in any order.

Source: arp-scan(1). Header and footer are absent with `--plain`; further answers for an address
end in `(DUP: n)`, whoever gave them: the same device again, or another one with the same address
(cameras at their factory address); tagged ones end in `(802.1Q VLAN=n)`. The vendor is an opinion on the address that is
formed anew from newer registries, and is not taken.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from auditor.errors import DataError
from auditor.importers.sighted import device_ip, device_mac, first_lines, numbered, record, shown
from auditor.model.observation import Endpoint
from auditor.plugins import Importer, Item, Options, Rejected, Sample

NAME = "arp_scan"
MOST_ANSWERED = 200_000  # pairs that are remembered; beyond them an answer counts again
_ABOUT = re.compile(
    r"\s*(?:Interface: \S+, |Starting arp-scan|Ending arp-scan|Target list from|WARNING:"
    r"|\d+ packets? received)"
)
_PARTS = re.compile(r"\t| {2,}|[,;]")
_VLAN = re.compile(r"VLAN[=:]\s?(\d{1,4})", re.IGNORECASE)
_MAC = re.compile(r"[0-9a-fA-F]{1,2}(?:[:-][0-9a-fA-F]{1,2}){5}")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_PLAIN = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}\t(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?:\t.*)?")


def recognise(sample: Sample) -> int:
    """Tell by the header, or by lines of address, tabulator, hardware address."""
    lines = first_lines(sample)
    if any(line.startswith(("Starting arp-scan", "Ending arp-scan")) for line in lines):
        return 97
    plain = sum(1 for line in lines if _PLAIN.fullmatch(line))
    return 85 if plain and plain >= 0.8 * len(lines) else 0


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record a line; what the same device answered twice is one."""
    found, first = False, True
    answered: set[tuple[str, str]] = set()
    for number, line in numbered(file):
        if not line.strip() or _ABOUT.match(line):
            found = found or bool(_ABOUT.match(line))
            continue
        parts = [part.strip() for part in _PARTS.split(line)]
        ip = next((device_ip(part) for part in parts if _IP.fullmatch(part)), None)
        mac = next((device_mac(part) for part in parts if _MAC.fullmatch(part)), None)
        if ip is None or mac is None:
            yield Rejected(number, "names no address with a hardware address", shown(line))
            continue
        found, first = True, False
        if (ip, mac) in answered and "(DUP:" in line:
            continue
        if len(answered) < MOST_ANSWERED:
            answered.add((ip, mac))
        tag = _VLAN.search(line)
        vlan = int(tag[1]) if tag and 0 < int(tag[1]) < 4_095 else None
        yield record(NAME, options, number, Endpoint(ip, mac, 0, "file", vlan))
    if first and not found:
        raise DataError(
            f"{options.name or 'the file'} is no output of arp-scan",
            why="no line holds an address and a hardware address",
            hint="give what `arp-scan` printed, with or without --plain",
        )


IMPORTER = Importer(name=NAME, recognise=recognise, read=read, source="arp-scan(1)")
