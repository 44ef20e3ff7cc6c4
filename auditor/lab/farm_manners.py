"""How the hostile hosts of a farm answer: each manner sends what it sends, over and over if need be.

After the threats of the field: slow and endless servers, floods of interim replies (RFC 9110,
15.2), heads without an end, compressed bombs, lengths that lie, redirects to elsewhere, noise.
"""

import asyncio
import gzip
import random
import socket
import struct
from collections.abc import Callable
from functools import lru_cache

from auditor.lab.talk import ENDLESS

PERIOD_S = 0.005  # between two pieces of an endless answer
QUEUED_BYTES = 1 << 16  # more is not queued for a peer that does not read
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n" * 128
HEAD = b"X-Made-Up: " + b"y" * 4_096 + b"\r\n"
LIES = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nshort",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nmuch longer than it said it would be",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\nContent-Length: 7\r\n\r\nminus one",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\nzz\r\n",
)
ASTRAY = ("http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "//192.0.2.1/x")
_NOISE = random.Random(11).randbytes(4_096)


def misbehave(manner: str, transport: asyncio.Transport, answer: bytes) -> None:
    """Answer in a manner of farm_plan.HOSTILE; answer: what an honest server would say."""
    match manner:
        case "drip":
            _drip(transport, answer)
        case "endless":
            _pour(transport, lambda: ENDLESS)
        case "continues":
            _pour(transport, lambda: CONTINUE)
        case "head":
            transport.write(b"HTTP/1.1 200 OK\r\n")
            _pour(transport, lambda: HEAD)
        case "reset" | "byte":
            _cut(transport, answer[: len(answer) // 2 if manner == "reset" else 1])
        case "shut":
            transport.close()
        case "bomb":
            transport.write(_bomb())
        case "lies":
            transport.write(random.choice(LIES))
        case "astray":
            head = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
            transport.write(f"{head}{random.choice(ASTRAY)}\r\n\r\n".encode())
        case "garbage":
            transport.write(_NOISE)
        case _:  # a tarpit says nothing
            pass


def _drip(transport: asyncio.Transport, rest: bytes) -> None:
    if rest and not transport.is_closing():
        transport.write(rest[:1])
        asyncio.get_running_loop().call_later(1, _drip, transport, rest[1:])


def _pour(transport: asyncio.Transport, piece: Callable[[], bytes]) -> None:
    if not transport.is_closing():
        if transport.get_write_buffer_size() < QUEUED_BYTES:
            transport.write(piece())
        asyncio.get_running_loop().call_later(PERIOD_S, _pour, transport, piece)


def _cut(transport: asyncio.Transport, before: bytes) -> None:
    """Send a little, then end with a reset."""
    own = transport.get_extra_info("socket")
    transport.write(before)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    asyncio.get_running_loop().call_later(0.02, transport.abort)


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    packed = gzip.compress(bytes(20_000_000))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    return head.encode() + packed
