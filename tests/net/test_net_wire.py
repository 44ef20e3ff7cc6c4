"""Counted on the wire: no packet out of scope, none over the cap, none that nobody noted."""

import asyncio
import multiprocessing
import random
import socket
import struct
from pathlib import Path

import pytest

from auditor.model.address import AddressSet
from auditor.model.observation import Outcome
from auditor.net.connect import sweep_connect
from auditor.net.dial import dial
from auditor.net.engine import Engine
from auditor.net.interfaces import interfaces, named
from auditor.plugins import Medium, Peer, Probe, Say, Sweep
from tests.net.stage import Aside, guard, inside, paced

pytestmark = pytest.mark.network


def speak(_peer):
    yield Say(b"GET / HTTP/1.1\r\n\r\n", done=lambda came: True)


SO_TIMESTAMP = 29
HTTP = Probe("http", "tcp", ("http",), speak, "test")


class Counter(Aside):
    """Counts TCP SYNs that arrive: when, for whom, to which port."""

    def __init__(self, namespace):
        fork = multiprocessing.get_context("fork")
        self.mine, self.its = fork.Pipe()
        self.enough = fork.Event()
        super().__init__(namespace, self.count)

    def count(self, ready):
        seen = []
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as sock:
            sock.bind(("v1", 0x0800))
            sock.settimeout(0.2)
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)  # the kernel's moment, not ours
            ready.set()
            while not self.enough.is_set():
                try:
                    raw, told, _, _ = sock.recvmsg(2_048, 64)
                except TimeoutError:
                    continue
                if raw[23] == 6 and raw[47] == 2:
                    port = int.from_bytes(raw[36:38], "big")
                    seconds, micros = struct.unpack("=qq", told[0][2])
                    seen.append((seconds + micros / 1e6, socket.inet_ntoa(raw[30:34]), port))
        self.its.send(seen)

    def seen(self):
        self.enough.set()
        return self.mine.recv()


def most_in_a_second(moments):
    return max((sum(s <= m < s + 1.0 for m in moments) for s in moments), default=0)


def counters():
    lines = Path("/proc/self/net/dev").read_text().splitlines()
    return {line.split()[0]: int(line.split()[10]) for line in lines[2:]}


def test_connections_keep_under_every_cap(cable):
    pace = paced(connects_per_s=10.0, host_connects_per_s=4.0, host_open=2)

    def scene():
        engine = Engine(guard("10.9.0.0/24", pace=pace), interfaces(), (80,))

        async def run():
            asking = [
                engine.converse(Peer(f"10.9.0.{last}", port), HTTP, [])
                for last in (10, 11, 12)
                for port in range(80, 92)
            ]
            return [a.outcome for a in await asyncio.gather(*asking)]

        return asyncio.run(run())

    with Counter(cable.there) as wire:
        outcomes = inside(cable.here, scene)
        seen = wire.seen()
    assert set(outcomes) == {Outcome.REFUSED} and len(seen) == 36
    assert most_in_a_second([moment for moment, _, _ in seen]) <= 10
    for ip in {ip for _, ip, _ in seen}:
        assert most_in_a_second([moment for moment, to, _ in seen if to == ip]) <= 4


def test_every_syn_stands_in_the_journal_even_to_a_silent_host(cable):
    cable.run("nft", "-f", "-", where=cable.there, text=(
        "table ip t {\n chain c {\n type filter hook input priority 0;\n"
        " ip daddr 10.9.0.11 drop;\n }\n }\n"
    ))  # fmt: skip

    def scene():
        journal = []
        engine = Engine(guard("10.9.0.0/24", journal=journal.append), interfaces(), (80,))
        peers = [Peer("10.9.0.11", port) for port in (80, 443)]

        async def run():
            ended = await asyncio.gather(*(engine.converse(peer, HTTP, []) for peer in peers))
            await asyncio.sleep(2.5)
            return [a.outcome for a in ended]

        return asyncio.run(run()), [line.port for line in journal if line.kind == "tcp"]

    with Counter(cable.there) as wire:
        outcomes, noted = inside(cable.here, scene)
        seen = wire.seen()
    assert outcomes == [Outcome.SILENT] * 2
    assert sorted(port for _, _, port in seen) == sorted(noted) == [80, 80, 443, 443]


def test_ten_thousand_targets_out_of_scope_cost_no_packet(cable):
    def scene():
        gate = guard("10.9.0.0/28", excluded=AddressSet.parse(["10.9.0.10"]))
        engine = Engine(gate, interfaces(), (80,))
        dice = random.Random(3)
        targets = [f"10.9.{dice.randrange(256)}.{dice.randrange(16, 256)}" for _ in range(9_990)]
        targets += ["10.9.0.10"] * 10

        async def run():
            ended = await asyncio.gather(
                *(engine.converse(Peer(ip, 80), HTTP, []) for ip in targets)
            )
            return {a.outcome for a in ended}

        before = counters()
        return asyncio.run(run()), {k: v - before[k] for k, v in counters().items()}

    cable.run("sysctl", "-w", "net.ipv6.conf.v0.disable_ipv6=1", where=cable.here)
    outcomes, sent = inside(cable.here, scene)
    assert outcomes == {Outcome.NOT_TRIED}
    assert set(sent.values()) == {0}


def test_no_sweep_touches_a_forbidden_port(cable):
    def scene():
        gate = guard("10.9.0.0/24", never=(9100, 9101))
        link = named("v0", interfaces())

        async def run():
            targets = AddressSet.parse(["10.9.0.10-12"])
            async for _ in sweep_connect(gate, targets, (9100, 80, 9101), link):
                pass
            engine = Engine(gate, interfaces(), (9100, 80))
            sweep = Sweep("syn", Medium.FRAME, "test", kind="syn")
            macs = {"10.9.0.10": link.mac}
            async for _ in engine.ports(sweep, macs, (9100, 80), lambda _: None):
                pass

        asyncio.run(run())

    with Counter(cable.there) as wire:
        inside(cable.here, scene)
        ports = {port for _, _, port in wire.seen()}
    assert ports == {80}


def test_a_bare_syn_scan_keeps_the_cap_of_each_host(cable):
    pace = paced(host_connects_per_s=3.0, packets_per_s=2_000.0, rounds=2)
    ports = (80, 81, 82, 83, 84, 85, 86)

    def scene():
        gate = guard("10.9.0.0/24", pace=pace)
        engine = Engine(gate, interfaces(), ())
        mac = next(iter(_macs(engine)))

        async def run():
            sweep = Sweep("syn", Medium.FRAME, "test", kind="syn")
            found = engine.ports(sweep, {"10.9.0.10": mac, "10.9.0.11": mac}, ports, lambda _: None)
            return [attempt async for batch in found for attempt in batch]

        return asyncio.run(run())

    with Counter(cable.there) as wire:
        found = inside(cable.here, scene)
        seen = wire.seen()
    assert sum(a.outcome is Outcome.REFUSED for a in found) == 14
    for ip in ("10.9.0.10", "10.9.0.11"):
        assert most_in_a_second([moment for moment, to, _ in seen if to == ip]) <= 3


def _macs(engine):
    """Learn the hardware address of the far end by connecting once."""
    from auditor.net import neighbours

    async def once():
        await dial(engine.guard, "10.9.0.12", 80, "test")

    asyncio.run(once())
    return {n.mac for n in neighbours.known() if n.ip == "10.9.0.12"}
