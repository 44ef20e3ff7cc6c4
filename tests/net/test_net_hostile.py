"""Peers that mean no good, each spoken to by the real probes: all end in time, as an outcome.

All of them are spoken to at once, each on an address of its own, so that the file takes as long
as the slowest of them.
"""

import asyncio
import datetime as dt
import gzip
import socket
import ssl
import struct

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from auditor.model.observation import Outcome
from auditor.net.door import converse
from auditor.plugins import Peer
from auditor.probes import ftp, http, https, rtsp, sip, ssh, telnet, tls
from tests.net.stage import guard

pytestmark = pytest.mark.network
END_S = 6.0
OK = b"HTTP/1.1 200 OK\r\n"
TEXT = "\0\x1b[2J\x1b]0;owned\x07\u202egnp.exe\r\nlogin:".encode()


def says(words, then="close"):
    """A server that sends `words` as soon as it is asked, and then closes, waits or floods."""

    async def behave(reader, writer):
        await asyncio.wait_for(reader.read(1_024), 0.3) if then != "greet" else None
        writer.write(words)
        await writer.drain()
        while then == "flood":
            writer.write(words * 64)
            await writer.drain()
        if then != "close":
            await reader.read()

    return behave


def greets(words, then="greet"):
    """A server that speaks first."""

    async def behave(reader, writer):
        writer.write(words)
        while then == "flood":
            writer.write(words * 64)
            await writer.drain()
        await reader.read()

    return behave


async def drip(reader, writer):
    while True:
        writer.write(b"H")
        await writer.drain()
        await asyncio.sleep(0.5)


async def mute(reader, writer):
    await asyncio.sleep(30)


async def zero_window(reader, writer):
    writer.transport.pause_reading()
    await asyncio.sleep(30)


async def half_close(reader, writer):
    writer.write_eof()
    await reader.read()


async def at_once(reader, writer):
    writer.close()


async def one_byte(reader, writer):
    own = writer.get_extra_info("socket")
    writer.write(b"H")
    await asyncio.sleep(0.05)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def tls_drip(reader, writer):
    await reader.read(1_024)
    for octet in b"\x16\x03\x03\x40\x00" + bytes(100):
        writer.write(bytes([octet]))
        await asyncio.sleep(0.3)


def away(location):
    """A server that sends its client to another place."""
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
    return says(head + location + b"\r\n\r\n")


BOMB = gzip.compress(bytes(50_000_000))
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ENDED = {Outcome.ANSWERED, Outcome.GARBLED, Outcome.SILENT, Outcome.REFUSED}
NOBODY = {Outcome.GARBLED, Outcome.SILENT, Outcome.REFUSED}
ALERT = b"\x15\x03\x00\x00\x02\x02\x28"  # SSL 3.0: handshake failure (RFC 6101)

PEERS = {
    "a-head-of-ten-megabytes": (http, says(OK + b"X: " + b"y" * 10_000_000), ENDED),
    "interim-replies-without-end": (http, says(b"HTTP/1.1 100 Continue\r\n\r\n", "flood"), ENDED),
    "a-redirect-to-another-host": (http, away(b"http://127.0.99.99:18080/"), ENDED),
    "a-redirect-without-a-scheme": (http, away(b"//127.0.99.99:18080/"), ENDED),
    "a-redirect-by-user-name": (http, away(b"http://127.0.7.5@127.0.99.99:18080/"), ENDED),
    "a-redirect-to-a-file": (http, away(b"file:///etc/passwd"), ENDED),
    "a-redirect-to-metadata": (http, away(b"http://169.254.169.254/latest/meta-data/"), ENDED),
    "a-redirect-to-itself": (http, away(b"/"), ENDED),
    "a-compressed-bomb": (http, says(OK + b"Content-Encoding: gzip\r\n\r\n" + BOMB), ENDED),
    "a-length-that-promises-too-much": (
        http, says(OK + b"Content-Length: 99999999999\r\n\r\nx", "wait"), ENDED),
    "a-length-that-promises-too-little": (
        http, says(OK + b"Content-Length: 1\r\n\r\nlonger"), ENDED),
    "a-negative-length": (http, says(OK + b"Content-Length: -5\r\n\r\nx", "wait"), ENDED),
    "chunks-larger-than-memory": (http, says(CHUNKED + b"FFFFFFFFFFFFFFFF\r\nx", "wait"), ENDED),
    "chunks-that-are-no-numbers": (http, says(CHUNKED + b"-1\r\nzz\r\nx", "wait"), ENDED),
    "a-byte-now-and-then": (http, drip, ENDED),
    "no-answer": (http, mute, {Outcome.SILENT}),
    "a-window-of-nothing": (http, zero_window, {Outcome.SILENT}),
    "a-fin-at-once": (http, at_once, NOBODY),
    "a-fin-that-waits-for-ours": (http, half_close, {Outcome.SILENT}),
    "a-byte-and-a-reset": (http, one_byte, {Outcome.GARBLED}),
    "a-stream-without-end": (rtsp, says(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n", "flood"), ENDED),
    "an-endless-ftp-greeting": (ftp, greets(b"220-more\r\n", "flood"), ENDED),
    "an-endless-ssh-greeting": (ssh, greets(b"no identification\r\n", "flood"), NOBODY),
    "an-endless-telnet-greeting": (telnet, greets(b"\xff\xfb\x01more ", "flood"), ENDED),
    "a-telnet-subnegotiation-without-end": (telnet, greets(b"\xff\xfa", "flood"), ENDED),
    "control-characters": (telnet, greets(TEXT), {Outcome.ANSWERED}),
    "an-ssl-3-alert": (https, says(ALERT), NOBODY),
    "a-hello-of-noise": (https, says(bytes(range(1, 256)) * 20, "wait"), NOBODY),
    "http-where-tls-should-be": (https, says(OK + b"\r\n"), NOBODY),
    "a-handshake-that-hangs": (https, says(b"\x16\x03\x03", "wait"), NOBODY),
    "a-handshake-byte-by-byte": (https, tls_drip, NOBODY),
    "a-handshake-without-end": (https, says(b"\x16\x03\x03\x40\x00" + bytes(16_384), "flood"),
                                NOBODY),
}  # fmt: skip


# ---------------------------------------------------------------- certificates


def certificate(days=1, serial=0x7F01020304, length=1):
    """Make a self-signed chain; a serial number that begins with 7F is turned negative."""
    key = ec.generate_private_key(ec.SECP256R1())
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made-up.example")])
    made = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - 9 * day)
        .not_valid_after(now + days * day)
        .sign(key, hashes.SHA256())
    )
    der = made.public_bytes(serialization.Encoding.DER)
    der = der.replace(b"\x02\x05\x7f\x01\x02\x03\x04", b"\x02\x05\x80\x01\x02\x03\x04")
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return ssl.DER_cert_to_PEM_cert(der) * length, private.decode()


