"""The leases of dnsmasq: expiry, hardware address, address, name and client identifier a line.

Source: dnsmasq(8), lease.c. The file says when a lease ends, not when its holder was heard: a
lease that has ended was held until then, any other one still is. IPv6 leases follow a `duid`
line; an identifier of type 1 or 3 (RFC 8415 section 11) holds the hardware address.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from auditor.errors import DataError
from auditor.importers.duid import hardware_in
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

NAME = "dhcp_dnsmasq"
_V4 = re.compile(
    r"(?P<end>\d{1,10}) (?:[0-9a-f]{2}-)?(?P<mac>[0-9a-f]{2}(?::[0-9a-f]{2}){5}) (?P<ip>[\d.]{7,15})"
    r" (?P<name>\S{1,255})(?: (?P<id>\S{1,800}))?",
    re.IGNORECASE,
)
_V6 = re.compile(
    r"(?P<end>\d{1,10}) T?(?P<mac>\d{1,10}) (?P<ip>[0-9a-f:]{2,39}) (?P<name>\S{1,255})"
    r"(?: (?P<id>\S{1,800}))?",
    re.IGNORECASE,
)


def recognise(sample: Sample) -> int:
    """Tell by lines that are all leases."""
    lines = [line for line in first_lines(sample) if not line.startswith("duid ")]
    leases = sum(1 for line in lines if _V4.fullmatch(line) or _V6.fullmatch(line))
    return 95 if leases and leases >= 0.8 * len(lines) else 0


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record a lease."""
    found = False
    for number, line in numbered(file):
        if not line or line.startswith("duid "):
            continue
        lease = _V4.fullmatch(line) or _V6.fullmatch(line)
        ip = device_ip(lease["ip"]) if lease else None
        if lease is None or ip is None:
            yield Rejected(number, "is no lease", shown(line))
            continue
        found = True
        mac = (
            device_mac(lease["mac"])
            if ":" in lease["mac"]
            else device_mac(hardware_in(lease["id"] or "") or "")
        )
        name = None if lease["name"] == "*" else lease["name"]
        held = at_second(lease["end"])  # 0: for ever
        seen = (("dhcp.hostname", name),)
        yield record(NAME, options, number, Endpoint(ip, mac, 0, "file"), seen, held)
    if not found:
        raise DataError(
            f"{options.name or 'the file'} holds no lease of dnsmasq",
            hint="give /var/lib/misc/dnsmasq.leases",
        )


IMPORTER = Importer(name=NAME, recognise=recognise, read=read, source="dnsmasq(8), lease.c")
