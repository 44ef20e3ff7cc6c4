"""One conversation: every peer, however hostile, ends it in time as a recorded outcome."""

import asyncio
import gzip
import ssl
import struct
import time

import pytest
import trustme

from auditor.errors import DataError
from auditor.model.coverage_note import RESET
from auditor.model.observation import Observation, Outcome
from auditor.net.dial import dial
from auditor.net.door import converse
from auditor.net.line import Line
from auditor.plugins import Peer, Probe, Say
from tests.net.stage import Server, guard, paced


def ask(data=b"HELLO\r\n", done=lambda came: b"\n" in came, **more):
    """A probe of one question that keeps what it hears."""

    def speak(_peer):
        heard = yield Say(data, done=done, **more)
        if heard.data:
            yield Observation("telnet.banner", heard.data.decode("latin-1")[:50], heard.data)

    return speak


def probe(speak=None, transport="tcp", name="t"):
    return Probe(name, transport, ("t",), speak or ask(), "a test")


async def hold(behave, speak=None, tls=False, **more):
    async with Server(behave) as server:
        began = time.monotonic()
        peer = Peer("127.0.0.1", server.port, tls=tls)
        attempt = await converse(guard("127.0.0.0/8", **more), peer, probe(speak))
        return attempt, time.monotonic() - began, server


async def honest(server, reader, writer):
    server.told.append(await reader.readuntil(b"\n"))
    writer.write(b"HI\n")
    await writer.drain()
    server.ending = await reader.read()  # b"" when a FIN came, an error when an RST


async def endless(_server, reader, writer):
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def drip(_server, reader, writer):
    for _ in range(60):
        writer.write(b"x")
        await asyncio.sleep(0.2)


async def mute(_server, reader, writer):
    await reader.read()
    await asyncio.sleep(30)


async def slam(_server, reader, writer):
    await reader.read(1)
    writer.write(b"HTTP/1.0 20")
    await writer.drain()
    await asyncio.sleep(0.05)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER 0: RST
    writer.transport.abort()


async def huge_head(_server, reader, writer):
    writer.write(b"X: " + b"y" * 10_000_000 + b"\n")
    await writer.drain()


async def bomb(_server, reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + gzip.compress(bytes(20_000_000)))
    await writer.drain()


async def shut(_server, reader, writer):
    await reader.readline()


@pytest.mark.parametrize(
    ("behave", "outcome"),
    [
        pytest.param(honest, Outcome.ANSWERED, id="an-honest-peer"),
        pytest.param(endless, Outcome.ANSWERED, id="an-endless-sender"),
        pytest.param(drip, Outcome.ANSWERED, id="a-drip-feeder"),
        pytest.param(mute, Outcome.SILENT, id="one-that-never-answers"),
        pytest.param(slam, Outcome.GARBLED, id="one-that-resets-in-mid-reply"),
        pytest.param(huge_head, Outcome.ANSWERED, id="a-head-of-ten-megabytes"),
        pytest.param(bomb, Outcome.ANSWERED, id="a-compressed-bomb"),
        pytest.param(shut, Outcome.SILENT, id="one-that-closes-at-once"),
    ],
)
def test_every_peer_ends_within_six_seconds(behave, outcome):
    attempt, took_s, _ = asyncio.run(hold(behave, ask(done=lambda _: False)))
    assert took_s < 6.0
    assert attempt.outcome is outcome
    assert sum(len(o.raw) for o in attempt.observations) <= 16_384


def test_a_reply_that_is_whole_ends_the_conversation_at_once():
    attempt, took_s, _ = asyncio.run(hold(honest))
    assert took_s < 0.5
    assert attempt.observations == (Observation("telnet.banner", "HI\n", b"HI\n"),)
    assert attempt.started.tzinfo and 0 <= attempt.elapsed_s < 0.5


def test_a_conversation_ends_with_a_fin():
    _, _, server = asyncio.run(hold(honest))
    assert server.ending == b""


