"""Begins a TCP connection: one SYN per turn, and what it means when none comes about."""

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from auditor.model.observation import Outcome
from auditor.net import barred
from auditor.net.guard import Guard, Kind
from auditor.net.parting import abandon

# Linux repeats an unanswered SYN after one second (RFC 6298, 2.1) and asks nobody. A try ends
# before that; the second one takes its own turn, so each SYN is paced and in the journal.
TRY_S = 0.9  # a loaded machine is late by some hundredths
TRY_DELICATE_S = 0.8  # where a SYN of the kernel's own must not leave even from a busy machine
TRIES = 2
HANDSHAKE_S = 0.05  # for so long room is kept for the segment that ends a handshake

# What an errno says of the peer, or of us; everything else is our own failure.
_ENDINGS = {
    errno.ECONNREFUSED: Outcome.REFUSED,
    errno.ECONNRESET: Outcome.REFUSED,
    errno.EHOSTUNREACH: Outcome.SILENT,
    errno.EHOSTDOWN: Outcome.SILENT,
    errno.ETIMEDOUT: Outcome.SILENT,
    errno.ENETUNREACH: Outcome.NOT_TRIED,
    errno.EACCES: Outcome.NOT_TRIED,  # a route or a filter of this machine prohibits it
    errno.EPERM: Outcome.NOT_TRIED,
    errno.ENETDOWN: Outcome.NOT_TRIED,
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a dial ended, and why. barred: what a router said, where one keeps us away."""

    outcome: Outcome
    detail: str = ""
    barred: str = ""


@dataclass(frozen=True, slots=True)
class Dialled:
    """What a dial gave. sock: connected, the caller's to close; None where it was not.

    took_s: without the time that was spent waiting for a turn.
    """

    ended: Ended
    took_s: float
    sock: socket.socket | None = None


def ending(error: OSError) -> tuple[Outcome, str]:
    """Say how a connection ended that never came about, and why."""
    return _ENDINGS.get(error.errno or 0, Outcome.CRASHED), error.strerror or str(error)


def open_socket(ip: str, kind: socket.SocketKind) -> socket.socket:
    """Open a socket that can reach `ip` and no address of the other IP version."""
    six = ":" in ip
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind | socket.SOCK_NONBLOCK)
    if six:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


async def dial(
    guard: Guard,
    ip: str,
    port: int,
    tool: str,
    patience_s: float = 2.0,
    tries: int = TRIES,
    *,
    look: bool = False,
    ready: Callable[[], Awaitable[None]] | None = None,
) -> Dialled:
    """Connect to `ip`:`port` as the guard lets us, in a few tries.

    Each try is a connection to whoever counts, answered or not, and is taken from the host's
    budget; `look`: also from what is kept for looking after it. BudgetSpent when none is left.
    ready: is waited for last of all, so that nothing comes between it and the SYN.
    """
    took_s = 0.0
    for number in range(tries):
        if number and not (look or guard.spare(ip)):
            break  # what is left of the budget is for other questions
        guard.spend(ip, look=look)
        await guard.turn(Kind.CONNECT, ip, port)
        unused = guard.handshake()
        if ready:
            await ready()
            guard.permit(ip, port)
        try_s = TRY_DELICATE_S if guard.scope.pace.delicate else TRY_S
        trying = _try(guard, ip, port, tool, min(try_s, patience_s - took_s))
        found = await (_counted(guard, trying, unused) if unused else trying)
        took_s += found.took_s
        guard.fared(ip, answered=found.ended.outcome is not Outcome.SILENT)
        if found.ended.outcome is not Outcome.SILENT or took_s >= patience_s:
            break
    return Dialled(found.ended, took_s, found.sock)


async def _counted(guard: Guard, trying: Awaitable[Dialled], unused: Callable[[], None]) -> Dialled:
    """Give back the turn of the segment that ends a handshake where that does not come about."""
    # who is near answers at once; whoever does not may never
    late = asyncio.get_running_loop().call_later(HANDSHAKE_S, unused)
    found = await trying
    late.cancel()
    if found.sock is None:
        unused()
    elif found.took_s > HANDSHAKE_S:
        guard.followed(1)
    return found


async def _try(guard: Guard, ip: str, port: int, tool: str, patience_s: float) -> Dialled:
    loop = asyncio.get_running_loop()
    began = loop.time()
    place = guard.sockaddr(ip, port)
    try:
        sock = open_socket(ip, socket.SOCK_STREAM)
    except OSError as error:
        return Dialled(Ended(*ending(error)), 0.0)
    barred.listen(sock)
    try:
        number = sock.connect_ex(place)  # the SYN leaves now, in our turn
        guard.sent("tcp", ip, port, 0, tool, Kind.CONNECT)
        if number not in {0, errno.EINPROGRESS}:
            raise OSError(number, os.strerror(number))
        await _connected(loop, sock, patience_s)
    except TimeoutError:
        sock.close()
        ended = Ended(Outcome.SILENT, "no answer to the connection")
        return Dialled(ended, loop.time() - began)
    except OSError as error:
        said = barred.heard(sock, {ip, sock.getsockname()[0]})
        sock.close()
        if said:
            return Dialled(Ended(Outcome.SILENT, said, said), loop.time() - began)
        return Dialled(Ended(*ending(error)), loop.time() - began)
    except asyncio.CancelledError:
        abandon(guard, sock, patience_s - (loop.time() - began))
        raise
    barred.listen(sock, on=False)  # in a conversation such a word ends nothing
    return Dialled(Ended(Outcome.ANSWERED), loop.time() - began, sock)


async def _connected(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, patience_s: float
) -> None:
    """Wait until a connection that was begun stands; OSError where it does not."""
    ready: asyncio.Future[bool] = loop.create_future()

    def settle(on_time: bool) -> None:
        if not ready.done():
            ready.set_result(on_time)

    loop.add_writer(sock.fileno(), settle, True)  # noqa: FBT003 a callback's argument
    timer = loop.call_later(patience_s, settle, False)  # noqa: FBT003
    try:
        if not await ready:
            raise TimeoutError
    finally:
        timer.cancel()
        loop.remove_writer(sock.fileno())
    if number := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(number, os.strerror(number))
