"""Knocks on the usual ports with single TCP SYN frames, without the kernel's connections.

Source: RFC 9293 section 3.5: SYN,ACK says open, RST says closed; both say that somebody is
there. The half-open connection is reset by our own kernel, as for any stray answer.
"""

from auditor.plugins import Found, Medium, Sweep
from auditor.sweeps.found import found
from auditor.wire import frames


def read(raw: bytes, _sender: str) -> tuple[Found, ...]:
    """Read one frame: an answer to a SYN tells the state of the port it comes from."""
    return found(frames.syn_reply(raw))


SWEEP = Sweep(
    name="syn",
    medium=Medium.FRAME,
    source="RFC 9293 section 3.5",
    read=read,
    kind="syn",
    order=20,
)
