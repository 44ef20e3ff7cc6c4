"""Asks the segment by SSDP, once for each root device.

Source: UPnP Device Architecture 1.1 section 1.3. One datagram a segment.
"""

from auditor.plugins import Found, Medium, Sweep
from auditor.sweeps.found import found
from auditor.wire import ssdp


def read(raw: bytes, sender: str) -> tuple[Found, ...]:
    """Read one reply; a question, our own echo included, tells of nobody."""
    return found(ssdp.seen(raw, sender))


SWEEP = Sweep(
    name="ssdp",
    medium=Medium.GROUP,
    source="UPnP Device Architecture 1.1 section 1.3",
    group=ssdp.GROUP,
    port=ssdp.PORT,
    request=ssdp.search,
    read=read,
    order=34,
)
