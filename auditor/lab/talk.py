"""TCP servers of the lab: they answer in lines or speak first, each in its manner.

They are witnesses too: credentials, attempts to change something and requests that no
honest client sends are recorded as violations.
"""

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from string import Template

from auditor.lab.record import Touches
from auditor.lab.truth import Banner, Manner, Route, Talk, Trap

LIMIT_BYTES = 16_384
PATIENCE_S = 30.0  # a client that says nothing for so long is hung up on
ENDLESS = b"<p>and so on</p>\r\n" * 256
_REQUEST = re.compile(
    r"(?P<method>[A-Z_]{3,20}) (?P<target>\S+) (?P<version>(?:HTTP|RTSP)/[0-9.]+)"
)
_READING = {"GET", "HEAD", "OPTIONS", "DESCRIBE"}
_CREDENTIAL = re.compile(
    rb"^(?:authorization|proxy-authorization|cookie)\s*:", re.IGNORECASE | re.MULTILINE
)
_LOGIN = re.compile(rb"^(?:user|pass|login|auth|acct)\b", re.IGNORECASE | re.MULTILINE)


class Server:
    """One TCP service of one device."""

    def __init__(
        self,
        service: Talk | Banner | Trap,
        words: Mapping[str, str],
        touches: Touches,
        opened: Callable[[], None] | None = None,
    ) -> None:
        """Take what to say and where to record; opened: told of each new connection."""
        self.service, self.words, self.touches = service, words, touches
        self._opened = opened

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; whatever the client does, only this connection ends."""
        touches = self.touches
        touches.connections += 1
        touches.open += 1
        touches.open_peak = max(touches.open_peak, touches.open)
        if self._opened:
            self._opened()
        try:
            with suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
                await self._serve(reader, writer)
        finally:
            touches.open -= 1
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self.service:
            case Trap(port=port):  # the touch itself was seen on the wire
                with suppress(TimeoutError):
                    got = await asyncio.wait_for(reader.read(256), 5)
                    self.touches.request(port, repr(got))
            case Banner():
                await self._greet(self.service, reader, writer)
            case Talk():
                await self._answer_all(self.service, reader, writer)

    async def _greet(
        self, banner: Banner, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        words = bytes.fromhex(banner.hex) or lines(banner.text, self.words)
        await deliver(writer, reader, words, banner.manner)
        while got := await asyncio.wait_for(reader.read(1024), PATIENCE_S):
            self.touches.request(banner.port, repr(got))
            if banner.quiet or _LOGIN.search(got):
                self.touches.violation(f"port {banner.port} was sent {got[:60]!r}")

    async def _answer_all(
        self, talk: Talk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
            answer = self._answer(talk, head)
            await deliver(writer, reader, answer, talk.manner)
            if b"\r\nconnection: close" in answer.lower() or talk.manner == "cut":
                return

    def _answer(self, talk: Talk, head: bytes) -> bytes:
        line, _, headers = head.decode("latin-1").partition("\r\n")
        self.touches.request(talk.port, line)
        asked = _REQUEST.fullmatch(line)
        if not asked:
            self.touches.violation(f"port {talk.port}: malformed request {line[:60]!r}")
            return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        self._judge(talk.port, asked["method"], head)
        words = dict(self.words)
        found = re.search(r"(?im)^cseq:\s*(\d+)", headers)
        words["cseq"] = found[1] if found else "0"
        words["target"] = asked["target"]
        route = choose(talk.routes, asked["method"], asked["target"])
        return render(route, words) if route else _not_found(talk.kind, words["cseq"])

    def _judge(self, port: int, method: str, head: bytes) -> None:
        if method not in _READING:
            self.touches.violation(f"port {port}: method {method}")
        if named := _CREDENTIAL.search(head):
            name = named[0].decode("latin-1").strip(" :")
            self.touches.violation(f"port {port}: credential in header {name}")


def choose(routes: tuple[Route, ...], method: str, target: str) -> Route | None:
    """Give the first route for a request; None where there is none."""
    path = re.sub(r"^[a-z]+://[^/]*", "", target).partition("?")[0] or "/"
    for route in routes:
        if route.method in {"*", method} and route.path in {"*", path}:
            return route
    return None


def render(route: Route, words: Mapping[str, str]) -> bytes:
    """Write an answer: its head in CRLF lines, then its body as it is."""
    body = bytes.fromhex(route.hex_body)
    body = body or Template(route.body).safe_substitute(words).encode()
    head = lines(route.head.strip("\n"), {**words, "length": str(len(body))})
    return head + b"\r\n\r\n" + body


def lines(text: str, words: Mapping[str, str]) -> bytes:
    """Fill in the variables and end the lines as the Internet does."""
    return Template(text).safe_substitute(words).replace("\n", "\r\n").encode()


def _not_found(kind: str, cseq: str) -> bytes:
    if kind == "rtsp":
        return f"RTSP/1.0 404 Not Found\r\nCSeq: {cseq}\r\n\r\n".encode()
    return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def deliver(
    writer: asyncio.StreamWriter, reader: asyncio.StreamReader, answer: bytes, manner: Manner
) -> None:
    """Send an answer in the given manner; the hostile ones end when the client goes away."""
    match manner:
        case "plain":
            writer.write(answer)
        case "tarpit":
            while await reader.read(1024):
                pass
        case "drip":
            for octet in answer:
                writer.write(bytes([octet]))
                await writer.drain()
                await asyncio.sleep(1)
        case "endless":
            writer.write(answer)
            while True:
                writer.write(ENDLESS)
                await writer.drain()
                await asyncio.sleep(0.001)
        case "cut":
            writer.write(answer[: max(1, len(answer) // 2)])
        case "reset":
            writer.write(answer[: max(1, len(answer) // 2)])
            await writer.drain()
            await asyncio.sleep(0.05)
            hang_up_hard(writer)
    await writer.drain()


def hang_up_hard(writer: asyncio.StreamWriter) -> None:
    """End the connection with a reset: close(2) with SO_LINGER 0 throws away what is queued."""
    own = writer.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def listen(
    listener: socket.socket, server: Server, context: ssl.SSLContext | None
) -> asyncio.Server:
    """Serve a listening socket until it is closed."""
    return await asyncio.start_server(server, sock=listener, ssl=context, limit=LIMIT_BYTES)
