"""Who is on the link: counted in namespaces of our own, frame by frame."""

import asyncio
import socket
import subprocess
import time

import pytest

from auditor.errors import EnvironmentLack
from auditor.model.address import AddressSet, Range
from auditor.model.coverage_note import read_note
from auditor.model.observation import Outcome
from auditor.net.arp import Replies, proxies, request, stretches, sweep_arp
from auditor.net.connect import sweep_connect
from auditor.net.filters import ARP_REPLIES
from auditor.net.interfaces import for_target, interfaces, named, routed_source, split
from auditor.net.link import open_link, take
from tests.net.stage import Aside, guard, inside, paced

NET = AddressSet.parse(["10.9.0.0/24"])
pytestmark = pytest.mark.network


def gather(sweep):
    async def run():
        return [attempt async for batch in sweep for attempt in batch]

    return asyncio.run(run())


def look(targets=NET, **more):
    """Sweep by ARP from where this plays; attempts, and how many frames the journal holds."""
    journal = []
    gate = guard("10.9.0.0/24", journal=journal.append, **more)
    found = gather(sweep_arp(gate, targets, named("v0", interfaces())))
    return found, journal


def arp_of(found):
    return {a.endpoint.ip: a for a in found if a.endpoint.ip}


def reply(mac, ip, to=b"\xff" * 6, tag=b""):
    claims = bytes.fromhex(mac) + socket.inet_aton(ip)
    head = to + bytes.fromhex(mac) + tag + b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02"
    return (head + claims + to + socket.inet_aton("10.9.0.1")).ljust(60, b"\0")


def answering(answer):
    """Play a station that answers each ARP request with the frames that `answer(ip)` gives."""

    def play(ready):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
            sock.bind(("v1", 3))
            ready.set()
            while True:
                raw = sock.recv(2_048)
                if raw[12:14] == b"\x08\x06" and raw[20:22] == b"\0\1":
                    for frame in answer(socket.inet_ntoa(raw[38:42])):
                        sock.send(frame)

    return play


def test_everyone_on_the_link_is_found_with_the_hardware_address(cable):
    found, _ = inside(cable.here, look)
    assert set(arp_of(found)) == {"10.9.0.10", "10.9.0.11", "10.9.0.12"}
    for attempt in arp_of(found).values():
        assert attempt.outcome is Outcome.ANSWERED
        (seen,) = attempt.observations
        assert (seen.field, seen.value) == ("mac", attempt.endpoint.mac)
        assert len(seen.raw) == 42


def test_silent_addresses_make_one_note_and_no_attempts(cable):
    found, journal = inside(cable.here, look)
    (whole,) = (a for a in found if a.endpoint.ip is None)
    note = read_note(whole.detail)
    assert note.asked == NET and note.silent.size == 255 - 3
    assert note.value("self") == "10.9.0.1" and note.value("sent") == str(len(journal))
    assert len(journal) == 255 + 252  # the second round asks only who was silent


def batches(targets=NET, **caps):
    gate = guard("10.9.0.0/24", pace=paced(**caps))

    async def run():
        link = named("v0", interfaces())
        return [batch async for batch in sweep_arp(gate, targets, link)]

    return asyncio.run(run())


def test_whoever_is_certain_after_the_first_round_is_told_before_the_last(cable):
    def two(ip):
        if ip in {"10.9.0.20", "10.9.0.21"}:
            yield reply(f"02aabbccdd{ip[-2:]}", ip)

    with Aside(cable.there, answering(two)):
        early, late = inside(cable.here, lambda: batches(arp_per_s=150.0))
    assert {a.endpoint.ip: a.endpoint.mac for a in early} == {
        "10.9.0.20": "02:aa:bb:cc:dd:20",
        "10.9.0.21": "02:aa:bb:cc:dd:21",
    }
    # one station with three addresses might be a router as well, until all were asked
    assert set(arp_of(late)) == {"10.9.0.10", "10.9.0.11", "10.9.0.12"}
    note = read_note(next(a for a in late if a.endpoint.ip is None).detail)
    assert note.asked == NET and note.silent.size == 255 - 5 and note.value("answered") == "5"


def test_whoever_may_be_a_router_or_is_disputed_is_told_of_at_the_end_alone(cable):
    def everything(ip):
        yield reply("02aabbccdd01", ip)

    with Aside(cable.there, answering(everything)):
        early, late = inside(cable.here, lambda: batches(arp_per_s=40.0))
    assert early == []
    assert set(arp_of(late)) == {"10.9.0.10", "10.9.0.11", "10.9.0.12"}
    assert [a.endpoint.mac for a in late if a.outcome is Outcome.GARBLED] == ["02:aa:bb:cc:dd:01"]


