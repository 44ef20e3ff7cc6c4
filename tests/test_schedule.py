"""Collecting: sweeps, then probes on whoever is there, resumable, and gentle with the weak."""

import asyncio
from datetime import UTC, datetime

import pytest

from auditor.errors import LedgerError, ScopeRefusal
from auditor.model.address import AddressSet
from auditor.model.coverage_note import INCIDENT, NOT_YET, Note
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.net.engine import Engine
from auditor.plugins import Medium, Probe, Say, Sweep
from auditor.schedule import Done, Work, collect, settled
from tests.net.stage import Server, guard, paced

NOW = lambda: datetime.now(UTC)
CONNECT = Sweep("connect", Medium.CONNECT, "test")


def speak(_peer):
    heard = yield Say(b"HELLO\n", done=lambda came: b"\n" in came)
    if heard.data:
        yield Observation("telnet.banner", heard.data.decode(), heard.data)


def greet(name="telnet", speak=speak, order=50, ports=("here",)):
    return Probe(name, "tcp", ports, speak, "test", order)


async def hi(server, reader, writer):
    server.told.append(await reader.readline())
    writer.write(b"HI\n")
    await writer.drain()
    await reader.read()


async def run(port, probes=None, targets="127.0.0.1-4", stop=None, **more):
    gate = guard(
        "127.0.0.0/24", pace=more.pop("pace", paced()), ports=(port, *more.pop("ports", ()))
    )
    engine = more.pop("engine", None) or Engine(gate, (), (port,))
    kept = []
    work = Work(
        scope=gate.scope,
        targets=AddressSet.parse([targets]),
        sweeps=more.pop("sweeps", (CONNECT,)),
        probes=probes or (greet(),),
        lists=more.pop("lists", {"here": (port,)}),
        clock=NOW,
        sink=more.pop("sink", kept.extend),
        recheck_s=more.pop("recheck_s", 0.1),
        **more,
    )
    ended = await collect(work, engine, stop or asyncio.Event())
    return ended, kept


def by_tool(kept, tool):
    return [a for a in kept if a.tool == tool and a.endpoint.ip]


def test_whoever_is_there_is_asked_and_whoever_is_silent_is_summed_up():
    async def scene():
        async with Server(hi) as server:
            return await run(server.port, targets="127.0.0.1-2")

    ended, kept = asyncio.run(scene())
    assert ended
    assert [a.outcome for a in by_tool(kept, "connect")] == [Outcome.ANSWERED, Outcome.REFUSED]
    assert {a.endpoint.ip: a.outcome for a in by_tool(kept, "telnet")} == {
        "127.0.0.1": Outcome.ANSWERED,
        "127.0.0.2": Outcome.REFUSED,
    }
    assert len([a for a in kept if a.endpoint.ip is None]) == 1


def test_a_failing_probe_costs_its_own_attempt_and_nothing_else():
    def broken(_peer):
        yield Observation("http.server", "seen before")
        raise KeyError("a defect")

    async def scene():
        async with Server(hi) as server:
            probes = (greet("broken", broken, order=1), greet())
            return await run(server.port, probes, "127.0.0.1")

    ended, kept = asyncio.run(scene())
    crashed = by_tool(kept, "broken")[0]
    assert ended and crashed.outcome is Outcome.CRASHED and "KeyError" in crashed.detail
    assert crashed.observations[0].value == "seen before"
    assert by_tool(kept, "telnet")[0].outcome is Outcome.ANSWERED


def test_a_failing_sweep_costs_itself_and_nothing_else():
    class Broken(Engine):
        async def group(self, sweep, targets):
            raise ZeroDivisionError
            yield []

    async def scene():
        async with Server(hi) as server:
            gate = guard("127.0.0.0/24")
            sweeps = (Sweep("sadp", Medium.GROUP, "test", order=1), CONNECT)
            engine = Broken(gate, (), (server.port,))
            return await run(server.port, targets="127.0.0.1", sweeps=sweeps, engine=engine)

    _, kept = asyncio.run(scene())
    assert [a.outcome for a in kept if a.tool == "sadp"] == [Outcome.CRASHED]
    assert by_tool(kept, "telnet")[0].outcome is Outcome.ANSWERED


