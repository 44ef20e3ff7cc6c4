"""The kernel's tables of links, addresses, routes and neighbours, by rtnetlink.

Source: rtnetlink(7), linux/rtnetlink.h, linux/neighbour.h. Reading needs no privilege and sends
nothing; `seed` and `forget` need CAP_NET_ADMIN.
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.errors import EnvironmentLack

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, sender
_REQUEST, _ACK, _DUMP, _CREATE, _REPLACE = 1, 4, 0x300, 0x400, 0x100
_ERROR, _DONE = 2, 3
_BUFFER = 1 << 16
_TELL_TABLE = 0x1000  # RTM_F_LOOKUP_TABLE: say from which table the answer comes

GET_LINK, GET_ADDRESS, GET_ROUTE, GET_RULE = 18, 22, 26, 34
NEW_NEIGHBOUR, DEL_NEIGHBOUR, GET_NEIGHBOUR = 28, 29, 30
# The fixed part of each kind of message, before its attributes.
_FORMS = {16: "=BxHiII", 20: "=BBBBi", 24: "=BBBBBBBBI", 32: "=BBBBBBBBI", 28: "=BxxxiHBB"}
_FIXED = {kind: struct.Struct(form) for kind, form in _FORMS.items()}
_NOTHING = struct.Struct("=")
_TOGETHER = 64  # changes that are asked for in one message to the kernel


@dataclass(frozen=True, slots=True)
class Message:
    """One row of a table: the fixed part as numbers, the attributes by number."""

    kind: int
    fixed: tuple[int, ...]
    attributes: dict[int, bytes] = field(default_factory=dict)

    def number(self, attribute: int) -> int | None:
        """Give a 32-bit attribute; None where the row has none."""
        raw = self.attributes.get(attribute)
        return int(struct.unpack("=I", raw[:4])[0]) if raw and len(raw) >= 4 else None

    def ip(self, attribute: int) -> str | None:
        """Give an address attribute as text; None where the row has none."""
        raw = self.attributes.get(attribute, b"")
        family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(raw))
        return socket.inet_ntop(family, raw) if family else None


def table(kind: int, family: int = socket.AF_UNSPEC) -> tuple[Message, ...]:
    """Read a whole table of the kernel."""
    request = struct.pack("=B15x", family)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(5)
        kernel.bind((0, 0))
        kernel.send(_HEADER.pack(16 + len(request), kind, _REQUEST | _DUMP, 1, 0) + request)
        return tuple(_rows(kernel))


def route(ip: str) -> Message | None:
    """Ask the kernel how it would send to an IPv4 address; None where there is no way."""
    family = struct.pack("=BBBBBBBBI", socket.AF_INET, 32, 0, 0, 0, 0, 0, 0, _TELL_TABLE)
    request = family + attribute(1, socket.inet_aton(ip))  # RTA_DST
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(5)
        kernel.bind((0, 0))
        kernel.send(_HEADER.pack(16 + len(request), GET_ROUTE, _REQUEST, 1, 0) + request)
        answer = next(_messages(kernel.recv(_BUFFER)), None)
    return answer if answer and answer.kind != _ERROR and answer.fixed else None


def _rows(kernel: socket.socket) -> Iterator[Message]:
    """Give the rows of a dump until the kernel says that it is done."""
    while True:
        for message in _messages(kernel.recv(_BUFFER)):
            if message.kind in {_DONE, _ERROR}:
                return
            yield message


def change(kind: int, bodies: list[bytes]) -> int:
    """Ask for a change per body; give how many the kernel accepted."""
    flags = _REQUEST | _ACK | (_CREATE | _REPLACE if kind == NEW_NEIGHBOUR else 0)
    accepted = 0
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(5)
        kernel.bind((0, 0))
        for at in range(0, len(bodies), _TOGETHER):
            some = bodies[at : at + _TOGETHER]
            kernel.send(b"".join([_HEADER.pack(16 + len(b), kind, flags, at, 0) + b for b in some]))
            errors = [_error(kernel.recv(_BUFFER)) for _ in some]
            accepted += errors.count(0)
    return accepted


def _error(raw: bytes) -> int:
    """Read how one change went: 0, or an errno below it."""
    error = int(struct.unpack_from("=i", raw, 16)[0])
    if error == -1:
        raise EnvironmentLack(
            "the kernel's neighbour table may not be changed",
            why="that needs CAP_NET_ADMIN",
            hint="run as root; without it the kernel asks for each neighbour itself",
        )
    return error


def attribute(number: int, value: bytes) -> bytes:
    """Write one attribute, padded to four octets."""
    return struct.pack("=HH", 4 + len(value), number) + value + bytes(-len(value) % 4)


def _messages(raw: bytes) -> Iterator[Message]:
    at = 0
    while at + 16 <= len(raw):
        length, kind, _, _, _ = _HEADER.unpack_from(raw, at)
        if length < 16:
            return
        form = _FIXED.get(kind, _NOTHING)
        fixed = form.unpack_from(raw, at + 16) if length >= 16 + form.size else ()
        yield Message(kind, fixed, dict(_attributes(raw[at + 16 + form.size : at + length])))
        at += -(-length // 4) * 4


def _attributes(raw: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(raw):
        length, number = struct.unpack_from("=HH", raw, at)
        if length < 4:
            return
        yield number & 0x3FFF, raw[at + 4 : at + length]
        at += -(-length // 4) * 4
