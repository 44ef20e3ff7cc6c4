"""Echo requests to whole networks behind a gateway, through the packet rings (see `icmp`)."""

import secrets
import struct

import numpy as np
from numpy.typing import NDArray

from auditor.model.address import AddressSet
from auditor.net.bulk import Fence, Numbers, checksum, hashed, numbers_of, octets, words, written
from auditor.net.filters import ECHO_REPLY, ETH_P_IP, ICMP
from auditor.net.guard import Guard
from auditor.net.rings import Frames
from auditor.net.routes import Way
from auditor.net.unreachable import Complaints
from auditor.net.volley import Indices

FRAME = 60
LEAST = 14 + 36  # octets of the frame of an answer
SIZE = 36  # octets of the IP packet: both heads and a hash of eight octets
_ECHO = 8


class EchoQuestions:
    """Does this address answer an echo? lives: the time to live of the answer, 0 for none."""

    def __init__(self, guard: Guard, way: Way, mac: bytes, asked: AddressSet) -> None:
        self.numbers: Numbers = numbers_of(asked)
        self.lives = np.zeros(len(self.numbers), np.int64)
        self.complaints = Complaints(way.source)
        self.fence = Fence(guard)
        self.key = np.uint64(secrets.randbits(64))
        self.name = secrets.token_bytes(2)
        own = bytes.fromhex(way.interface.mac.replace(":", ""))
        source = self.complaints.source.tobytes()
        head = struct.pack("!6s6sH", mac, own, ETH_P_IP)
        head += struct.pack("!BBHHHBBH4s4s", 0x45, 0, SIZE, 0, 0, 64, ICMP, 0, source, bytes(4))
        head += struct.pack("!BBH2sH", _ECHO, 0, 0, self.name, 1)
        self.template = np.frombuffer(head.ljust(FRAME, b"\0"), np.uint8).reshape(1, FRAME)

    def __len__(self) -> int:
        return len(self.numbers)

    def proofs(self, ips: Numbers) -> NDArray[np.uint8]:
        """Give the eight octets that only the address asked can send back."""
        return octets(hashed(ips.astype(np.uint64), self.key).astype(">u8"))

    def frames(self, which: Indices) -> Frames:
        """Write the requests with their checksums."""
        ips = self.numbers[which]
        frames = np.repeat(self.template, len(which), axis=0)
        frames[:, 30:34] = octets(ips.astype(">u4"))
        frames[:, 42:50] = self.proofs(ips)
        frames[:, 18:20] = frames[:, 48:50]  # what a router sends back of it proves to be ours
        frames[:, 24:26] = octets(checksum(words(frames[:, 14:34])).astype(">u2"))
        frames[:, 36:38] = octets(checksum(words(frames[:, 34:50])).astype(">u2"))
        return frames

    def permit(self, guard: Guard, which: Indices) -> None:
        """Let these requests pass the scope."""
        self.fence.permit(guard, self.numbers[which], None)

    def journal(self, guard: Guard, which: Indices) -> None:
        """Note these requests as one line."""
        if guard.journal:
            ips = written(self.numbers[which])
            guard.sent("icmp", ips, 0, SIZE - 20, "icmp", None, len(which))

    def read(self, frames: Frames, tags: NDArray[np.int32]) -> Indices:  # noqa: ARG002
        """Note the answers that prove to be ours, and what routers say of them."""
        self._complain(frames)
        right = (frames[:, 14] == 0x45) & (frames[:, 34] == ECHO_REPLY)
        frames = frames[right & (frames[:, 38:40] == list(self.name)).all(axis=1)]
        ips = frames[:, 26:30].copy().view(">u4")[:, 0].astype(np.uint32)
        at = self._places(ips)
        ours = (self.numbers[at] == ips) & (frames[:, 42:50] == self.proofs(ips)).all(axis=1)
        self.lives[at[ours]] = frames[ours, 22]
        which: Indices = at[ours]
        return which

    def _complain(self, frames: Frames) -> None:
        about, marks, itself, frames = self.complaints.read(frames, ICMP)
        own = self.proofs(about)[:, 6:8].copy().view(">u2")[:, 0]
        ours = (self.numbers[self._places(about)] == about) & (own == marks) & ~itself
        self.complaints.note(about[ours], frames[ours])

    def _places(self, ips: Numbers) -> Indices:
        found: Indices = np.minimum(np.searchsorted(self.numbers, ips), len(self.numbers) - 1)
        return found.astype(np.int64)
