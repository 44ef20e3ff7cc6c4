"""Asks the segment by DHIP, to which one camera platform and its relabels answer.

Source: UniversalScanner (julienblitte), DHIP. One datagram a segment.
"""

from auditor.plugins import Found, Medium, Sweep
from auditor.sweeps.found import found
from auditor.wire import dhip


def read(raw: bytes, sender: str) -> tuple[Found, ...]:
    """Read one reply; a question, our own echo included, tells of nobody."""
    return found(dhip.seen(raw, sender))


SWEEP = Sweep(
    name="dhip",
    medium=Medium.GROUP,
    source="UniversalScanner (julienblitte), DHIP",
    group=dhip.GROUP,
    port=dhip.PORT,
    request=dhip.search,
    read=read,
    order=31,
    again=True,
)
