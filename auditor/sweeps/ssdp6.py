"""Asks the root devices of the segment that listen on IPv6 by SSDP.

Source: UPnP Device Architecture 1.1 annex A. One datagram a segment, and only where IPv6 addresses
of the segment are authorised: what has no IPv4 address is not reached by the other question.
"""

from auditor.plugins import Medium, Sweep
from auditor.sweeps.ssdp import read
from auditor.wire import ssdp

SWEEP = Sweep(
    name="ssdp6",
    medium=Medium.GROUP,
    source="UPnP Device Architecture 1.1 annex A",
    group=ssdp.GROUP6,
    port=ssdp.PORT,
    request=ssdp.search6,
    read=read,
    order=35,
)
