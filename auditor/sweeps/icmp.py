"""Asks every IPv4 address for an echo, across routers as well.

Source: RFC 792 (echo). Silence tells nothing: many networks drop it.
"""

from auditor.plugins import Found, Medium, Sweep
from auditor.sweeps.found import found
from auditor.wire import frames


def read(raw: bytes, _sender: str) -> tuple[Found, ...]:
    """Read one frame: an echo reply tells that its source is there."""
    return found(frames.echo_reply(raw))


SWEEP = Sweep(name="icmp", medium=Medium.FRAME, source="RFC 792", read=read, kind="icmp", order=15)
