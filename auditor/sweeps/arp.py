"""Asks every IPv4 address of the local segment for its hardware address.

Source: RFC 826. Asks under the pace's own ARP cap, because Dynamic ARP Inspection shuts down
a switch port that sends more than 15 of these a second.
"""

from auditor.plugins import Found, Medium, Sweep
from auditor.sweeps.found import found
from auditor.wire import frames


def read(raw: bytes, _sender: str) -> tuple[Found, ...]:
    """Read one frame (it names its sender itself); all but ARP replies tell of nobody."""
    return found(frames.arp_reply(raw))


SWEEP = Sweep(name="arp", medium=Medium.FRAME, source="RFC 826", read=read, kind="arp", order=10)
