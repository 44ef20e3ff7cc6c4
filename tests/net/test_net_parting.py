"""How connections end under a delicate pace: the peer sees a FIN, whatever happened before."""

import asyncio
import contextlib

import pytest

from auditor.model.observation import Outcome
from auditor.net.door import converse
from auditor.net.engine import Engine
from auditor.net.parting import lounge
from auditor.plugins import Peer, Probe, Say
from tests.net.stage import Server, guard, paced

DELICATE = paced(profile="gentle", packets_per_s=9_000.0)
HASTY = paced()


def probe(speak, tls=False):
    return Probe("test", "tcp", ("here",), speak, "test", tls=tls)


def ask(_peer):
    yield Say(b"HELLO\n", done=lambda came: b"\n" in came, idle_s=0.2)


def listen(_peer):
    yield Say(b"", idle_s=5.0)


async def ends(server, reader, writer):
    """Note how the client ends: it hears EOF after a FIN, and an error after a reset."""
    try:
        while await reader.read(100):
            pass
        server.told.append("fin")
    except ConnectionError:
        server.told.append("reset")


async def late(server, reader, writer):
    """Answer when the client has long stopped waiting."""
    await reader.readline()
    await asyncio.sleep(0.8)
    with contextlib.suppress(ConnectionError):
        for _ in range(3):
            writer.write(b"x" * 1_000 + b"\n")
            await writer.drain()
            await asyncio.sleep(0.1)
    await ends(server, reader, writer)


async def plain(server, reader, writer):
    """Answer a TLS handshake in plain words, and say more than anybody reads."""
    await reader.read(10)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 60_000)
    await writer.drain()
    await ends(server, reader, writer)


async def greet(server, reader, writer):
    writer.write(b"hello\n" * 100)
    await writer.drain()
    await ends(server, reader, writer)


async def played(behave, scene, pace=DELICATE):
    gate = guard("127.0.0.0/24", pace=pace)
    async with Server(behave) as server:
        result = await scene(gate, server.port)
        for _ in range(60):
            if len(server.told) == server.connections:
                break
            await asyncio.sleep(0.05)
        lounge(gate).close()
        return result, server.told


def talk(speak, tls=False):
    async def scene(gate, port):
        return await converse(gate, Peer("127.0.0.1", port, tls), probe(speak, tls))

    return scene


@pytest.mark.parametrize(
    ("behave", "scene"),
    [
        pytest.param(late, talk(ask), id="an-answer-that-comes-too-late"),
        pytest.param(plain, talk(ask, tls=True), id="a-handshake-that-fails"),
        pytest.param(greet, talk(ask), id="more-than-was-asked-for"),
    ],
)
def test_the_peer_sees_a_fin(behave, scene):
    _, told = asyncio.run(played(behave, scene))
    assert told == ["fin"]


def test_without_a_delicate_pace_a_late_answer_is_reset():
    """What the tests above would see, if nobody heard the peer out."""
    _, told = asyncio.run(played(late, talk(ask), HASTY))
    assert told == ["reset"]


def test_who_greets_a_knock_sees_a_fin():
    async def scene(gate, port):
        return await Engine(gate, (), ()).knock("127.0.0.1", port)

    outcome, told = asyncio.run(played(greet, scene))
    assert outcome is Outcome.ANSWERED and told == ["fin"]


@pytest.mark.parametrize("after_s", [0.0, 0.0001, 0.001, 0.05, 0.3])
def test_a_question_that_is_dropped_at_any_moment_ends_with_a_fin(after_s):
    async def scene(gate, port):
        asking = asyncio.ensure_future(talk(listen)(gate, port))
        await asyncio.sleep(after_s)
        asking.cancel()
        await asyncio.wait([asking])

    _, told = asyncio.run(played(greet, scene))
    assert told in ([], ["fin"])


def test_whoever_never_hangs_up_is_heard_out_aside_until_the_run_ends():
    async def mute(server, reader, writer):
        await asyncio.sleep(2)

    async def scene():
        gate = guard("127.0.0.0/24", pace=DELICATE)
        async with Server(mute) as server:
            asking = asyncio.ensure_future(talk(listen)(gate, server.port))
            await asyncio.sleep(0.1)
            asking.cancel()
            await asyncio.wait([asking])
            held = len(lounge(gate).leaving)
            Engine(gate, (), ()).end()
            return held, len(lounge(gate).leaving)

    assert asyncio.run(scene()) == (1, 0)