def test_a_resumed_run_asks_only_what_is_left():
    async def scene():
        async with Server(hi) as server:
            _, first = await run(server.port)
            told = len(server.told)
            ended, again = await run(server.port, done=settled(first))
            return ended, again, len(server.told) - told

    ended, again, more = asyncio.run(scene())
    assert ended and again == [] and more == 0


def test_a_resumed_run_asks_the_hosts_that_an_earlier_sweep_found():
    swept = Note(AddressSet.parse(["127.0.0.1-4"]))
    earlier = [
        Attempt("connect", Endpoint("127.0.0.1", port=1), Outcome.REFUSED, (), NOW()),
        Attempt("connect", Endpoint(), Outcome.SILENT, (), NOW(), detail=str(swept)),
        Attempt("telnet", Endpoint("127.0.0.1", port=1), Outcome.NOT_TRIED, (), NOW()),
    ]

    async def scene():
        async with Server(hi) as server:
            return await run(server.port, done=settled(earlier))

    _, kept = asyncio.run(scene())
    assert [(a.tool, a.endpoint.ip) for a in kept] == [("telnet", "127.0.0.1")]


def test_enough_evidence_ends_the_questions():
    async def scene():
        async with Server(hi) as server:
            probes = (greet("first", order=1), greet("second", order=2))
            return await run(server.port, probes, "127.0.0.1", enough=len, pace=paced(host_open=1))

    _, kept = asyncio.run(scene())
    assert by_tool(kept, "first") and not by_tool(kept, "second")


def test_a_question_whose_answer_can_add_nothing_is_spared_and_others_are_not():
    def speak(_peer):
        for at, tells in enumerate(((), ("icon",), ("title",))):
            heard = yield Say(b"HELLO\n", done=lambda came: b"\n" in came, fresh=True, tells=tells)
            yield Observation("telnet.banner", f"{at} {heard.data!r}")

    def needless(seen, fields):
        return "icon" in fields and any(one.value.startswith("0") for one in seen)

    async def scene(**more):
        async with Server(hi) as server:
            _, kept = await run(server.port, (greet(speak=speak),), "127.0.0.1", **more)
            return [one.value[0] for one in by_tool(kept, "telnet")[0].observations], list(
                filter(None, server.told)
            )

    assert asyncio.run(scene(needless=needless)) == (["0"], [b"HELLO\n"])
    assert asyncio.run(scene()) == (["0", "1", "2"], [b"HELLO\n"] * 3)


def test_a_host_that_resets_twice_is_left_alone_and_recorded():
    async def slam(server, reader, writer):
        server.told += [line] if (line := await reader.readline()) else []
        writer.write(b"half")
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    async def scene():
        async with Server(slam) as server:
            probes = tuple(greet(f"p{number}", order=number) for number in range(5))
            _, kept = await run(server.port, probes, "127.0.0.1", pace=paced(host_open=1))
            return kept, len(server.told)

    kept, told = asyncio.run(scene())
    assert told == 2
    assert [a.outcome for a in kept if a.tool in {"p2", "p3", "p4"}] == [Outcome.NOT_TRIED] * 3
    first, then = by_tool(kept, INCIDENT)
    assert "mid-reply 2 times" in first.detail and first.detail.endswith(NOT_YET)
    assert "mid-reply 2 times" in then.detail and "answers again" in then.detail


def test_stopping_hands_over_what_is_known_and_says_so():
    async def slow(server, reader, writer):
        await reader.read()

    async def scene():
        stop = asyncio.Event()
        async with Server(hi) as good, Server(slow) as bad:
            asyncio.get_running_loop().call_later(0.5, stop.set)
            probes = (greet(order=1), greet("slow", ports=("slow",)))
            lists = {"here": (good.port,), "slow": (bad.port,)}
            more = {"lists": lists, "ports": (bad.port,), "pace": paced(host_open=1)}
            return await run(good.port, probes, "127.0.0.1", stop, **more)

    ended, kept = asyncio.run(scene())
    assert not ended
    assert by_tool(kept, "telnet")[0].outcome is Outcome.ANSWERED
    assert not by_tool(kept, "slow")


