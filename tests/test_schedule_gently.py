"""Collecting around a host that suffers, and around groups whose turn comes late."""

import asyncio

import pytest

from auditor.model.coverage_note import INCIDENT, LEFT_ALONE, NOT_YET
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.model.settled import looked_at
from auditor.net.engine import Engine
from auditor.net.guard import Guard
from auditor.plugins import Medium, Probe, Say, Sweep
from auditor.schedule import settled
from tests.net.stage import Server, guard, paced, scope
from tests.test_schedule import CONNECT, NOW, by_tool, greet, hi, run

SADP = Sweep("sadp", Medium.GROUP, "test", again=True)
MDNS = Sweep("mdns", Medium.GROUP, "test")


async def slam(server, reader, writer):
    """Break off in the middle of an answer, with a reset."""
    server.told += [line] if (line := await reader.readline()) else []
    writer.write(b"half")
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


def probes(count=5):
    return tuple(greet(f"p{number}", order=number) for number in range(count))


async def interrupted(server):
    """Collect until the host is left alone, and press Ctrl-C in the minute before it is seen again."""
    stop, kept = asyncio.Event(), []

    def sink(attempts):
        kept.extend(attempts)
        if any(a.tool == INCIDENT for a in attempts):
            asyncio.get_running_loop().call_later(0.02, stop.set)

    more = {"pace": paced(host_open=1), "recheck_s": 60.0, "sink": sink, "stop": stop}
    ended, _ = await run(server.port, probes(), "127.0.0.1", **more)
    return ended, kept


def test_an_interruption_in_the_minute_before_the_second_look_loses_no_incident():
    async def scene():
        async with Server(slam) as server:
            return await interrupted(server)

    ended, kept = asyncio.run(scene())
    (incident,) = by_tool(kept, INCIDENT)
    assert not ended and incident.outcome is Outcome.NOT_TRIED
    assert (
        incident.detail
        == f"broke off in mid-reply 2 times after p1 on port {incident.endpoint.port}{NOT_YET}"
    )
    assert not looked_at(settled(kept).hurt["127.0.0.1"])


def test_a_resumed_run_looks_again_and_asks_the_host_nothing_more():
    async def scene():
        async with Server(slam) as server:
            _, first = await interrupted(server)
            told = len(server.told)
            _, then = await run(server.port, probes(7), "127.0.0.1", done=settled(first))
            _, last = await run(server.port, probes(7), "127.0.0.1", done=settled([*first, *then]))
            return first, then, last, len(server.told) - told

    first, then, last, more = asyncio.run(scene())
    (incident,) = by_tool(then, INCIDENT)
    assert "broke off in mid-reply 2 times" in incident.detail
    assert incident.detail.endswith("answers again") and more == 0
    left = [a.tool for a in (*first, *then) if a.detail.startswith(LEFT_ALONE)]
    assert sorted(left) == ["p2", "p3", "p4", "p5", "p6"]
    assert last == []


def test_what_a_host_told_is_handed_over_while_it_is_still_being_asked():
    handed = []

    async def scene():
        async def slow(server, reader, writer):
            handed.append(len(kept))
            await hi(server, reader, writer)

        kept = []
        async with Server(hi) as good, Server(slow) as late:
            lists = {"here": (good.port,), "later": (late.port,)}
            asked = (greet("first", order=1), greet("second", order=2, ports=("later",)))
            gap = paced(host_open=1, host_connects_per_s=2.0)
            more = {"lists": lists, "ports": (late.port,), "pace": gap, "sink": kept.extend}
            await run(good.port, asked, "127.0.0.1", sweeps=(), done=there(), **more)

    asyncio.run(scene())
    assert handed == [1]


def there():
    seen = Attempt("arp", Endpoint("127.0.0.1", transport="arp"), Outcome.ANSWERED, (), NOW())
    return settled([seen])


def test_one_conversation_meets_one_reset_under_a_delicate_pace():
    def insist(_peer):
        for _ in range(4):
            heard = yield Say(b"HELLO\n", fresh=True)
            if heard.data:
                yield Observation("telnet.banner", "half")

    async def scene():
        async with Server(slam) as server:
            pace = paced(profile="gentle", packets_per_s=9_000.0)
            asked = (Probe("insist", "tcp", ("here",), insist, "test"),)
            await run(server.port, asked, "127.0.0.1", sweeps=(), done=there(), pace=pace)
            return len(server.told)

    assert asyncio.run(scene()) == 1


class Calling(Engine):
    """Groups answer when the test says so, and who is asked when is written down."""

    def __init__(self, gate, port, answers):
        super().__init__(gate, (), (port,))
        self.answers, self.log = answers, []

    async def group(self, sweep, targets):
        for wait_s, ip in self.answers[sweep.name]:
            await asyncio.sleep(wait_s)
            self.log.append(f"{sweep.name} heard")
            found = Attempt(sweep.name, Endpoint(ip, transport="udp"), Outcome.ANSWERED, (), NOW())
            yield [found]

    async def converse(self, peer, probe, seen):
        self.log.append(f"asked {peer.ip}")
        return await super().converse(peer, probe, seen)


def call(answers, sweeps=(SADP, MDNS, CONNECT), targets="127.0.0.1-3", **more):
    async def scene():
        async with Server(hi) as server:
            gate = guard("127.0.0.0/24", ports=(server.port,))
            engine = Calling(gate, server.port, answers)
            _, kept = await run(server.port, None, targets, sweeps=sweeps, engine=engine, **more)
            return kept, engine.log

    return asyncio.run(scene())


def test_probes_wait_until_every_group_was_heard_once_and_not_for_the_second_time():
    kept, log = call(
        {"sadp": [(0.1, "127.0.0.1"), (1.0, "127.0.0.1")], "mdns": [(0.3, "127.0.0.1")]}
    )
    assert log[:2] == ["sadp heard", "mdns heard"] and log[-1] == "sadp heard"
    assert log.count("asked 127.0.0.1") == 1 and len(log) == 6
    assert by_tool(kept, "telnet")


def test_whom_a_group_finds_late_is_asked_then_and_only_inside_the_targets():
    answers = {"sadp": [(0.0, "127.0.0.1"), (0.5, "127.0.0.9"), (0.0, "127.0.9.9")], "mdns": []}
    kept, log = call(answers, sweeps=(SADP, MDNS), targets="127.0.0.1-9")
    asked = [a.endpoint.ip for a in by_tool(kept, "telnet")]
    assert asked == ["127.0.0.1", "127.0.0.9"]
    assert log.index("asked 127.0.0.1") < len(log) - 1 - log[::-1].index("sadp heard")


@pytest.mark.parametrize("known", [0, 1])
def test_a_resumed_run_does_not_tell_twice_what_a_group_told(known):
    answers = {"sadp": [(0.0, "127.0.0.1"), (0.0, "127.0.0.2")], "mdns": []}
    first, _ = call(answers, sweeps=(SADP, MDNS))
    done = settled([a for a in first if a.tool == "sadp"][:known])
    again, _ = call(answers, sweeps=(SADP, MDNS), done=done)
    assert len(by_tool(again, "sadp")) == 2 - known


def test_nobody_is_asked_by_groups_on_the_loopback():
    from auditor.net.interfaces import interfaces

    async def scene():
        engine = Engine(Guard(scope("127.0.0.0/24"), clock=NOW), interfaces(), ())
        targets = engine.guard.scope.networks
        return [batch async for batch in engine.group(SADP, targets)]

    assert asyncio.run(scene()) == []
