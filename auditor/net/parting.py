"""Ends TCP connections as a polite client does: with a FIN, and hearing out what still comes.

A socket that is closed with octets unread, or before late ones come, sends a reset (RFC 9293,
3.10.4; RFC 1122, 4.2.2.13), and small equipment has been seen to hang after one. So nobody is
closed under a delicate pace before the peer has closed too, or has had a long time for it.
"""

import asyncio
import errno
import socket
from weakref import WeakKeyDictionary, WeakMethod

from auditor.net.guard import Guard
from auditor.net.line import ACKNOWLEDGED_BYTES

LINGER_S = 20.0  # how long a peer is heard out that does not hang up
MOST_LEAVING = 256  # sockets; the oldest is closed for one more
MOST_BYTES = 262_144  # who writes more is not slow but endless, and is closed on


class Lounge:
    """Where sockets wait for their peer's FIN while others are spoken to."""

    def __init__(self, guard: Guard) -> None:
        self._followed = WeakMethod(guard.followed)
        self.leaving: dict[socket.socket, tuple[asyncio.Future[None], asyncio.TimerHandle]] = {}
        self.heard: dict[socket.socket, int] = {}

    def leave(self, sock: socket.socket, connect_s: float = 0.0) -> asyncio.Future[None]:
        """Send our FIN and take over the socket; the future tells when the peer has closed too.

        A connection that is still being made gets `connect_s` for it: to close it would answer
        the peer's SYN,ACK with a reset.
        """
        loop = asyncio.get_running_loop()
        if len(self.leaving) >= MOST_LEAVING:
            self._end(next(iter(self.leaving)))
        gone: asyncio.Future[None] = loop.create_future()
        sock.settimeout(0)
        connecting = not _connected(sock)
        timer = loop.call_later(connect_s if connecting else LINGER_S, self._end, sock)
        self.leaving[sock] = gone, timer
        if connecting:
            loop.add_writer(sock.fileno(), self._made, sock)
        else:
            self._finish(sock)
        return gone

    def _made(self, sock: socket.socket) -> None:
        """Go on with a connection that has come about, or has not."""
        loop = asyncio.get_running_loop()
        loop.remove_writer(sock.fileno())
        gone, timer = self.leaving[sock]
        timer.cancel()
        self.leaving[sock] = gone, loop.call_later(LINGER_S, self._end, sock)
        self._finish(sock)

    def _finish(self, sock: socket.socket) -> None:
        try:
            sock.shutdown(socket.SHUT_WR)
        except OSError:  # reset, or refused: there is nobody to be polite to
            self._end(sock)
            return
        asyncio.get_running_loop().add_reader(sock.fileno(), self._hear, sock)

    def _hear(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data and (followed := self._followed()):
            followed(1 + len(data) // ACKNOWLEDGED_BYTES)
        self.heard[sock] = self.heard.get(sock, 0) + len(data)
        if not data or self.heard[sock] > MOST_BYTES:
            self._end(sock)

    def _end(self, sock: socket.socket) -> None:
        if sock not in self.leaving:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(sock.fileno())
        loop.remove_writer(sock.fileno())
        gone, timer = self.leaving.pop(sock)
        self.heard.pop(sock, None)
        timer.cancel()
        sock.close()
        if not gone.done():
            gone.set_result(None)

    def close(self) -> None:
        """Close whatever is still open: the run is over."""
        for sock in list(self.leaving):
            self._end(sock)


_LOUNGES: WeakKeyDictionary[Guard, Lounge] = WeakKeyDictionary()


def lounge(guard: Guard) -> Lounge:
    """Give the lounge of a run."""
    if guard not in _LOUNGES:
        _LOUNGES[guard] = Lounge(guard)
    return _LOUNGES[guard]


async def part(
    guard: Guard, sock: socket.socket, patience_s: float, *, counted: bool = False
) -> None:
    """End a connection; under a delicate pace wait so long for the peer to do so, too.

    counted: our FIN has taken its turn, and may have gone.
    """
    if not counted:
        await guard.segment_turn()
    if not guard.scope.pace.delicate:
        sock.close()
        return
    gone = lounge(guard).leave(sock)
    await asyncio.wait([gone], timeout=patience_s)


def abandon(guard: Guard, sock: socket.socket, connect_s: float) -> None:
    """Give up a connection that is being made, which may stand within `connect_s`."""
    if guard.scope.pace.delicate and connect_s > 0:
        lounge(guard).leave(sock, connect_s)
    else:
        sock.close()


def _connected(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError as error:
        return error.errno != errno.ENOTCONN
    return True
