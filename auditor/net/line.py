"""One connection or datagram exchange: what has come so far, and how it ended.

The asyncio side of `door`: protocols that only collect, so that a peer that drips, floods or
vanishes costs one timer and no more memory than the limit.
"""

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import Callable
from functools import lru_cache

from auditor.model.coverage_note import RESET
from auditor.model.observation import Outcome
from auditor.plugins import Heard, Say

DRAIN_S = 0.3  # how long a peer may take to answer our FIN before the socket is given up
DRAIN_BYTES = 262_144
GREETING_BYTES = 65_536
ACKNOWLEDGED_BYTES = (
    2_920  # two full segments, after which a kernel acknowledges (RFC 9293, 3.8.6.3)
)
OP_LEGACY_SERVER_CONNECT = 0x4  # in OpenSSL since 0.9.8m, in Python's ssl since 3.12


@lru_cache(maxsize=1)
def old_tls() -> ssl.SSLContext:
    """Give a context that shakes hands with equipment of every vintage and trusts none of it.

    We read what a certificate says and send no secret, so nothing rests on the cipher.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.options |= OP_LEGACY_SERVER_CONNECT
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    return context


class Line(asyncio.Protocol, asyncio.DatagramProtocol):
    """Collects what one peer says. ended: how, once it has; closed | reset | refused | broken.

    followed: is told of frames by which the kernel acknowledges what comes. counted: one of them
    stands in the account already, because our question took a turn for its answer's. farewell:
    the one for the peer's FIN was told of; parting: it takes a turn with our own.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        datagrams: bool = False,
        followed: Callable[[int], None] | None = None,
    ) -> None:
        self.loop = loop
        self.followed = followed
        self.counted = False
        self.parting = self.farewell = False
        self.datagrams = datagrams
        self.data = bytearray()
        self.limit_bytes = GREETING_BYTES  # who speaks first may do so before we have asked
        self.fresh = True
        self.drained = 0
        self.touched = loop.time()
        self.ended = ""
        self.why = ""
        self.transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.lost: asyncio.Future[None] = loop.create_future()

    # ---------------------------------------------------------------- what the loop tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Keep what fits under the limit, count the rest, stop reading a flood."""
        self.touched = self.loop.time()
        if self.followed:
            self.followed(1 + len(data) // ACKNOWLEDGED_BYTES - self.counted)
            self.counted = False
        room = self.limit_bytes - len(self.data)
        self.drained += len(data)
        if room > 0:
            self.data += data[:room]
        elif self.transport and not self.datagrams and self.drained > DRAIN_BYTES:
            self.transport.pause_reading()
        self._wake()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 connected
        """Keep one datagram of the peer that the socket is connected to."""
        self.data_received(data)

    def eof_received(self) -> bool:
        """Note the peer's FIN, which the kernel has acknowledged; the transport closes."""
        if self.followed and not self.parting:
            self.followed(1)
            self.farewell = True
        self._end("closed")
        return False

    def error_received(self, exc: Exception) -> None:
        """Note an ICMP error for a datagram of ours."""
        refused = isinstance(exc, ConnectionRefusedError)
        self._end("refused" if refused else "broken", str(exc))

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        if not self.lost.done():
            self.lost.set_result(None)
        if exc is None:
            self._end("closed")
        elif isinstance(exc, ConnectionResetError | BrokenPipeError):
            self._end("reset", str(exc))
        else:
            self._end("broken", str(exc))

    def _end(self, how: str, why: str = "") -> None:
        self.ended = self.ended or how
        self.why = self.why or why
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    # ---------------------------------------------------------------- what the door asks

    async def _change(self, until: float) -> None:
        """Wait until something happens, or until that moment of the loop's clock."""
        self._waiter = self.loop.create_future()
        timer = self.loop.call_at(until, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()

    async def exchange(self, say: Say, deadline: float) -> Heard:
        """Send what there is to say and collect the reply, until `deadline` at the latest."""
        if not self.fresh:
            self.data.clear()
        del self.data[say.limit_bytes :]
        self.fresh = False
        self.limit_bytes, self.drained = say.limit_bytes, len(self.data)
        self.touched = self.loop.time()
        if self.ended or not self.transport:
            gone = Heard(b"", Outcome.SILENT, self.certificate, "the peer had closed")
            return self._heard(clock="total") if self.data else gone
        if say.data:
            self._write(say.data)
        until = deadline
        while not self.ended and not self._whole(say):
            until = min(deadline, self.touched + say.idle_s)
            if self.loop.time() >= until:
                break
            await self._change(until)
        return self._heard(clock="total" if until == deadline else "idle")

    def _whole(self, say: Say) -> bool:
        if not self.data:
            return False
        if len(self.data) >= say.limit_bytes:
            return True
        return say.done(bytes(self.data)) if say.done else self.datagrams

    def _write(self, data: bytes) -> None:
        if self.datagrams:
            self.transport.sendto(data)  # type: ignore[union-attr]
        else:
            self.transport.write(data)  # type: ignore[union-attr]

    def _heard(self, clock: str) -> Heard:
        came, certificate = bytes(self.data), self.certificate
        if self.ended == "refused":
            return Heard(came, Outcome.REFUSED, certificate, self.why)
        if self.ended == "reset" and not came:
            return Heard(b"", Outcome.REFUSED, certificate, "reset without a word")
        if self.ended in {"reset", "broken"}:
            why = RESET if self.ended == "reset" else "broken off"
            return Heard(came, Outcome.GARBLED, certificate, f"{why}: {self.why}".rstrip(": "))
        if came:
            return Heard(came, Outcome.ANSWERED, certificate, self.tls_version)
        how = "closed without a word" if self.ended else f"connected, no reply ({clock} clock)"
        return Heard(b"", Outcome.SILENT, certificate, "" if self.datagrams else how)

    @property
    def certificate(self) -> bytes:
        """Give the peer's certificate as DER; empty without TLS."""
        inside = self.transport.get_extra_info("ssl_object") if self.transport else None
        return (inside.getpeercert(binary_form=True) or b"") if inside else b""

    @property
    def tls_version(self) -> str:
        """Give the version that was agreed on, e.g. `TLSv1`; empty without TLS."""
        inside = self.transport.get_extra_info("ssl_object") if self.transport else None
        return (inside.version() or "") if inside else ""

    async def close(self) -> None:
        """End with a FIN: closing a socket with unread bytes would send an RST instead."""
        if not self.transport:
            return
        if not self.datagrams and not self.ended and self.transport.can_write_eof():
            self.limit_bytes, self.drained = 0, 0
            with contextlib.suppress(OSError):
                self.transport.write_eof()
            await self._drain()
        self.transport.close()

    async def _drain(self) -> None:
        until = self.loop.time() + DRAIN_S
        while not self.ended and self.drained <= DRAIN_BYTES and self.loop.time() < until:
            await self._change(until)