def test_an_authority_that_ends_ends_the_run_within_two_seconds():
    async def slow(server, reader, writer):
        await reader.read()

    class Ending(Engine):
        async def watch(self):
            await asyncio.sleep(0.3)
            raise ScopeRefusal("the scan was stopped", why="it expired")

    async def scene():
        async with Server(slow) as server:
            gate = guard("127.0.0.0/24")
            engine = Ending(gate, (), (server.port,))
            began = asyncio.get_running_loop().time()
            with pytest.raises(ScopeRefusal):
                await run(server.port, targets="127.0.0.1", engine=engine)
            return asyncio.get_running_loop().time() - began

    assert asyncio.run(scene()) < 2.0


def test_a_ledger_that_cannot_take_more_ends_the_run():
    def full(_attempts):
        raise LedgerError("the disk is full")

    async def scene():
        async with Server(hi) as server:
            await run(server.port, sink=full)

    with pytest.raises(LedgerError):
        asyncio.run(scene())


def test_hosts_outside_the_targets_are_recorded_and_never_contacted():
    class Elsewhere(Engine):
        async def group(self, sweep, targets):
            seen = (Observation("sadp.reply", "<x/>"),)
            yield [Attempt("sadp", Endpoint("127.0.9.9"), Outcome.ANSWERED, seen, NOW())]

    async def scene():
        async with Server(hi) as server:
            engine = Elsewhere(guard("127.0.0.0/16"), (), (server.port,))
            sweeps = (Sweep("sadp", Medium.GROUP, "test"),)
            return await run(server.port, targets="127.0.0.1", sweeps=sweeps, engine=engine)

    _, kept = asyncio.run(scene())
    assert [(a.tool, a.endpoint.ip) for a in kept] == [("sadp", "127.0.9.9")]


def test_progress_is_told_by_phase_and_never_runs_over():
    told = []

    async def scene():
        async with Server(hi) as server:
            await run(server.port, progress=lambda *news: told.append(news))

    asyncio.run(scene())
    assert told[0] == ("connect", 0, 4) and told[-1] == ("probes", 4, 4)
    assert all(done <= total for _, done, total in told)


def test_nothing_is_settled_by_what_was_not_tried():
    asked = Note(AddressSet.parse(["10.0.0.0/30"]), left=AddressSet.parse(["10.0.0.3"]))
    left = [
        Attempt("http", Endpoint("10.0.0.1", port=80), Outcome.NOT_TRIED, (), NOW()),
        Attempt("http", Endpoint("10.0.0.2", port=80), Outcome.CRASHED, (), NOW()),
        Attempt("arp", Endpoint(), Outcome.SILENT, (), NOW(), detail=str(asked)),
    ]
    found = settled(left)
    assert found.swept == {"arp": AddressSet.parse(["10.0.0.0-10.0.0.2"])}
    assert not found.asked and not found.present and not found.hurt and not found.left


def test_a_host_that_stops_answering_is_left_alone_and_looked_at_again():
    calls = []

    class Dying(Engine):
        async def converse(self, peer, probe, seen):
            calls.append(peer.port)
            alive = len(calls) == 1
            outcome = Outcome.ANSWERED if alive else Outcome.SILENT
            return Attempt(probe.name, Endpoint(peer.ip, port=peer.port), outcome, (), NOW())

        async def knock(self, ip, port):
            calls.append(f"knock {port}")
            return Outcome.SILENT if len(calls) < 6 else Outcome.REFUSED

    async def scene():
        engine = Dying(guard("127.0.0.0/24"), (), (1,))
        lists = {"here": tuple(range(1, 20))}
        there = Done(present={"127.0.0.1": ()})
        more = {
            "engine": engine,
            "lists": lists,
            "ports": range(1, 20),
            "sweeps": (),
            "done": there,
        }
        return await run(1, targets="127.0.0.1", pace=paced(host_open=1), **more)

    _, kept = asyncio.run(scene())
    # one answer, three silences, a look at the port that had answered, and a look later
    assert calls == [1, 2, 3, 4, "knock 1", "knock 1"]
    first, then = by_tool(kept, INCIDENT)
    assert first.detail == f"stopped answering after telnet on port 4{NOT_YET}"
    assert then.detail.startswith("stopped answering after telnet on port 4")
    assert "answers again" in then.detail
    assert sum(a.outcome is Outcome.NOT_TRIED for a in by_tool(kept, "telnet")) == 15


