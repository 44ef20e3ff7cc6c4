"""Hosts are asked while others are still looked for: whom, when, and how many."""

import asyncio
from datetime import UTC, datetime

import pytest

from auditor.model.address import AddressSet
from auditor.model.coverage_note import Note
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.net.engine import Engine
from auditor.net.guard import BESIDE_SWEEPS, Kind
from auditor.plugins import Medium, Sweep
from auditor.schedule import settled
from tests.net.stage import Server, guard, paced
from tests.test_schedule import CONNECT, by_tool, greet, hi, run

ARP = Sweep("arp", Medium.FRAME, "test", kind="arp")
SYN = Sweep("syn", Medium.FRAME, "test", kind="syn")
SADP = Sweep("sadp", Medium.GROUP, "test")
ARP_REACHES = AddressSet.parse(["127.0.0.1-4"])  # the others lie behind a router


def met(ip, mac="00:00:5e:00:53:01"):
    where = Endpoint(ip, mac, transport="arp")
    seen = (Observation("mac", mac),)
    return Attempt("arp", where, Outcome.ANSWERED, seen, datetime.now(UTC))


def whole(targets):
    asked = targets.meet(ARP_REACHES)
    note = str(Note(asked, asked.minus(AddressSet.parse(["127.0.0.1-3"]))))
    return Attempt("arp", Endpoint(transport="arp"), Outcome.SILENT, (), datetime.now(UTC), 0, note)


class Slow(Engine):
    """A sweep that finds one host and goes on until that host was asked, or nobody will be."""

    def __init__(self, gate, port, patience_s=5.0, heard=(), finds=("127.0.0.1",)):
        super().__init__(gate, (), (port,))
        self.patience_s, self.heard, self.finds = patience_s, heard, finds
        self.log, self.asked = [], asyncio.Event()

    async def frames(self, sweep, targets, tick):
        if sweep.kind != "arp":
            return
        yield [met(ip) for ip in self.finds]
        try:
            await asyncio.wait_for(self.asked.wait(), self.patience_s)
        except TimeoutError:
            self.log.append("nobody was asked")
        self.log.append("swept")
        yield [met("127.0.0.2", "00:00:5e:00:53:02"), whole(targets)]

    async def group(self, sweep, targets):
        for wait_s in self.heard:
            await asyncio.sleep(wait_s)
            self.log.append(f"{sweep.name} heard")
            yield []

    async def connect(self, sweep, targets, tick):
        self.log.append("connections")
        async for batch in super().connect(sweep, targets, tick):
            yield batch

    async def converse(self, peer, probe, seen):
        self.log.append(f"asked {peer.ip}")
        self.asked.set()
        told = await super().converse(peer, probe, seen)
        self.log.append(f"told {peer.ip}")
        return told


def play(sweeps=(ARP,), behave=hi, done=None, half_opens=False, targets="127.0.0.1-4", **more):
    caps = {"profile": "gentle", "packets_per_s": 5_000.0} if not half_opens else {}

    async def scene():
        async with Server(behave) as server:
            gate = guard("127.0.0.0/24", ports=(server.port,), pace=paced(**caps))
            engine = Slow(gate, server.port, **more)
            kept = []
            known = {"done": done} if done else {}
            await run(
                server.port, None, targets, sweeps=sweeps, engine=engine,
                pace=paced(**caps), sink=kept.extend, **known,
            )  # fmt: skip
            return kept, engine.log

    return asyncio.run(scene())


def test_whom_a_sweep_has_found_is_asked_while_it_goes_on():
    kept, log = play()
    assert log.index("asked 127.0.0.1") < log.index("swept") < log.index("asked 127.0.0.2")
    assert {a.endpoint.ip for a in by_tool(kept, "telnet")} == {"127.0.0.1", "127.0.0.2"}
    assert len(by_tool(kept, "arp")) == 2


def test_ports_are_swept_before_anybody_is_asked():
    _, log = play((ARP, SYN), half_opens=True, patience_s=0.2)
    assert log[:2] == ["nobody was asked", "swept"] and "asked 127.0.0.1" in log


def test_nobody_is_asked_before_every_group_was_heard():
    _, log = play((ARP, SADP), heard=(0.3,))
    assert log.index("sadp heard") < log.index("asked 127.0.0.1") < log.index("swept")


def test_connections_are_swept_when_nobody_is_being_asked():
    async def late(server, reader, writer):
        await asyncio.sleep(0.3)
        await hi(server, reader, writer)

    _, log = play((ARP, CONNECT), late, targets="127.0.0.1-5")
    assert log.index("asked 127.0.0.1") < log.index("swept")
    assert log.index("told 127.0.0.1") < log.index("connections")
    assert log.index("told 127.0.0.2") < log.index("connections")


@pytest.mark.parametrize("known", [0, 1])
def test_a_resumed_run_does_not_tell_twice_whom_an_unfinished_stretch_had_found(known):
    kept, _ = play(done=settled([met("127.0.0.1")][:known]))
    assert [a.endpoint.ip for a in by_tool(kept, "arp")] == ["127.0.0.1", "127.0.0.2"][known:]
    assert {a.endpoint.ip for a in by_tool(kept, "telnet")} == {"127.0.0.1", "127.0.0.2"}
    assert [a for a in kept if a.tool == "arp" and not a.endpoint.ip]  # all were asked again


def test_everybody_who_is_fed_is_asked_once_whoever_feeds_him():
    async def scene():
        async with Server(hi) as server:
            gate = guard("127.0.0.0/24", ports=(server.port,))
            engine = Slow(gate, server.port, finds=[f"127.0.0.{n}" for n in (1, 2, 3)])
            told = []
            await run(
                server.port, (greet(),), "127.0.0.1-4", sweeps=(ARP,), engine=engine, window=1,
                progress=lambda *news: told.append(news),
            )  # fmt: skip
            return engine.log, [news for news in told if news[0] == "probes"]

    log, told = asyncio.run(scene())
    assert sorted(line for line in log if line.startswith("asked")) == [
        f"asked 127.0.0.{n}" for n in (1, 2, 3)
    ]
    assert told[-1][1:] == (3, 3) and all(done <= total for _, done, total in told)


def test_beside_a_sweep_few_connections_begin_and_after_it_all():
    gate = guard("10.0.0.0/24", pace=paced(frames_per_s=500.0, arp_per_s=500.0))

    async def scene():
        begun = []

        async def connect(last):
            await gate.turn(Kind.CONNECT, f"10.0.0.{last}", 80)
            begun.append(last)

        async def sweep():
            for number in range(1_000):
                await gate.turn(Kind.ARP, f"10.0.0.{number % 250 + 1}", 0, "arp")
            return len(begun)

        sweeping = asyncio.create_task(sweep())
        await asyncio.sleep(0)
        connecting = [asyncio.create_task(connect(last)) for last in range(1, 101)]
        beside = await sweeping
        await asyncio.gather(*connecting)
        return beside, len(begun)

    beside, all_of_them = asyncio.run(scene())
    assert 10 <= beside <= 1_000 // BESIDE_SWEEPS + 10
    assert all_of_them == 100
