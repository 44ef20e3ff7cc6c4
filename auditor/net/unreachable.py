"""What routers say of addresses that cannot be reached: ICMP destination unreachable.

Source: RFC 792 and RFC 1812 section 5.2.7.1 (codes). Such an answer says who keeps us away; it
is no answer of the address, unless the address says it itself.
"""

import numpy as np
from numpy.typing import NDArray

from auditor.net.bulk import Numbers
from auditor.net.link import (
    EQUAL,
    ETH_P_IP,
    LOAD_BYTE,
    LOAD_BYTE_INDEXED,
    LOAD_HALF,
    LOAD_HALF_INDEXED,
    LOAD_INDEX_IP,
    RETURN,
    WHOLE,
    Instruction,
)
from auditor.net.rings import Frames

ICMP, TCP = 1, 6
ECHO_REPLY, UNREACHABLE = 0, 3
LEAST = 54  # octets of an answering segment; a complaint is longer
LOOK = 62  # octets: the frame, ICMP's head and the IP head of what could not be delivered


def segments_or_errors(port: int) -> tuple[Instruction, ...]:
    """Give the filter that lets TCP segments to a port of ours through, and such answers."""
    return (
        (LOAD_HALF, 0, 0, 12),
        (EQUAL, 0, 10, ETH_P_IP),
        (LOAD_BYTE, 0, 0, 23),
        (EQUAL, 0, 3, TCP),
        (LOAD_INDEX_IP, 0, 0, 14),
        (LOAD_HALF_INDEXED, 0, 0, 16),
        (EQUAL, 4, 5, port),
        (EQUAL, 0, 4, ICMP),
        (LOAD_INDEX_IP, 0, 0, 14),
        (LOAD_BYTE_INDEXED, 0, 0, 14),
        (EQUAL, 0, 1, UNREACHABLE),
        (RETURN, 0, 0, WHOLE),
        (RETURN, 0, 0, 0),
    )


ECHOES_OR_ERRORS: tuple[Instruction, ...] = (
    (LOAD_HALF, 0, 0, 12),
    (EQUAL, 0, 7, ETH_P_IP),
    (LOAD_BYTE, 0, 0, 23),
    (EQUAL, 0, 5, ICMP),
    (LOAD_INDEX_IP, 0, 0, 14),
    (LOAD_BYTE_INDEXED, 0, 0, 14),
    (EQUAL, 1, 0, ECHO_REPLY),
    (EQUAL, 0, 1, UNREACHABLE),
    (RETURN, 0, 0, WHOLE),
    (RETURN, 0, 0, 0),
)


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