def test_a_firewall_that_drops_some_ports_is_no_incident():
    class Walled(Engine):
        async def converse(self, peer, probe, seen):
            outcome = Outcome.ANSWERED if peer.port == 1 else Outcome.SILENT
            return Attempt(probe.name, Endpoint(peer.ip, port=peer.port), outcome, (), NOW())

        async def knock(self, ip, port):
            return Outcome.ANSWERED

    async def scene():
        engine = Walled(guard("127.0.0.0/24"), (), (1,))
        there = Done(present={"127.0.0.1": ()})
        more = {"engine": engine, "lists": {"here": range(1, 20)}, "ports": range(1, 20)}
        return await run(1, targets="127.0.0.1", sweeps=(), done=there, **more)

    _, kept = asyncio.run(scene())
    assert not by_tool(kept, INCIDENT) and len(by_tool(kept, "telnet")) == 19


def test_a_port_that_refused_is_not_asked_by_another_probe():
    async def scene():
        async with Server(hi) as server:
            closed = server.port
        probes = (greet("first", order=1), greet("second", order=2))
        done = Done(present={"127.0.0.1": ()})
        return await run(closed, probes, "127.0.0.1", sweeps=(), done=done)

    _, kept = asyncio.run(scene())
    assert [(a.tool, a.outcome) for a in kept] == [("first", Outcome.REFUSED)]


def test_ports_that_a_sweep_found_shut_are_not_asked():
    note = Note(AddressSet.parse(["127.0.0.1"]), told=(("scanned", "7,8"),))
    scans = (
        Attempt("syn", Endpoint("127.0.0.1", port=7), Outcome.REFUSED, (), NOW()),
        Attempt("syn", Endpoint(transport="tcp"), Outcome.ANSWERED, (), NOW(), detail=str(note)),
    )

    async def scene():
        async with Server(hi) as server:
            done = settled(scans)
            lists = {"here": (7, 8, server.port)}
            more = {"lists": lists, "ports": (7, 8), "sweeps": (), "done": done}
            return await run(server.port, targets="127.0.0.1", **more)

    _, kept = asyncio.run(scene())
    assert [a.outcome for a in by_tool(kept, "telnet")] == [Outcome.ANSWERED]


def test_listening_ends_when_others_have_told_enough():
    async def mute(server, reader, writer):
        await reader.read()

    def listen(_peer):
        yield Say(b"", idle_s=2.0)

    async def scene():
        async with Server(hi) as good, Server(mute) as bad:
            ear = Probe("ear", "tcp", ("mute",), listen, "test", order=1, listens=True)
            lists = {"here": (good.port,), "mute": (bad.port,)}
            began = asyncio.get_running_loop().time()
            _, kept = await run(
                good.port, (ear, greet()), "127.0.0.1", lists=lists, ports=(bad.port,), enough=len
            )
            return kept, asyncio.get_running_loop().time() - began

    kept, took_s = asyncio.run(scene())
    assert took_s < 1.5 and not by_tool(kept, "ear") and by_tool(kept, "telnet")


def test_passive_sweeps_listen_for_as_long_as_asked():
    class Hearing(Engine):
        async def listen(self, sweep, targets, seconds):
            yield [
                Attempt("passive", Endpoint(f"10.0.0.{seconds:.0f}"), Outcome.ANSWERED, (), NOW())
            ]

    async def scene():
        engine = Hearing(guard("127.0.0.0/24"), (), ())
        sweeps = (Sweep("passive", Medium.PASSIVE, "test"),)
        return await run(1, targets="127.0.0.1", sweeps=sweeps, engine=engine, passive_s=7.0)

    _, kept = asyncio.run(scene())
    assert [a.endpoint.ip for a in kept] == ["10.0.0.7"]