def test_nothing_is_sent_to_excluded_addresses(cable):
    out = AddressSet.parse(["10.9.0.11", "10.9.0.128/25"])

    def scene():
        return look(NET.minus(out), excluded=out)

    found, journal = inside(cable.here, scene)
    assert "10.9.0.11" not in arp_of(found)
    assert not [line for line in journal if line.ip in out]


def test_the_pace_is_kept_on_the_wire(cable):
    def count(ready):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as sock:
            sock.bind(("v1", 0x0806))
            ready.set()
            moments = []
            sock.settimeout(2.5)
            try:
                while True:
                    sock.recv(2_048)
                    moments.append(time.monotonic())
            except TimeoutError:
                wire.send(moments)

    import multiprocessing

    mine, wire = multiprocessing.get_context("fork").Pipe()
    with Aside(cable.there, count):
        inside(
            cable.here, lambda: look(AddressSet.parse(["10.9.0.0-39"]), pace=paced(arp_per_s=15.0))
        )
        moments = mine.recv()
    assert max(sum(s <= m < s + 1.0 for m in moments) for s in moments) <= 15
    assert len(moments) >= 39


def test_a_router_that_answers_for_everything_is_one_finding(cable):
    router = "02aabbccdd01"

    def everything(ip):
        yield reply(router, ip)

    with Aside(cable.there, answering(everything)):
        found, _ = inside(cable.here, look)
    # the three real stations answer themselves, with their own hardware address
    assert set(arp_of(found)) == {"10.9.0.10", "10.9.0.11", "10.9.0.12"}
    (proxy,) = (a for a in found if a.outcome is Outcome.GARBLED)
    note = read_note(proxy.detail)
    assert proxy.endpoint.mac == "02:aa:bb:cc:dd:01" == note.value("router")
    assert note.proxy.size == 255
    (whole,) = (a for a in found if a.endpoint.ip is None and a.endpoint.mac is None)
    assert read_note(whole.detail).proxy.size == 252


def test_two_stations_that_claim_one_address_are_both_recorded(cable):
    def twice(ip):
        if ip == "10.9.0.77":
            yield reply("02aabbccdd02", ip)
            yield reply("02aabbccdd03", ip)

    with Aside(cable.there, answering(twice)):
        found, _ = inside(cable.here, look)
    claims = [a for a in found if a.endpoint.ip == "10.9.0.77"]
    assert {a.endpoint.mac for a in claims} == {"02:aa:bb:cc:dd:02", "02:aa:bb:cc:dd:03"}
    assert all("2 stations" in a.detail for a in claims)


def test_a_tagged_reply_is_understood(cable):
    def tagged(ip):
        if ip == "10.9.0.50":
            yield reply("02aabbccdd04", ip, tag=b"\x81\x00\x00\x2a")

    with Aside(cable.there, answering(tagged)):
        found, _ = inside(cable.here, look)
    assert arp_of(found)["10.9.0.50"].endpoint.vlan == 42


def test_forged_unasked_and_misshapen_replies_change_nothing(cable):
    def forger(ip):
        yield reply("02aabbccdd05", "10.9.9.9")  # nobody asked
        yield reply("03aabbccdd05", ip)  # a group address
        yield reply("000000000000", ip)
        yield reply("02aabbccdd05", ip)[:30]
        yield b"\xff" * 12 + b"\x08\x06" + b"\xff" * 40

    with Aside(cable.there, answering(forger)):
        found, _ = inside(cable.here, look)
    assert set(arp_of(found)) == {"10.9.0.10", "10.9.0.11", "10.9.0.12"}


def test_a_flapping_address_is_bounded():
    replies = Replies()
    for last in range(100):
        replies.add(reply(f"02aabbccdd{last:02x}", "10.9.0.5"), None, NET)
    assert len(replies.claims[0x0A090005]) == 4


def test_an_interface_that_is_down_is_said(cable):
    cable.ip("link set v0 down", cable.here)
    with pytest.raises(EnvironmentLack, match="v0 is down"):
        inside(cable.here, look)


def test_an_interface_that_goes_down_in_the_middle_is_said(cable):
    def scene():
        import threading

        cut = threading.Timer(0.5, lambda: cable.ip("link set v0 down"))
        cut.start()
        look(pace=paced(arp_per_s=40.0))

    with pytest.raises(EnvironmentLack, match="does not send any more"):
        inside(cable.here, scene)


