"""Asks one camera platform, relabels included, for model, serial, MAC and firmware.

Source: the SADP exchange as UniversalScanner describes it (see wire.sadp). One datagram a
segment; cameras on a foreign subnet of the segment answer, too.
"""

from auditor.plugins import Found, Medium, Sweep
from auditor.sweeps.found import found
from auditor.wire import sadp


def read(raw: bytes, sender: str) -> tuple[Found, ...]:
    """Read one reply; our own question, which loops back, tells of nobody."""
    return found(sadp.seen(raw, sender))


SWEEP = Sweep(
    name="sadp",
    medium=Medium.GROUP,
    source="UniversalScanner (julienblitte), SADP",
    group=sadp.GROUP,
    port=sadp.PORT,
    request=sadp.inquiry,
    read=read,
    also_port=sadp.PORT,
    order=30,
    again=True,
)
