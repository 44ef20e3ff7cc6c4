"""ARP to a whole network in one volley of the packet rings (see `arp` for what answers mean)."""

import socket
import struct

import numpy as np
from numpy.typing import NDArray

from auditor.model.address import AddressSet
from auditor.net.bulk import Fence, Numbers, numbers_of, written
from auditor.net.guard import Guard
from auditor.net.interfaces import Interface
from auditor.net.rings import Frames
from auditor.net.volley import Indices

FRAME = 60
REPLY = 42  # octets of a reply that are looked at
_KIND = np.frombuffer(bytes.fromhex("08060001080006040002"), np.uint8)
MOST_MACS = 4  # per address; more claims are a forger's
_WEIGHTS = 256 ** np.arange(5, -1, -1, dtype=np.uint64)


class ArpQuestions:
    """Who has each of these addresses? claims: what was heard, per address as in `arp`."""

    def __init__(self, guard: Guard, interface: Interface, asked: AddressSet) -> None:
        self.numbers: Numbers = numbers_of(asked)
        self.fence = Fence(guard)
        self.template = _template(interface)
        self.sources = _sources(interface, self.numbers)
        self.targets = self.numbers.astype(">u4").view(np.uint8).reshape(-1, 4)
        self.macs = np.zeros(len(self.numbers), np.uint64)
        self.replies = np.zeros((len(self.numbers), REPLY), np.uint8)
        self.tags = np.full(len(self.numbers), -1, np.int32)
        self.others: dict[int, dict[tuple[bytes, int | None], bytes]] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    def frames(self, which: Indices) -> Frames:
        """Write the requests."""
        frames = np.repeat(self.template, len(which), axis=0)
        frames[:, 28:32] = self.sources[which]
        frames[:, 38:42] = self.targets[which]
        return frames

    def permit(self, guard: Guard, which: Indices) -> None:
        """Let these requests pass the scope."""
        self.fence.permit(guard, self.numbers[which], None)

    def journal(self, guard: Guard, which: Indices) -> None:
        """Note these requests as one line."""
        if guard.journal:
            size, count = FRAME * len(which), len(which)
            guard.sent("arp", written(self.numbers[which]), 0, size, "arp", None, count)

    def read(self, frames: Frames, tags: NDArray[np.int32]) -> Indices:
        """Note the replies; forged, misshapen and unasked ones are passed over."""
        right = (frames[:, 12:22] == _KIND).all(axis=1) & (frames[:, 22] & 1 == 0)
        frames, tags = frames[right], tags[right]
        ips = frames[:, 28:32].copy().view(">u4")[:, 0].astype(np.uint32)
        at = np.minimum(np.searchsorted(self.numbers, ips), len(self.numbers) - 1)
        macs = (frames[:, 22:28].astype(np.uint64) * _WEIGHTS).sum(axis=1, dtype=np.uint64)
        asked = (self.numbers[at] == ips) & (macs != 0)
        at, macs, frames, tags = at[asked], macs[asked], frames[asked], tags[asked]
        # backwards: of several that claim one address in one go the first stays
        new = np.flatnonzero(self.macs[at] == 0)[::-1]
        self.macs[at[new]], self.tags[at[new]] = macs[new], tags[new]
        self.replies[at[new]] = frames[new]
        for other in np.flatnonzero(self.macs[at] != macs)[: MOST_MACS * 1_024]:
            self._another(int(at[other]), frames[other].tobytes(), int(tags[other]))
        found: Indices = at.astype(np.int64)
        return found

    def _another(self, at: int, frame: bytes, tag: int) -> None:
        claims = self.others.setdefault(at, {})
        if len(claims) < MOST_MACS - 1:
            claims.setdefault((frame[22:28], None if tag < 0 else tag), frame)

    def claims(self) -> dict[int, dict[tuple[bytes, int | None], bytes]]:
        """Give per address the hardware addresses (and tags) that claim it, with the frames."""
        found = {}
        for at in np.flatnonzero(self.macs):
            raw = self.replies[at].tobytes()
            tag = int(self.tags[at])
            first = {(raw[22:28], None if tag < 0 else tag): raw}
            found[int(self.numbers[at])] = first | self.others.get(int(at), {})
        return found


def _template(interface: Interface) -> Frames:
    mac = bytes.fromhex(interface.mac.replace(":", ""))
    head = struct.pack("!6s6sHHHBBH6s", b"\xff" * 6, mac, 0x0806, 1, 0x0800, 6, 4, 1, mac)
    return np.frombuffer(head.ljust(FRAME, b"\0"), np.uint8).reshape(1, FRAME).copy()


def _sources(interface: Interface, numbers: Numbers) -> NDArray[np.uint8]:
    """Give per target the address of ours that lies in its network."""
    own = [(a.ip, a.prefix) for a in interface.addresses if "." in a.ip] or [("0.0.0.0", 0)]  # noqa: S104
    sources = np.zeros((len(numbers), 4), np.uint8)
    sources[:] = np.frombuffer(socket.inet_aton(own[0][0]), np.uint8)
    for ip, prefix in reversed(own):
        raw = socket.inet_aton(ip)
        mask = np.uint32((0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF)
        near = (numbers & mask) == (np.uint32(int.from_bytes(raw, "big")) & mask)
        sources[near] = np.frombuffer(raw, np.uint8)
    return sources
