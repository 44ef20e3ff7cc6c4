"""What routers say of addresses that cannot be reached: ICMP destination unreachable.

Source: RFC 792 and RFC 1812 section 5.2.7.1 (codes). Such an answer says who keeps us away; it
is no answer of the address, unless the address says it itself.
"""

import numpy as np
from numpy.typing import NDArray

from auditor.net.bulk import Numbers
from auditor.net.filters import ICMP, UNREACHABLE
from auditor.net.rings import Frames

LEAST = 54  # octets of an answering segment; a complaint is longer
LOOK = 62  # octets: the frame, ICMP's head and the IP head of what could not be delivered


class Complaints:
    """Who said of which address that it cannot be reached, and why."""

    def __init__(self, source: str) -> None:
        self.source = np.frombuffer(bytes(map(int, source.split("."))), np.uint8)
        self.said: dict[int, tuple[str, int]] = {}  # address: (router, code)

    def read(
        self, frames: Frames, protocol: int
    ) -> tuple[Numbers, NDArray[np.uint16], NDArray[np.bool_], Frames]:
        """Give of answers about what we sent: the address, our mark in its IP head, whether the
        address says so itself; and the frames.
        """
        right = (frames[:, 23] == ICMP) & (frames[:, 34] == UNREACHABLE)
        right &= (frames[:, 14] == 0x45) & (frames[:, 42] == 0x45) & (frames[:, 51] == protocol)
        right &= (frames[:, 54:58] == self.source).all(axis=1)
        frames = frames[right]
        about = frames[:, 58:62].copy().view(">u4")[:, 0].astype(np.uint32)
        marks = frames[:, 46:48].copy().view(">u2")[:, 0].astype(np.uint16)
        itself = (frames[:, 26:30] == frames[:, 58:62]).all(axis=1)
        return about, marks, itself, frames

    def note(self, about: Numbers, frames: Frames) -> None:
        """Keep what routers said; the first word on an address counts."""
        for ip, router, code in zip(
            about.tolist(), frames[:, 26:30].tolist(), frames[:, 35].tolist(), strict=True
        ):
            self.said.setdefault(ip, (".".join(map(str, router)), code))
