"""One datagram to a group, answers from whoever is on the segment, and floods that do no harm."""

import asyncio
import socket
import struct
import time

import pytest

from auditor.model.address import AddressSet
from auditor.model.coverage_note import read_note
from auditor.model.observation import Endpoint, Observation, Outcome
from auditor.net.group import ask_group
from auditor.net.interfaces import interfaces, named
from auditor.net.replies import MOST_BESIDE, MOST_OF_ONE_SENDER, Replies
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


# ---------------------------------------------------------------- forged senders


def forged(source, to, payload):
    """One datagram as a frame, from an address that is not ours (checksums: IP yes, UDP none)."""
    (mac, ip, port), size = to, 20 + 8 + len(payload)
    head = struct.pack("!BBHHHBBH", 0x45, 0, size, 0, 0, 64, 17, 0)
    head += socket.inet_aton(source) + socket.inet_aton(ip)
    total = sum(struct.unpack("!10H", head))
    total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    head = head[:10] + struct.pack("!H", total) + head[12:]
    udp = struct.pack("!HHHH", PORT, port, 8 + len(payload), 0)
    return mac + b"\x02\0\0\0\0\x66" + b"\x08\0" + head + udp + payload


def many_names():
    """Write what thousands of names answer to us; the port is put in when it is known."""
    to = (b"\xff" * 6, "10.9.0.1", 0)
    for n in range(5_000):
        name = f"172.{16 + (n >> 12)}.{n >> 4 & 255}.{n & 15}"
        yield forged(name, to, b"CAMERA 172.16.0.1 %d" % n)
    for n in range(20 * 240):
        text = b"CAMERA 10.9.0.%d %d " % (20 + n % 240, n)
        yield forged(f"10.9.0.{13 + n % 240}", to, text.ljust(1_400))


