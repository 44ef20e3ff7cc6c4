"""Asks the hosts of the segment that listen on IPv6 by multicast DNS for their services.

Source: RFC 6762 section 3, RFC 6763. One datagram a segment, and only where IPv6 addresses
of the segment are authorised: what has no IPv4 address is not reached by the other question.
"""

from auditor.plugins import Medium, Sweep
from auditor.sweeps.mdns import read
from auditor.wire import dns

SWEEP = Sweep(
    name="mdns6",
    medium=Medium.GROUP,
    source="RFC 6762 section 3, RFC 6763",
    group=dns.GROUP6,
    port=dns.PORT,
    request=dns.question,
    read=read,
    order=37,
)
