"""Asks the segment by multicast DNS for the services that hosts announce.

Source: RFC 6762, RFC 6763. One datagram a segment.
"""

from auditor.plugins import Found, Medium, Sweep
from auditor.sweeps.found import found
from auditor.wire import dns


def read(raw: bytes, sender: str) -> tuple[Found, ...]:
    """Read one reply; a question, our own echo included, tells of nobody."""
    return found(dns.seen(raw, sender))


SWEEP = Sweep(
    name="mdns",
    medium=Medium.GROUP,
    source="RFC 6762, RFC 6763",
    group=dns.GROUP,
    port=dns.PORT,
    request=dns.question,
    read=read,
    order=36,
)