def context(folder, name, **how):
    chain, key = certificate(**how)
    path = folder / f"{name}.pem"
    path.write_text(key + chain)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path)
    return made


CERTIFICATES = {
    "expired": ({"days": -8}, {Outcome.ANSWERED}),
    "a-negative-serial": ({}, {Outcome.ANSWERED, Outcome.GARBLED}),
    "a-chain-of-a-thousand": ({"length": 1_000}, NOBODY),
}


# ---------------------------------------------------------------- the scene


async def speak(number, module, behave, tls_context=None):
    """Let a probe speak with one peer on an address of its own; the attempt, and who was sent to."""
    ip, journal = f"127.0.7.{number}", []

    async def serve(reader, writer):
        try:
            await behave(reader, writer)
        except (OSError, TimeoutError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, ip, 18_080, ssl=tls_context)
    gate = guard("127.0.0.0/8", journal=journal.append)
    is_tls = module.PROBE.tls
    attempt = await converse(gate, Peer(ip, 18_080, is_tls), module.PROBE)
    server.close()
    return attempt, {line.ip for line in journal}, ip


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Speak with all of them at once; by name, how each ended. `elsewhere`: who was led astray."""
    folder = tmp_path_factory.mktemp("certificates")

    async def scene():
        astray = []

        async def witness(_reader, writer):
            astray.append(1)
            writer.close()

        elsewhere = await asyncio.start_server(witness, "127.0.99.99", 18_080)
        talks = [
            speak(number, module, behave)
            for number, (module, behave, _) in enumerate(PEERS.values(), 1)
        ]
        talks += [
            speak(number, tls, mute, context(folder, name, **how))
            for number, (name, (how, _)) in enumerate(CERTIFICATES.items(), 100)
        ]
        found = await asyncio.gather(*talks)
        elsewhere.close()
        return dict(zip((*PEERS, *CERTIFICATES), found, strict=True)) | {"elsewhere": astray}

    return asyncio.run(scene())


ALL = {name: outcomes for name, (*_, outcomes) in (*PEERS.items(), *CERTIFICATES.items())}


@pytest.mark.parametrize("name", ALL)
def test_a_hostile_peer_ends_in_time_as_a_recorded_outcome(ended, name):
    attempt, sent_to, ip = ended[name]
    assert attempt.outcome in ALL[name], attempt
    assert attempt.elapsed_s <= END_S
    assert sent_to == {ip}
    assert sum(len(raw) for raw in {o.raw for o in attempt.observations}) <= 1 << 17


def test_nobody_is_led_elsewhere(ended):
    assert ended["elsewhere"] == []
    located = [n for n in ALL if n.startswith("a-redirect-to-") and n != "a-redirect-to-itself"]
    for name in located:  # where it leads to is evidence, and no more
        assert any(o.field == "http.location" for o in ended[name][0].observations), name


def test_a_bomb_is_never_unpacked(ended):
    attempt, _, _ = ended["a-compressed-bomb"]
    assert all(len(o.value) < 1 << 17 for o in attempt.observations)


def test_control_characters_of_a_greeting_keep_their_raw_bytes_as_evidence(ended):
    (seen,) = ended["control-characters"][0].observations
    assert seen.raw == TEXT and "\0" not in seen.value


def test_a_datagram_from_another_source_is_no_answer():
    async def scene():
        loop = asyncio.get_running_loop()

        class Forger(asyncio.DatagramProtocol):
            def datagram_received(self, data, addr):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                    other.bind(("127.0.7.202", 0))
                    other.sendto(b"SIP/2.0 200 OK\r\nUser-Agent: forged\r\n\r\n", addr)

        transport, _ = await loop.create_datagram_endpoint(
            Forger, local_addr=("127.0.7.201", 18_060)
        )
        attempt = await converse(guard("127.0.0.0/8"), Peer("127.0.7.201", 18_060), sip.PROBE)
        transport.close()
        return attempt

    attempt = asyncio.run(scene())
    assert attempt.outcome is Outcome.SILENT and attempt.observations == ()
