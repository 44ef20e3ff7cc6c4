"""Which addresses a router says cannot be reached, and in which words; no socket is opened here.

Source: RFC 792 and RFC 1812 section 5.2.7.1 (codes of ICMP destination unreachable); ip(7) for
what the kernel keeps of such an answer in a socket's error queue (IP_RECVERR).
"""

import socket
import struct
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from auditor.model.address import AddressSet
from auditor.model.coverage_note import Note
from auditor.model.observation import Attempt, Endpoint, Outcome

_WORDS = {
    0: "the network cannot be reached",
    1: "the host cannot be reached",
    2: "the protocol cannot be reached",
    3: "the port cannot be reached",
    5: "the source route failed",
    6: "the network is unknown",
    7: "the host is unknown",
    9: "the network is administratively prohibited",
    10: "the host is administratively prohibited",
    13: "administratively prohibited",
}
IP_RECVERR = 11
_ORIGIN_ICMP, _UNREACHABLE = 2, 3
_ERROR = struct.Struct("=IBBBxII")  # struct sock_extended_err; the offender's address follows
_OFFENDER = struct.Struct("=HH4s")


def words(router: str, code: int) -> str:
    """Say who keeps us away, and why."""
    return f"router {router} says {_WORDS.get(code, f'not to be reached (code {code})')}"


def listen(sock: socket.socket, *, on: bool = True) -> None:
    """Let the kernel keep what routers say of a connection that is about to begin, or no more."""
    try:  # noqa: SIM105 twice for every connection
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, on)
    except OSError:
        pass


def heard(sock: socket.socket, ends: Collection[str]) -> str | None:
    """Give what a router said while a connection was begun; None for nothing.

    What one of the two ends says is no router's word: the address asked answers for itself, and
    our own kernel says so of a neighbour that it does not find.
    """
    try:
        _, extra, _, _ = sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return None
    for level, kind, told in extra:
        whole = len(told) >= _ERROR.size + _OFFENDER.size
        if (level, kind) != (socket.IPPROTO_IP, IP_RECVERR) or not whole:
            continue
        _, origin, what, code, _, _ = _ERROR.unpack_from(told)
        family, _, raw = _OFFENDER.unpack_from(told, _ERROR.size)
        router = socket.inet_ntoa(raw)
        if (origin, what, family) == (
            _ORIGIN_ICMP,
            _UNREACHABLE,
            socket.AF_INET,
        ) and router not in ends:
            return words(router, code)
    return None


def attempts(
    tool: str, said: Mapping[str, str], by: str, started: datetime, elapsed_s: float
) -> list[Attempt]:
    """Give one attempt per reason, over the addresses (ip -> words) that it holds for."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for ip, why in said.items():
        reasons[why].append(ip)
    made = []
    for why, ips in sorted(reasons.items()):
        part = AddressSet.single(ips)
        note = Note(part, barred=part, told=(("why", why), ("by", by)))
        where = Endpoint(transport="icmp")
        made.append(Attempt(tool, where, Outcome.SILENT, (), started, elapsed_s, str(note)))
    return made
