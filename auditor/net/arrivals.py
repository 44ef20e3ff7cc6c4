"""Replies to a group as they arrive: by frames where those may be seen, and by sockets.

The kernel withholds from its sockets what a firewall of this machine does not expect, and what comes
from a network that it has no way back to (rp_filter): the reply of a camera with its factory
address. Frames are seen before that. A reply that came both ways is handed on once; one that no
frame holds whole is taken from its socket, where the kernel has put it together. Without
CAP_NET_RAW there are the sockets only.
"""

import asyncio
import contextlib
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator

from auditor.net import interfaces
from auditor.net.delivered import Datagram, Receiver, delivered
from auditor.net.filters import datagrams, datagrams6
from auditor.net.interfaces import Interface
from auditor.net.link import Frame, ignore_own, lost, open_link, waiting, widen
from auditor.net.senders import Senders

AT_ONCE = 256  # replies or frames that are taken in one go
# Thousands of cameras answer within a tenth of a second; the kernel may give less than asked.
RECEIVE_BUFFER = 64 << 20
MOST_SEEN = 200_000  # replies of which it is remembered that a frame brought them
MOST_LATER_BYTES = 16 << 20  # from sockets, until the frames before them are read
LAST_S = 0.5  # for what still waits when the listening ends

Keep = Callable[[bytes, str, str | None], None]  # payload, sender, hardware address if known


class Arrivals:
    """Hands each reply to `keep` once. unread: how many came that nobody could read."""

    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.senders = Senders()  # of what comes in pieces
        self._cut = self._missed = self._alone = 0
        self._seen: Counter[int] = Counter()
        self._later: deque[tuple[bytes, str]] = deque()
        self._later_bytes = 0
        self._ear: socket.socket | None = None
        self._to: Receiver | None = None
        self._ears: tuple[socket.socket, ...] = ()
        self._own: frozenset[str] = frozenset()

    @property
    def unread(self) -> int:
        """Count the frames that were cut or had no room, less what sockets gave beyond frames."""
        return max(0, self._cut + self._missed - self._alone)

    @contextlib.contextmanager
    def listening(
        self, interface: Interface, group: str, ears: Iterable[socket.socket]
    ) -> Iterator[None]:
        """Hear what comes to these sockets, which are bound already."""
        loop, self._ears = asyncio.get_running_loop(), tuple(ears)
        self._own = frozenset(address.ip for address in interface.addresses)
        with contextlib.ExitStack() as stack:
            if interfaces.may(interfaces.CAP_NET_RAW):
                ports = frozenset(int(ear.getsockname()[1]) for ear in self._ears)
                self._to = Receiver.on(interface, group, ports)
                program = (datagrams6 if ":" in group else datagrams)(*ports)
                self._ear = stack.enter_context(open_link(interface, program))
                ignore_own(self._ear)
                widen(self._ear, RECEIVE_BUFFER)
                loop.add_reader(self._ear.fileno(), self.hear)
                stack.callback(loop.remove_reader, self._ear.fileno())
            for ear in self._ears:
                loop.add_reader(ear.fileno(), self.take, ear)
                stack.callback(loop.remove_reader, ear.fileno())
            yield

    def hear(self) -> bool:
        """Take frames, a bounded number at a time; tell whether none is left."""
        if self._ear is None:
            return True
        frames = list(waiting(self._ear, AT_ONCE))
        for frame in frames:
            self.frame(frame)
        emptied = len(frames) < AT_ONCE
        # the kernel shows a frame before it gives the datagram: what a socket gave is known now
        if emptied or self._later_bytes > MOST_LATER_BYTES:
            self._compare()
        return emptied

    def frame(self, frame: Frame) -> None:
        """Hand on the reply that one frame holds."""
        found = delivered(frame, self._to) if self._to else None
        if found is None:
            return
        if not found.whole:
            self._cut += 1
            self.senders.note(frame.data)
            return
        if len(self._seen) < MOST_SEEN:
            self._seen[hash((found.sender, found.payload))] += 1
        self.keep(found.payload, found.sender, _source(found))

    def take(self, ear: socket.socket) -> bool:
        """Empty a socket, a bounded number at a time so that timers keep running."""
        emptied = False
        for _ in range(AT_ONCE):
            try:
                data, sender = ear.recvfrom(65_535)
            except OSError:  # empty, or an ICMP error of somebody's
                emptied = True
                break
            ip = str(sender[0]).split("%", 1)[0]
            if ip not in self._own:
                self._later.append((data, ip))
                self._later_bytes += len(data)
        if self._ear is None:
            self._compare()
        else:
            self.hear()
        return emptied

    def _compare(self) -> None:
        """Hand on what sockets gave and no frame brought."""
        self._later_bytes = 0
        while self._later:
            data, ip = self._later.popleft()
            key = hash((ip, data))
            if self._seen[key] > 1:
                self._seen[key] -= 1
            elif self._seen.pop(key, 0) == 0:
                self._alone += len(self._seen) < MOST_SEEN
                self.keep(data, ip, self.senders.of(data, ip))

    async def settle(self) -> None:
        """Take what still waits at the end, and count what there was no room or time for."""
        loop = asyncio.get_running_loop()
        until, emptied = loop.time() + LAST_S, False
        while not emptied and loop.time() < until:
            sockets = [self.take(ear) for ear in self._ears]
            emptied = self.hear() and all(sockets)
            await asyncio.sleep(0)
        self._missed += not emptied  # who pours in so much is not heard out
        self._compare()
        if self._ear is not None:
            self._missed += lost(self._ear)


def _source(found: Datagram) -> str | None:
    """Give the frame's hardware address; of IPv6 replies it is not used (decision 0031)."""
    return found.mac if "." in found.sender else None