def test_a_greeting_that_comes_before_our_question_is_heard():
    async def greeter(_server, reader, writer):
        writer.write(b"220 ready\n")
        await writer.drain()
        await reader.read()

    async def scene():
        async with Server(greeter) as server:
            found = await dial(guard("127.0.0.0/8"), "127.0.0.1", server.port, "t")
            loop = asyncio.get_running_loop()
            _, line = await loop.create_connection(lambda: Line(loop), sock=found.sock)
            await asyncio.sleep(0.2)  # whoever is busy comes late
            heard = await line.exchange(Say(b"", lambda came: b"\n" in came), loop.time() + 5)
            again = await line.exchange(Say(b"", idle_s=0.1), loop.time() + 5)
            await line.close()
            return heard, again

    heard, again = asyncio.run(scene())
    assert heard.data == b"220 ready\n" and heard.outcome is Outcome.ANSWERED
    assert again.data == b""


def test_what_was_seen_before_a_reset_survives():
    def speak(_peer):
        yield Observation("http.server", "seen")
        yield Say(b"x", done=lambda _: False)

    attempt, _, _ = asyncio.run(hold(slam, speak))
    assert attempt.observations == (Observation("http.server", "seen"),)
    assert attempt.detail.startswith(RESET)


def test_a_closed_port_is_refused_and_that_is_knowledge():
    async def run():
        async with Server(honest) as server:
            port = server.port
        return await converse(guard("127.0.0.0/8"), Peer("127.0.0.1", port), probe())

    attempt = asyncio.run(run())
    assert attempt.outcome is Outcome.REFUSED and attempt.outcome.is_knowledge


def test_another_protocol_is_garbled_and_what_was_seen_is_kept():
    def speak(_peer):
        heard = yield Say(b"x\n", done=lambda came: b"\n" in came)
        yield Observation("http.response", "HI", heard.data)
        raise DataError("this is no HTTP")

    attempt, _, _ = asyncio.run(hold(honest, speak))
    assert attempt.outcome is Outcome.GARBLED
    assert attempt.detail == "this is no HTTP" and len(attempt.observations) == 1


def test_a_probe_with_nothing_to_ask_opens_no_connection():
    def speak(_peer):
        return
        yield

    attempt, _, server = asyncio.run(hold(honest, speak))
    assert attempt is None and server.connections == 0


def test_a_say_after_the_peer_has_closed_is_heard_as_nothing():
    heard = []

    def speak(_peer):
        heard.append((yield Say(b"a\n")))
        heard.append((yield Say(b"b\n")))

    asyncio.run(hold(shut, speak))
    assert [h.data for h in heard] == [b"", b""]


def test_each_fresh_question_takes_a_connection_and_the_budget_ends_them():
    def speak(_peer):
        for _ in range(5):
            yield Say(b"a\n", done=lambda came: b"\n" in came, fresh=True)

    _, _, server = asyncio.run(hold(honest, speak, pace=paced(host_total=3)))
    assert server.connections == 3


def test_a_forbidden_port_and_a_foreign_address_are_not_tried():
    async def run(ip, **more):
        journal = []
        watched = guard("127.0.0.0/24", journal=journal.append, **more)
        attempt = await converse(watched, Peer(ip, 9100), probe())
        return attempt, journal

    for ip in ("127.0.0.1", "127.0.1.1"):
        attempt, journal = asyncio.run(run(ip))
        assert attempt.outcome is Outcome.NOT_TRIED
        assert journal == []


def test_a_failing_probe_leaves_what_it_saw():
    def speak(_peer):
        yield Observation("http.server", "seen")
        yield Say(b"x\n", done=lambda came: True)
        raise ZeroDivisionError

    seen = []

    async def run():
        async with Server(honest) as server:
            await converse(guard("127.0.0.0/8"), Peer("127.0.0.1", server.port), probe(speak), seen)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())
    assert seen == [Observation("http.server", "seen")]