def test_an_unknown_interface_names_those_that_exist():
    with pytest.raises(EnvironmentLack) as caught:
        named("nonesuch0", interfaces())
    assert "lo" in caught.value.hint


# ---------------------------------------------------------------- the pure parts


def test_a_few_addresses_of_one_station_are_no_proxy():
    few = [(0x0A000001 + n, b"a" * 6) for n in range(15)]
    spread = [(0x0A000000 + (n << 8), b"b" * 6) for n in range(20)]
    assert proxies(AddressSet.parse(["10.0.0.0/16"]), [*few, *spread]) == {}


def test_stretches_cover_all_and_overlap_nowhere():
    targets = AddressSet.parse(["10.0.0.0/22", "10.9.0.0/30", "fd00::/64"])
    pieces = list(stretches(targets, 10.0))
    assert sum(piece.size for piece in pieces) == 1_024 + 4
    assert all(piece.size <= 300 for piece in pieces)
    joined = AddressSet(())
    for piece in pieces:
        joined = joined.join(piece)
    assert joined == AddressSet.parse(["10.0.0.0/22", "10.9.0.0/30"])


def test_a_planned_slash_eight_is_never_listed():
    pieces = stretches(AddressSet.of([Range(4, 10 << 24, (11 << 24) - 1)]), 10.0)
    assert next(iter(pieces)).size == 300


def test_a_request_is_a_whole_minimal_frame():
    frame = request(b"\2" * 6, socket.inet_aton("10.0.0.1"), 0x0A000002)
    assert len(frame) == 60 and frame[:6] == b"\xff" * 6 and frame[38:42] == b"\x0a\0\0\2"


# ---------------------------------------------------------------- interfaces, filters, connect


def test_targets_are_divided_by_the_link_that_they_lie_on(cable):
    def scene():
        known = interfaces()
        links, behind = split(AddressSet.parse(["10.9.0.0/30", "192.0.2.1"]), known)
        near = for_target("10.9.0.7", known)
        return (
            [(interface.name, here.texts()) for interface, here in links],
            behind.texts(),
            near.name,
            near.vantage().split()[:2],
            for_target("192.0.2.1", known),
            routed_source("10.9.0.7"),
            routed_source("192.0.2.1"),
        )

    found = inside(cable.here, scene)
    assert found[:4] == (
        [("v0", ("10.9.0.0-10.9.0.3",))], ("192.0.2.1",), "v0", ["v0", "10.9.0.1/24"],
    )  # fmt: skip
    assert found[4:] == (None, "10.9.0.1", None)


def test_the_kernel_lets_only_what_was_asked_for_through(cable):
    def scene():
        link = named("v0", interfaces())
        with open_link(link, ARP_REPLIES) as sock:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.sendto(b"x", ("10.9.0.10", 9))  # makes the kernel ask and be answered
            time.sleep(0.3)
            frames = []
            while frame := take(sock):
                frames.append(frame.data)
        return frames

    frames = inside(cable.here, scene)
    assert len(frames) == 1 and frames[0][12:14] == b"\x08\x06" and frames[0][20:22] == b"\0\2"


def test_without_privilege_the_same_stations_are_found_with_their_hardware_addresses(cable):
    cable.run("nft", "-f", "-", where=cable.there, text=(
        "table ip t { chain c { type filter hook input priority 0; "
        "ip daddr 10.9.0.11 drop; }\n }\n"
    ))  # fmt: skip

    def scene():
        gate = guard("10.9.0.0/24", ports=(80, 443))
        return gather(
            sweep_connect(
                gate, AddressSet.parse(["10.9.0.0/27"]), (80, 443), named("v0", interfaces())
            )
        )

    found = inside(cable.here, scene)
    known = arp_of(found)
    assert set(known) == {"10.9.0.10", "10.9.0.11", "10.9.0.12"}
    assert known["10.9.0.10"].outcome is Outcome.REFUSED
    assert known["10.9.0.11"].outcome is Outcome.ANSWERED  # drops TCP, cannot help ARP
    assert all(a.observations[0].field == "mac" for a in known.values())


def test_an_interface_that_went_down_has_no_frames_and_no_surprise(cable):
    def scene():
        with open_link(named("v0", interfaces()), ARP_REPLIES) as sock:
            subprocess.run(["ip", "link", "set", "v0", "down"], check=True)
            return take(sock), take(sock)

    assert inside(cable.here, scene) == (None, None)
