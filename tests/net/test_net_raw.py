"""The raw engines against a whole simulated network, and against single stations."""

import asyncio
import json
import socket
import struct
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

from auditor.errors import EnvironmentLack, ScopeRefusal
from auditor.model.address import AddressSet
from auditor.model.coverage_note import read_note
from auditor.model.observation import Origin, Outcome
from auditor.net import neighbours
from auditor.net.arp import sweep_arp
from auditor.net.bulk import Fence, numbers_of, set_of
from auditor.net.ear import listen, neighbours6
from auditor.net.echo import echo, is_answer
from auditor.net.engine import Engine
from auditor.net.filters import ARP_REPLIES
from auditor.net.guard import Kind
from auditor.net.icmp import sweep_icmp
from auditor.net.interfaces import interfaces, named
from auditor.net.link import BROADCAST
from auditor.net.syn import SynQuestions, sweep_syn
from auditor.net.volley import fire
from auditor.sweeps.ndp import SWEEP as NDP
from auditor.sweeps.passive import SWEEP as PASSIVE
from bench.shadow_farm import PORTS, Farm, serve
from tests.net.stage import Aside, guard, inside, paced

pytestmark = pytest.mark.network
FIRST, SIZE = 0x0A090000, 1 << 12
NET = "10.9.0.0/20"


def gather(sweep):
    async def run():
        return [attempt async for batch in sweep for attempt in batch]

    return asyncio.run(run())


@pytest.fixture
def widened(cable):
    """The cable with a /20 behind it instead of three stations."""
    cable.ip("addr flush dev v0", cable.here)
    cable.ip("addr flush dev v1", cable.there)
    cable.ip("addr add 10.9.0.1/20 dev v0", cable.here)
    return cable


def farmed(loss=0.0, delay_s=0.0, live=0.1):
    def play(ready):
        ready.set()
        serve(Farm(FIRST, SIZE, live), "v1", loss, delay_s)

    return play