def test_an_endless_probe_is_cut_off():
    def speak(_peer):
        while True:
            yield Observation("http.server", "again")

    attempt, _, _ = asyncio.run(hold(honest, speak))
    assert len(attempt.observations) == 400


# ---------------------------------------------------------------- TLS


async def tls_talk(context, speak=None, behave=honest):
    server = Server(behave)
    server.server = await asyncio.start_server(server._serve, "127.0.0.1", 0, ssl=context)
    port = server.server.sockets[0].getsockname()[1]
    try:
        peer = Peer("127.0.0.1", port, tls=True)
        return await converse(guard("127.0.0.0/8"), peer, probe(speak))
    finally:
        server.server.close()


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_tls_of_every_vintage_hands_over_the_certificate(version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    certificate = trustme.CA().issue_cert("camera.example")
    certificate.configure_cert(context)

    def speak(_peer):
        heard = yield Say(b"x\n", done=lambda came: b"\n" in came)
        yield Observation("tls.version", heard.detail, heard.certificate)

    attempt = asyncio.run(tls_talk(context, speak))
    assert attempt.outcome is Outcome.ANSWERED
    assert attempt.observations[0].value == version.replace("_", ".")
    pem = certificate.cert_chain_pems[0].bytes().decode()
    assert attempt.observations[0].raw == ssl.PEM_cert_to_DER_cert(pem)


def test_a_port_that_only_speaks_plainly_fails_the_handshake_in_time():
    attempt, took_s, _ = asyncio.run(hold(honest, tls=True))
    assert attempt.outcome in {Outcome.GARBLED, Outcome.SILENT} and "TLS" in attempt.detail
    assert took_s < 6.0


@pytest.mark.parametrize("behave", [mute, endless, drip], ids=lambda b: b.__name__)
def test_a_handshake_that_never_ends_is_ended(behave):
    attempt, took_s, _ = asyncio.run(hold(behave, tls=True))
    assert took_s < 6.0 and not attempt.outcome.is_knowledge


# ---------------------------------------------------------------- UDP


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(b"HI\n" + data, addr)


async def udp(speak, serve=True):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    if not serve:
        transport.close()
        await asyncio.sleep(0.05)
    attempt = await converse(
        guard("127.0.0.0/8"), Peer("127.0.0.1", port), probe(speak, transport="udp")
    )
    transport.close()
    return attempt


def test_a_datagram_is_a_whole_reply():
    attempt = asyncio.run(udp(ask(b"x", done=None)))
    assert attempt.outcome is Outcome.ANSWERED
    assert attempt.observations[0].raw == b"HI\nx" and attempt.endpoint.transport == "udp"


def test_a_port_unreachable_is_a_refusal():
    attempt = asyncio.run(udp(ask(b"x", done=None), serve=False))
    assert attempt.outcome is Outcome.REFUSED


# ---------------------------------------------------------------- many at once


def test_a_crowd_of_hostile_peers_does_not_slow_the_honest_ones():
    async def crowd(hostile):
        gate = guard("127.0.0.0/8", pace=paced(host_open=1_000, host_total=10_000))
        async with Server(mute) as bad, Server(honest) as good:
            dead = [
                asyncio.create_task(converse(gate, Peer("127.0.0.1", bad.port), probe()))
                for _ in range(hostile)
            ]
            await asyncio.sleep(1.0 if hostile else 0)
            began = time.monotonic()
            talks = [converse(gate, Peer("127.0.0.1", good.port), probe()) for _ in range(100)]
            ended = await asyncio.gather(*talks)
            took_s = time.monotonic() - began
            await asyncio.gather(*dead)
            return took_s, ended

    alone_s, _ = asyncio.run(crowd(0))
    among_s, ended = asyncio.run(crowd(300))
    assert all(a.outcome is Outcome.ANSWERED for a in ended)
    assert among_s < alone_s + 1.0
