"""What the rows of printed tables say of devices: the reader behind arp_table and mac_table."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import BinaryIO

from auditor.errors import DataError
from auditor.importers.sighted import first_lines, numbered, record, shown
from auditor.importers.tables import ARP, IP, MAC, MACS, Part, Row, Unread, parts, rows
from auditor.model.observation import Endpoint
from auditor.plugins import Item, Options, Rejected, Sample

UPLINK_FROM = 6  # addresses: more than a telephone with a computer behind it, and guests
_OWN_PORTS = re.compile(
    r"cpu|router|switch|sup-eth.*|self|igmp|vpc.?peer.*|-+|drop|l3[-_ ]?(?:if|int|vlan|router).*|management|mgmt.*",
    re.IGNORECASE,
)
_OWN_TYPES = re.compile(r"self|system|management|own|igmp|local|intf", re.IGNORECASE)
_NUMBER = re.compile(r"(\d{1,4})(?:/(?:-|\d{1,4}))?")
_NAMED = re.compile(
    r"(?:vlan(?:-?interface|if)?\.?|vl|irb\.|br-?vlan)\s?(\d{1,4})(?:[\s,].*)?", re.IGNORECASE
)
_SURE, _LIKELY = 92, 70
_NOT_PRINTED = (b"<?xml", b"<nmaprun", b"<REQUEST", b"{", b"[{", b"[\n{", b"PK", b"lease ")
_NO_TABLE = re.compile(r"[,;\t|]")


def likeness(sample: Sample, kind: str) -> int:
    """Tell how much a file looks like a table of one kind; the kind of most rows counts."""
    if sample.head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(_NOT_PRINTED):
        return 0
    lines = first_lines(sample, 150)
    macs = [line for line in lines if MAC.search(line)]
    if not macs or sum(1 for line in macs if _NO_TABLE.search(line.strip())) > 0.5 * len(macs):
        return 0
    found = [row for part in parts(enumerate(lines, 1)) for row in rows(part)]
    read = [row for row in found if isinstance(row, Row)]
    mine = sum(1 for row in read if row.kind == kind)
    most = mine * 2 > len(read) or (mine * 2 == len(read) and kind == ARP)
    if not most or mine * 3 < len(macs):
        return 0
    told = any(len(part.host) > 0 for part in parts(enumerate(lines, 1)))
    shared = sum(1 for line in macs if IP.search(line)) if kind == ARP else len(macs)
    return _SURE if told or len(read) >= 0.8 * shared else _LIKELY


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record for each row of every table."""
    found = False
    for part in parts(numbered(file)):
        for item in _part(part, options):
            found = True
            yield item
    if not found:
        raise DataError(
            f"{options.name or 'the file'} holds no table of addresses",
            why="no row names a hardware address",
            hint="paste what the switch or router printed, with the prompt and the command",
        )


def _part(part: Part, options: Options) -> Iterator[Item]:
    read = list(rows(part, MACS if options.kind == "mac_table" else ""))
    behind: dict[str, set[str]] = defaultdict(set)
    for row in read:
        if isinstance(row, Row) and row.kind == MACS:
            behind[row.port].add(row.mac)
    for row in read:
        if isinstance(row, Unread):
            yield Rejected(row.line, row.why, shown(row.text))
        elif row.kind == MACS and _is_own(row):
            yield Rejected(row.line, "is an address of the switch itself", row.mac)
        else:
            yield _taken(row, part.host, len(behind[row.port]), options)


def _is_own(row: Row) -> bool:
    """Tell rows of the switch itself; a static row at a real port is a device that was fixed there."""
    port = row.port.strip()
    everywhere = row.vlan.strip().lower() == "all"
    return everywhere or bool(_OWN_PORTS.fullmatch(port) or _OWN_TYPES.fullmatch(row.type.strip()))


def _taken(row: Row, host: str, count: int, options: Options) -> Item:
    vlan = _vlan(_NUMBER, row.vlan) or _vlan(_NAMED, row.vlan)
    if row.kind == ARP and vlan is None:
        vlan = _vlan(_NAMED, row.port)
    seen: list[tuple[str, str | None]] = [("asset.vlan", str(vlan) if vlan else row.vlan or None)]
    if row.kind == MACS:
        seen.append(("asset.switch", host or None))
        port = row.port or None
        uplink = count >= UPLINK_FROM
        seen.append(
            ("asset.switch_uplink", f"{port} ({count} addresses)")
            if uplink
            else ("asset.switch_port", port)
        )
    name = row.name if row.name not in {"?", "-"} and row.name != row.ip else None
    seen.append(("device.hostname", name))
    tool = "arp_table" if row.kind == ARP else "mac_table"
    return record(tool, options, row.line, Endpoint(row.ip, row.mac, 0, "file", vlan), seen)


def _vlan(form: re.Pattern[str], text: str) -> int | None:
    """Give the number of a VLAN that is written in one form."""
    found = form.fullmatch(text.strip())
    return int(found[1]) if found and 0 < int(found[1]) < 4_095 else None