class Long:
    """Questions in frames that the far end takes only while its MTU is not the least one."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def frames(self, which):
        return np.full((len(which), 95), 0xFF, np.uint8)

    def read(self, frames, tags):
        return np.zeros(0, np.int64)

    def permit(self, gate, which):
        pass

    def journal(self, gate, which):
        pass


def ask_long(count):
    link = named("v0", interfaces())
    return asyncio.run(fire(guard(NET), link, ARP_REPLIES, Long(count), Kind.ARP, 60, rounds=1))


def test_frames_that_a_full_queue_turns_away_are_sent_later(cable):
    cable.ip("link set v1 mtu 68", cable.there)
    before = arrived(cable)
    later = threading.Timer(0.5, cable.ip, ("link set v1 mtu 1500", cable.there))
    later.start()
    told = inside(cable.here, lambda: ask_long(600))
    later.join()
    assert told.sent == 600
    assert arrived(cable) - before >= 600


def arrived(cable):
    shown = cable.run("ip", "-s", "-j", "link", "show", "v1", where=cable.there)
    return json.loads(shown.stdout)[0]["stats64"]["rx"]["packets"]


def test_a_queue_that_stays_full_is_said(cable):
    cable.ip("link set v1 mtu 68", cable.there)
    with pytest.raises(EnvironmentLack, match="does not send any more"):
        inside(cable.here, lambda: ask_long(600))


@pytest.mark.parametrize("rate", [float("inf"), 50.0])
def test_a_cable_that_is_pulled_is_said_and_not_taken_for_silence(cable, rate):
    cable.ip("link set v1 down", cable.there)

    def play():
        sweep = sweep_arp(guard(NET, pace=paced(arp_per_s=rate)), AddressSet.parse(["10.9.0.0/27"]),
                          named("v0", interfaces()))  # fmt: skip
        return gather(sweep)

    with pytest.raises(EnvironmentLack, match="lost its link"):
        inside(cable.here, play)


def look(**more):
    journal = []
    gate = guard(NET, journal=journal.append, ports=PORTS, **more)
    link = named("v0", interfaces())
    found = gather(sweep_arp(gate, AddressSet.parse([NET]), link))
    hosts = {
        int.from_bytes(socket.inet_aton(a.endpoint.ip), "big"): bytes.fromhex(
            a.endpoint.mac.replace(":", "")
        )
        for a in found
        if a.endpoint.ip
    }
    return hosts, gather(sweep_syn(gate, hosts, PORTS, link)), journal


def test_every_station_and_every_open_port_of_a_network_is_found(widened):
    farm = Farm(FIRST, SIZE, 0.1)
    live, opened = farm.truth()
    with Aside(widened.there, farmed()):
        time.sleep(0.3)
        hosts, ports, journal = inside(widened.here, look)
    assert set(hosts) == set(live.tolist())
    answers = [a for a in ports if a.endpoint.ip]
    assert sum(a.outcome is Outcome.ANSWERED for a in answers) == opened
    assert {a.outcome for a in answers} == {Outcome.ANSWERED, Outcome.REFUSED}
    assert read_note(ports[-1].detail).value("scanned") == ",".join(map(str, PORTS))
    # each live port once or twice, each address once or twice, and nothing else
    assert sum(line.count for line in journal) <= 2 * (SIZE + len(live) * len(PORTS))


def test_what_a_link_loses_is_asked_again(widened):
    live, opened = Farm(FIRST, SIZE, 0.1).truth()
    with Aside(widened.there, farmed(loss=0.05, delay_s=0.08)):
        time.sleep(0.3)
        hosts, ports, _ = inside(widened.here, lambda: look(pace=paced(rounds=5)))
    assert set(hosts) == set(live.tolist())
    assert sum(a.outcome is Outcome.ANSWERED and a.endpoint.ip is not None for a in ports) == opened


def test_a_volley_keeps_the_pace(widened):
    pace = paced(arp_per_s=4_000.0, rounds=1)

    def scene():
        gate = guard(NET, pace=pace)
        began = time.monotonic()
        gather(sweep_arp(gate, AddressSet.parse([NET]), named("v0", interfaces())))
        return time.monotonic() - began

    assert inside(widened.here, scene) >= 2.0  # 4,095 frames and one second of patience


def test_a_volley_stops_when_the_authority_ends(widened):
    def scene():
        gate = guard(NET, pace=paced(arp_per_s=2_000.0))

        async def run():
            asyncio.get_running_loop().call_later(0.4, gate.revoke, "withdrawn")
            began = time.monotonic()
            with pytest.raises(ScopeRefusal):
                async for _ in sweep_arp(gate, AddressSet.parse([NET]), named("v0", interfaces())):
                    pass
            return time.monotonic() - began

        return asyncio.run(run())

    assert inside(widened.here, scene) < 1.5


def test_nothing_is_sent_to_what_the_scope_excludes(widened):
    out = AddressSet.parse(["10.9.1.0/24"])

    def scene():
        gate = guard(NET, excluded=out)
        fence = Fence(gate)
        numbers = numbers_of(AddressSet.parse([NET]))
        inside_ = set_of(numbers[fence.inside(numbers)])
        with pytest.raises(ScopeRefusal):
            fence.permit(gate, numbers, None)
        with pytest.raises(ScopeRefusal):
            fence.permit(gate, numbers[:5], np.array([9100], np.uint16))
        return inside_

    assert inside(widened.here, scene) == AddressSet.parse([NET]).minus(out)


def test_segments_carry_right_checksums_and_only_ours_are_believed():
    link = replace(next(i for i in interfaces() if i.name == "lo"), mac="02:00:00:00:00:01")
    questions = SynQuestions(
        guard(NET, ports=PORTS), link, {FIRST + 9: b"\2" * 6, FIRST + 7: b"\4" * 6}, PORTS
    )
    frames = questions.frames(np.arange(len(questions)))
    for frame in frames:
        packet = Ether(frame.tobytes())
        rebuilt = packet.copy()
        del rebuilt[IP].chksum, rebuilt["TCP"].chksum
        again = Ether(bytes(rebuilt))
        assert packet[IP].chksum == again[IP].chksum
        assert packet["TCP"].chksum == again["TCP"].chksum
        assert packet["TCP"].flags == "S" and packet[IP].ttl == 64
    answers = np.zeros((len(frames), 54), np.uint8)
    answers[:, 14], answers[:, 47] = 0x45, 0x12
    answers[:, 26:30], answers[:, 34:36] = frames[:, 30:34], frames[:, 36:38]
    tags = np.full(len(frames), -1)
    assert questions.read(answers, tags).size == 0  # acknowledges nothing of ours
    acked = frames[:, 38:42].copy().view(">u4")[:, 0].astype(np.uint32) + np.uint32(1)
    answers[:, 42:46] = acked.astype(">u4").view(np.uint8).reshape(-1, 4)
    assert sorted(questions.read(answers, tags)) == list(range(len(frames)))
    assert (questions.state == 2).all()


# ---------------------------------------------------------------- ICMP, IPv6, listening


def test_an_echo_is_answered_by_who_is_there(cable):
    def scene():
        journal = []
        gate = guard("10.9.0.0/24", journal=journal.append)
        found = gather(sweep_icmp(gate, AddressSet.parse(["10.9.0.8-10.9.0.15"])))
        return found, journal

    found, journal = inside(cable.here, scene)
    assert {a.endpoint.ip for a in found if a.endpoint.ip} == {
        "10.9.0.10", "10.9.0.11", "10.9.0.12",
    }  # fmt: skip
    note = read_note(found[-1].detail)
    assert note.silent.texts() == ("10.9.0.8-10.9.0.9", "10.9.0.13-10.9.0.15")
    assert len(journal) == 8 + 5


def test_only_the_asked_address_can_answer_an_echo():
    key = b"k" * 16
    asked = echo(key, "10.0.0.1", 1)
    packet = bytes([0x45]) + bytes(19) + b"\0\0" + asked[2:]
    assert is_answer(key, "10.0.0.1", packet)
    assert not is_answer(key, "10.0.0.2", packet)
    assert not is_answer(b"x" * 16, "10.0.0.1", packet)
    assert not is_answer(key, "10.0.0.1", b"")


def test_ipv6_neighbours_answer_one_question_to_all(cable):
    def scene():
        time.sleep(2.5)  # duplicate address detection of the link-local address
        journal = []
        gate = guard("10.9.0.0/24", journal=journal.append)

        async def asking():
            rounds = neighbours6(gate, NDP, named("v0", interfaces()))
            return [attempt async for attempts in rounds for attempt in attempts]

        return asyncio.run(asking()), journal

    found, journal = inside(cable.here, scene)
    (one,) = (a for a in found if a.endpoint.ip)
    assert one.endpoint.ip.startswith("fe80::") and one.observations[0].field == "mac"
    assert len(journal) == 2 and {line.ip for line in journal} == {"ff02::1"}


def test_listening_hears_and_sends_nothing(cable):
    def talk(ready):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            sock.bind(("v1", 0))
            mac, ip = b"\2\xaa\xbb\xcc\xdd\x09", socket.inet_aton("192.168.1.64")
            body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + ip + bytes(6) + ip
            frame = BROADCAST + mac + b"\x08\x06" + body
            ready.set()
            while True:
                sock.send(frame.ljust(60, b"\0"))
                sock.send(BROADCAST + mac + b"\x81\0\0\x07\x08\x06" + body)
                time.sleep(0.2)

    def scene():
        def counted():
            lines = Path("/proc/self/net/dev").read_text().splitlines()
            return int(next(line for line in lines if "v0:" in line).split()[10])

        before = counted()
        gate = guard("10.9.0.0/24")
        found = gather(listen(gate, PASSIVE, named("v0", interfaces()), 1.5))
        return found, counted() - before

    cable.run("sysctl", "-w", "net.ipv6.conf.v0.disable_ipv6=1", where=cable.here)
    with Aside(cable.there, talk):
        found, sent = inside(cable.here, scene)
    assert sent == 0
    heard = {(a.endpoint.ip, a.endpoint.mac, a.endpoint.vlan) for a in found}
    assert ("192.168.1.64", "02:aa:bb:cc:dd:09", None) in heard
    assert ("192.168.1.64", "02:aa:bb:cc:dd:09", 7) in heard
    assert all(a.origin is Origin.SIGHTING for a in found) and len(heard) == len(found)


# ---------------------------------------------------------------- the kernel's neighbour table


def test_hardware_addresses_are_lent_and_taken_back(cable):
    def scene():
        gate = guard("10.9.0.0/24")
        engine = Engine(gate, interfaces(), (80,))
        macs = {f"10.9.0.{last}": f"02:00:00:00:00:{last:02x}" for last in range(20, 220)}
        with engine.lent(macs) as most:
            inside_ = {n.ip: n.mac for n in neighbours.known() if n.lent}
        return most, inside_, macs, [n for n in neighbours.known() if n.lent]

    most, lent, macs, left = inside(cable.here, scene)
    assert lent == macs and left == [] and most > 1_000


def test_what_a_killed_run_lent_is_taken_back_by_the_next(cable):
    def scene():
        neighbours.lend(named("v0", interfaces()).index, [("10.9.0.99", "02:00:00:00:00:99")])
        before = [n.ip for n in neighbours.known() if n.lent]
        with Engine(guard("10.9.0.0/24"), interfaces(), (80,)).lent({}):
            pass
        return before, [n.ip for n in neighbours.known() if n.lent]

    assert inside(cable.here, scene) == (["10.9.0.99"], [])
