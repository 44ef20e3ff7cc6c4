"""Asks all IPv6 nodes of the segment at once; a /64 is never swept.

Source: RFC 4291 section 2.7.1 (all-nodes group), RFC 4443 section 4 (echo), RFC 4861.
"""

from auditor.plugins import Found, Medium, Sweep
from auditor.sweeps.found import found
from auditor.wire import ndp


def read(raw: bytes, _sender: str) -> tuple[Found, ...]:
    """Read one frame: echo replies and neighbour messages tell who is there."""
    return found(ndp.seen(raw))


SWEEP = Sweep(
    name="ndp",
    medium=Medium.FRAME,
    source="RFC 4291, RFC 4443, RFC 4861",
    read=read,
    kind="ndp",
    order=12,
)
