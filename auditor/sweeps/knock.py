"""Knocks on the usual ports of addresses behind routers with single TCP SYN frames.

Source: RFC 9293 section 3.5. It goes through the gateway that the kernel would take, only where
connections may be left half open (docs/decisions/0011); elsewhere `connect` knocks.
"""

from auditor.plugins import Found, Medium, Sweep
from auditor.sweeps.found import found
from auditor.wire import frames


def read(raw: bytes, _sender: str) -> tuple[Found, ...]:
    """Read one frame: an answer to a SYN tells that its source is there."""
    return found(frames.syn_reply(raw))


SWEEP = Sweep(
    name="knock",
    medium=Medium.FRAME,
    source="RFC 9293 section 3.5",
    read=read,
    kind="knock",
    order=18,
)
