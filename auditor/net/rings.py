"""Frames by the hundred thousand: the kernel's packet rings, seen as one array of slots.

Source: packet(7) and the kernel's packet_mmap.rst: PACKET_MMAP with TPACKET_V2, one ring to
receive and one to send, mapped once; no system call and no copy per frame. A filter in the
kernel keeps away all that is not an answer.
"""

import errno
import select
import socket
import time
from collections.abc import Iterable
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from auditor.errors import EnvironmentLack
from auditor.net.filters import NOTHING, VLAN_TAGS, Instruction
from auditor.net.interfaces import Interface
from auditor.net.link import attach, has_carrier, pulled
from auditor.net.ringed import RECEIVE_SLOTS, SEND_SLOTS, SLOT, Ringed, open_ringed

MOST_TAKEN = 1_024  # at a time; looking at more slots costs more than it brings
RECEIVED_AT, SEND_AT = 66, 32  # where the frame begins in a slot of either ring
TAG_SIZE = 4  # octets of a tag: type and control (IEEE 802.1Q, 9.4)
_LENGTH, _TAG = slice(4, 8), slice(24, 26)  # tp_len, tp_vlan_tci in struct tpacket2_hdr
FULL_S, FULL_TRIES = 0.001, 1_000  # how long a driver with a full queue is given, and how often
_CAUGHT = slice(8, 12)  # tp_snaplen: how many octets of a frame stand in its slot
_READY, _VLAN = 1, 0x10  # TP_STATUS_USER or _SEND_REQUEST, TP_STATUS_VLAN_VALID

_TAG_FROM = min(VLAN_TAGS) >> 8  # the first octet of any of them; IPv4's and ARP's is less

Frames = NDArray[np.uint8]  # one frame a row
Words = NDArray[np.uint32]


class Rings:
    """A socket with both rings on one interface; use it in a `with` statement."""

    def __init__(
        self,
        interface: Interface,
        program: Iterable[Instruction],
        opened: Ringed | None = None,
    ) -> None:
        self.sock, self._map = opened or open_ringed(interface, program)
        slots = np.frombuffer(self._map, np.uint8).reshape(-1, SLOT)
        self._in: Frames = slots[:RECEIVE_SLOTS]
        self._out: Frames = slots[RECEIVE_SLOTS:]
        self._in_status: Words = self._in[:, :4].view(np.uint32)[:, 0]
        self._out_status: Words = self._out[:, :4].view(np.uint32)[:, 0]
        self._out_length: Words = self._out[:, _LENGTH].view(np.uint32)[:, 0]
        self._read_at, self._write_at = 0, 0

    def __enter__(self) -> "Rings":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the socket and the memory."""
        self.sock.close()
        # the arrays look into the map, which cannot be unmapped while they live
        del self._in, self._out, self._in_status, self._out_status, self._out_length

    def rest(self) -> None:
        """Hear nothing until `wake`."""
        attach(self.sock, NOTHING)

    def wake(self, program: Iterable[Instruction]) -> bool:
        """Forget what came and hear what `program` lets in; False where the link is gone."""
        if self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return False
        while len(self.take(0)[0]):
            pass
        attach(self.sock, program)
        return True

    def room(self) -> int:
        """Tell how many slots are free to send from here on, without a gap."""
        ahead = self._out_status[self._write_at :]
        busy = np.flatnonzero(ahead)
        return int(busy[0]) if busy.size else int(ahead.size)

    def send(self, frames: Frames) -> int:
        """Send as many of these frames as there is room for; tell how many went."""
        count = min(len(frames), self.room())
        if count:
            where = slice(self._write_at, self._write_at + count)
            self._out[where, SEND_AT : SEND_AT + frames.shape[1]] = frames[:count]
            self._out_length[where] = frames.shape[1]
            self._out_status[where] = _READY
            self._write_at = (self._write_at + count) % SEND_SLOTS
        self._kick()
        return count

    def _kick(self) -> None:
        """Let the kernel send what stands in the ring.

        A frame that a full queue of the driver turned away stays in the ring, and is sent later.
        """
        for _ in range(FULL_TRIES):
            try:
                self.sock.send(b"", socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                why = error.strerror or str(error)
                if error.errno != errno.ENOBUFS:
                    break
                if not has_carrier(self.sock):  # then the queue will never empty
                    raise pulled(self.sock) from error
                time.sleep(FULL_S)
            else:
                return
        raise EnvironmentLack(
            "the interface does not send any more",
            why=why,
            hint="bring it up again and resume the scan",
        )

    def take(self, octets: int, least: int | None = None) -> tuple[Frames, NDArray[np.int32]]:
        """Take what has come: the first `octets` of each frame without its tags, and the tag.

        -1: untagged, or of a priority alone.

        A frame that is shorter (or than `least`, where that is given) is dropped. Behind the end of
        one stands what an earlier one left; that is given as zeros.
        """
        status = self._in_status[self._read_at : self._read_at + MOST_TAKEN]
        waiting = np.flatnonzero((status & _READY) == 0)
        count = int(waiting[0]) if waiting.size else int(status.size)
        where = slice(self._read_at, self._read_at + count)
        slots = self._in[where]
        frames = slots[:, RECEIVED_AT : RECEIVED_AT + octets].copy()
        tagged = (self._in_status[where] & _VLAN) != 0
        tags = slots[:, _TAG].copy().view(np.uint16)[:, 0].astype(np.int32) & 0x0FFF
        tags = np.where(tagged & (tags != 0), tags, -1).astype(np.int32)
        caught = slots[:, _CAUGHT].copy().view(np.uint32)[:, 0].astype(np.int64)
        if (frames[:, 12:13] >= _TAG_FROM).any():  # another tag within
            caught -= _untag(frames, slots, tags)
        whole = caught >= (octets if least is None else least)
        if least is not None:
            frames[np.arange(octets) >= caught[:, None]] = 0
        self._in_status[where] = 0
        self._read_at = (self._read_at + count) % RECEIVE_SLOTS
        return frames[whole], tags[whole]

    def wait(self, seconds: float) -> None:
        """Sleep until a frame comes, or for so long."""
        if not self._in_status[self._read_at] & _READY and seconds > 0:
            select.select([self.sock], [], [], seconds)


def _untag(frames: Frames, slots: Frames, tags: NDArray[np.int32]) -> NDArray[np.int64]:
    """Take a tag that the kernel left out of frames; give by how much each grew shorter."""
    kinds = frames[:, 12:14].copy().view(">u2")[:, 0]
    which = np.flatnonzero(np.isin(kinds, VLAN_TAGS))
    said = frames[which, 14:16].copy().view(">u2")[:, 0].astype(np.int32) & 0x0FFF
    tags[which] = np.where(said != 0, said, tags[which])
    begin, end = RECEIVED_AT + TAG_SIZE, RECEIVED_AT + TAG_SIZE + frames.shape[1]
    rest = slots[which, begin + 12 : end]  # the slot may end before
    frames[which, 12:] = np.pad(rest, ((0, 0), (0, frames.shape[1] - 12 - rest.shape[1])))
    shorter = np.zeros(len(frames), np.int64)
    shorter[which] = TAG_SIZE
    return shorter
