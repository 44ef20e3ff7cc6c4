"""One datagram to a group, answers from whoever is on the segment, and floods that do no harm."""

import asyncio
import socket
import struct
import time

import pytest

from auditor.model.coverage_note import read_note
from auditor.model.observation import Endpoint, Observation, Outcome
from auditor.net.group import ask_group
from auditor.net.interfaces import interfaces, named
from auditor.plugins import Found, Medium, Sweep
from tests.net.stage import Aside, guard, inside, paced

pytestmark = pytest.mark.network
GROUP, PORT = "239.255.255.250", 37_020


def read(raw, sender):
    if not raw.startswith(b"CAMERA "):
        return ()
    ip = raw.split()[1].decode()
    return (Found(Endpoint(ip or sender, transport="udp"), (Observation("sadp.reply", ip, raw),)),)


SWEEP = Sweep(
    "sadp", Medium.GROUP, "test", GROUP, PORT, lambda number: b"WHO %d" % number, read, PORT
)


def ask(**more):
    journal = []
    gate = guard("10.9.0.0/24", journal=journal.append, pace=paced(rounds=2), **more)
    began = time.monotonic()

    async def asking():
        rounds = ask_group(gate, SWEEP, named("v0", interfaces()), 1.0)
        return [attempt async for attempts in rounds for attempt in attempts]

    found = asyncio.run(asking())
    return found, journal, time.monotonic() - began


def station(answers, to_group=False):
    """Play cameras: `answers` are sent for each question heard."""

    def play(ready):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", PORT))
            member = struct.pack("=4s4s", socket.inet_aton(GROUP), socket.inet_aton("10.9.0.10"))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            sock.setsockopt(
                socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.9.0.10")
            )
            ready.set()
            while True:
                data, sender = sock.recvfrom(2_048)
                if not data.startswith(b"WHO"):
                    continue
                for answer in answers():
                    sock.sendto(answer, (GROUP, PORT) if to_group else sender)

    return play


def devices(found):
    return {a.endpoint.ip for a in found if a.endpoint.ip}


def test_whoever_answers_is_found_even_on_a_foreign_address(cable):
    answers = [b"CAMERA 10.9.0.10", b"CAMERA 192.0.0.64"]
    with Aside(cable.there, station(lambda: answers)):
        found, journal, _ = inside(cable.here, ask)
    assert devices(found) == {"10.9.0.10", "192.0.0.64"}
    assert {line.ip for line in journal} == {GROUP}  # the foreign one is never contacted
    assert len(journal) == 2
    (whole,) = (a for a in found if a.endpoint.ip is None)
    assert read_note(whole.detail).value("devices") == "2"


def test_answers_to_the_group_are_heard_too(cable):
    with Aside(cable.there, station(lambda: [b"CAMERA 10.9.0.11"], to_group=True)):
        found, _, _ = inside(cable.here, ask)
    assert devices(found) == {"10.9.0.11"}


def test_silence_and_our_own_echo_are_nobody(cable):
    found, journal, took_s = inside(cable.here, ask)
    (whole,) = found
    assert whole.outcome is Outcome.SILENT and len(journal) == 2
    assert read_note(whole.detail).value("replies") == "0"
    assert took_s < 2.0


def test_a_flood_of_answers_is_bounded_and_does_not_delay(cable):
    def flood():
        return (b"CAMERA 10.9.%d.%d %d" % (n >> 8 & 255, n & 255, n) for n in range(20_000))

    with Aside(cable.there, station(flood)):
        found, _, took_s = inside(cable.here, ask)
    assert took_s < 4.0
    note = read_note(found[-1].detail)
    # one sender told of thousands; what is kept of one sender is bounded, and the loss is told
    assert len(devices(found)) == 16
    assert int(note.value("dropped")) > 1_000
    assert int(note.value("replies")) > 1_000


def test_garbage_is_dropped_and_the_honest_are_kept(cable):
    junk = [b"", b"\0" * 2_000, b"\xff" * 9_000, b"WHO 1", b"<" * 500]
    with Aside(cable.there, station(lambda: [*junk, b"CAMERA 10.9.0.12"])):
        found, _, _ = inside(cable.here, ask)
    assert devices(found) == {"10.9.0.12"}


def test_a_question_never_passes_a_router(cable):
    def listen(ready):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as sock:
            sock.bind(("v1", 0x0800))
            ready.set()
            while True:
                raw = sock.recv(2_048)
                if raw[23] == 17:
                    mine.send(raw[22])
                    return

    import multiprocessing

    its, mine = multiprocessing.get_context("fork").Pipe()
    with Aside(cable.there, listen):
        inside(cable.here, ask)
        assert its.recv() == 1  # the time to live
