"""The process that answers ARP for all hosts of a farm, each with its own hardware address."""

import os
import random
import socket
import time
from collections import deque
from contextlib import suppress

from auditor.lab.kernel import die_with_parent

_ETH_ARP = 0x0806
_REQUEST = b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01"
_REPLY = b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02"
_CHATTER = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\xfe" + b"\x88\xb5" + bytes(46)  # local experiment
_BUFFER_BYTES = 64 << 20
_FORCE = 33  # SO_RCVBUFFORCE
_IDLE_S = 0.5


class Answering:
    """What the process knows: whose MAC, how much is lost, how late, how chatty."""

    def __init__(self, macs: dict[bytes, bytes], loss: float, delay_s: float, chatter: int) -> None:
        self._macs, self._loss, self._delay_s = macs, loss, delay_s
        self._period_s = 1 / chatter if chatter else float("inf")
        self._dice = random.Random(7)
        self._late: deque[tuple[float, bytes]] = deque()

    def answer(self, frame: bytes) -> bytes:
        """Give the reply to an ARP request; empty for anything else, or where it gets lost."""
        if frame[12:22] != _REQUEST:
            return b""
        wanted = frame[38:42]
        mac = self._macs.get(wanted)
        if mac is None or (self._loss and self._dice.random() < self._loss):
            return b""
        asker = frame[22:32]
        return asker[:6] + mac + _REPLY + mac + wanted + asker + bytes(18)

    def serve(self, own: socket.socket) -> None:
        """Answer until killed."""
        spoke = time.monotonic()
        while True:
            now = time.monotonic()
            while self._late and self._late[0][0] <= now:
                send(own, self._late.popleft()[1])
            if now - spoke >= self._period_s:
                spoke = now
                send(own, _CHATTER)
            self._take(own, now)

    def _take(self, own: socket.socket, now: float) -> None:
        due = self._late[0][0] - now if self._late else _IDLE_S
        own.settimeout(max(0.0005, min(due, self._period_s, _IDLE_S)))
        try:
            reply = self.answer(own.recv(128))
        except OSError:
            return
        if reply and self._delay_s:
            self._late.append((now + self._delay_s, reply))
        elif reply:
            send(own, reply)


def send(own: socket.socket, frame: bytes) -> None:
    """Send a frame; one that finds no room is lost, as on any wire."""
    with suppress(OSError):
        own.send(frame)


def start(device: str, answering: Answering) -> int:
    """Fork the process in the network that we are in; give its id. It dies with us."""
    own = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    for option in (_FORCE, socket.SO_RCVBUF):
        with suppress(OSError):
            own.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
            break
    own.bind((device, _ETH_ARP))
    child = os.fork()
    if child:
        own.close()
        return child
    try:
        die_with_parent()
        os.closerange(0, 3)
        answering.serve(own)
    finally:
        os._exit(1)
