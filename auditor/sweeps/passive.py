"""Only listens: what devices of the segment say of their own accord.

Source: the encodings that `wire.sightings` reads (ARP, DHCP, mDNS, SSDP, WS-Discovery, SADP,
DHIP, IPv6 neighbours). Nothing is sent, so nothing can be disturbed.
"""

from auditor.plugins import Found, Medium, Sweep
from auditor.sweeps.found import found
from auditor.wire.sightings import sightings


def read(raw: bytes, _sender: str) -> tuple[Found, ...]:
    """Read one frame."""
    return found(sightings(raw))


SWEEP = Sweep(
    name="passive",
    medium=Medium.PASSIVE,
    source="RFC 826, RFC 2131, RFC 4861, RFC 6762, UPnP, WS-Discovery",
    read=read,
    order=90,
)