def crowd(ready):
    """Answer a question under thousands of names, then let one honest camera speak."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as mouth,
    ):
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind(("", PORT))
        member = struct.pack("=4s4s", socket.inet_aton(GROUP), socket.inet_aton("10.9.0.10"))
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        mouth.bind(("v1", 0))
        flood = list(many_names())  # to write them takes longer than to send them
        ready.set()
        while True:
            _, (ip, port) = ear.recvfrom(2_048)
            assert ip == "10.9.0.1"
            to = struct.pack("!H", port)
            for frame in flood:
                mouth.send(frame[:36] + to + frame[38:])
            ear.sendto(b"CAMERA 10.9.0.10", (ip, port))


def test_thousands_of_forged_senders_crowd_nobody_out_and_the_loss_is_told(cable):
    for knob in ("all", "v0"):
        cable.run("sysctl", "-qw", f"net.ipv4.conf.{knob}.rp_filter=0", where=cable.here)
    with Aside(cable.there, crowd):
        found, _, _ = inside(cable.here, ask)
    note = read_note(found[-1].detail)
    assert "10.9.0.10" in devices(found)
    assert int(note.value("replies")) > 2_500 and int(note.value("dropped")) > 500
    assert note.value("segment").startswith("10.9.0.0-10.9.0.255")
    assert len(found) < 2_000 + 16 * 254


# ---------------------------------------------------------------- the pure parts


def rest(replies):
    asyncio.run(replies.read_rest(SWEEP))
    return replies.found


def test_who_is_on_the_segment_is_read_before_who_is_not_and_the_first_before_the_second():
    replies, order = Replies(AddressSet.parse(["10.9.0.0/24"])), []
    for sender, said in (
        ("172.16.0.1", b"far"), ("10.9.0.1", b"one"), ("10.9.0.1", b"two"),
        ("10.9.0.2", b"x" * 9_000), ("10.9.0.3", b"three"),
    ):  # fmt: skip
        replies.add(said, sender)
    keeping = Sweep("t", Medium.GROUP, "test", read=lambda raw, _: order.append(raw[:5]) or ())
    asyncio.run(replies.read_rest(keeping))
    assert order == [b"one", b"three", b"xxxxx", b"two", b"far"]
    assert replies.dropped == 0


def test_one_sender_has_a_small_share_of_replies_and_of_devices():
    replies = Replies(AddressSet.parse(["10.9.0.0/24"]))
    for number in range(100):
        replies.add(b"CAMERA 10.9.0.9 %d" % number, "10.9.0.1")
        replies.add(b"CAMERA 10.9.0.9 0", "10.9.0.1")  # the same again is no loss
    assert len(rest(replies)) == MOST_OF_ONE_SENDER
    assert replies.dropped == 100 - MOST_OF_ONE_SENDER
    many = Replies(AddressSet.parse(["10.9.0.0/24"]))
    many.add(b"x", "10.9.0.1")
    every = tuple(Found(Endpoint(f"10.8.{n >> 8}.{n & 255}")) for n in range(1_000))
    proxy = Sweep("t", Medium.GROUP, "test", read=lambda *_: every)
    asyncio.run(many.read_rest(proxy))
    assert len(many.found) == 256 and many.dropped == 744


def test_cameras_at_one_address_each_have_a_share_by_their_hardware_address():
    replies = Replies(AddressSet.parse(["10.9.0.0/24"]))
    for number in range(300):
        replies.add(b"CAMERA 192.168.1.64 %d" % number, "192.168.1.64", f"02::{number}")
    assert len(rest(replies)) == 300 and not replies.dropped
    for number in range(100):  # and one that says much has no more than before
        replies.add(b"CAMERA 192.168.1.65 %d" % number, "192.168.1.65", "02::1")
    assert len(rest(replies)) == 300 + MOST_OF_ONE_SENDER


def test_forged_hardware_addresses_take_room_from_nobody_who_had_it_without_them():
    near = AddressSet.parse(["10.9.0.0/24"])
    replies, text = Replies(near), b"x" * 8_000
    for number in range(60_000):
        ip = f"10.9.0.{number % 250}" if number & 1 else "192.168.1.64"
        replies.add(b"CAMERA %d " % number + text, ip, f"02::{number}")
    assert replies.counts["dropped"] > 50_000
    assert len(rest(replies)) <= 16 * 126 + MOST_BESIDE
    late = Replies(near)
    for number in range(20_000):
        late.add(b"CAMERA 1 %d" % number, f"192.168.{number & 63}.64", f"02::{number}")
    for number in range(200):
        late.add(b"CAMERA 10.9.0.%d" % number, f"10.9.0.{number}", f"02::{number}")
    assert late.counts["dropped"] == 20_000 - 64 * 16 - MOST_BESIDE  # not one of the segment
    order = [one.endpoint.ip for one in rest(late)]
    assert order[:200] == [f"10.9.0.{number}" for number in range(200)]


def test_a_hardware_address_at_a_shared_one_cannot_speak_for_thousands():
    replies = Replies(AddressSet.parse(["10.9.0.0/24"]))
    for number in range(40):
        replies.add(b"%d" % number, "192.168.1.64", f"02::{number}")
    proxy = Sweep("t", Medium.GROUP, "test", read=lambda raw, _: tuple(
        Found(Endpoint(f"10.{int(raw)}.{n >> 8}.{n & 255}")) for n in range(1_000)))  # fmt: skip
    asyncio.run(replies.read_rest(proxy))
    assert len(replies.found) == 256 + 39 * MOST_OF_ONE_SENDER


def test_long_replies_are_bounded_together_and_short_ones_are_still_kept():
    replies = Replies(AddressSet.parse(["10.0.0.0/8"]))
    for number in range(2_000):
        replies.add(b"%d" % number + b"x" * 60_000, f"10.1.{number >> 8}.{number & 255}")
    assert replies.dropped > 1_700
    replies.add(b"CAMERA 10.9.0.12", "10.9.0.12")
    assert [one.endpoint.ip for one in rest(replies)] == ["10.9.0.12"]
