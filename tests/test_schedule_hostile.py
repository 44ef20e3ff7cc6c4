"""Hosts that cost time wait behind those that do not, and nobody's results are parted."""

import asyncio
import math

import pytest

from auditor.errors import LedgerError
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.net.engine import Engine
from auditor.net.guard import Kind
from auditor.net.pace import Meter, Turns
from auditor.outbox import MOST_TOGETHER, Outbox
from auditor.plugins import Say
from auditor.schedule import Done
from tests.net.stage import Server, guard, paced
from tests.test_schedule import NOW, greet, run


async def turns_of(asked, meter):
    turns, served = Turns(meter), []

    async def one(name, trouble):
        await turns.turn(trouble)
        served.append(name)

    await asyncio.gather(*(one(name, trouble) for name, trouble in asked))
    return served


def test_turns_go_to_who_was_least_trouble_and_else_in_order():
    asked = [("slow", 3), ("first", 0), ("silent", 1), ("second", 0)]
    for per_s in (math.inf, 200.0):
        served = asyncio.run(turns_of(asked, Meter(per_s)))
        assert served == ["first", "second", "silent", "slow"]


def test_a_turn_counts_from_when_it_is_called_and_nobody_goes_in_between():
    async def scene():
        whole = Meter(2.0, lambda: 0.0)  # its clock stands still
        turns = Turns(Meter(2.0, lambda: 0.0, whole))
        first = asyncio.ensure_future(turns.turn())
        await asyncio.sleep(0)
        second = asyncio.ensure_future(whole.turn(2))
        await asyncio.sleep(0.05)
        gone = first.done(), second.done()
        second.cancel()
        return gone, whole.inside

    assert asyncio.run(scene()) == ((True, False), 1)


def test_room_is_kept_for_what_the_kernel_will_send():
    moment = [0.0]
    meter = Meter(5.0, lambda: moment[0])
    meter.keep(2, 3.1)
    went = 0
    while moment[0] < 1.0:
        if not meter.wait_s():
            meter.stamp()
            went += 1
        moment[0] += 0.01
    assert went == 3
    moment[0] = 10.0
    assert meter.wait_s(5) == 0.0  # and not for ever


def test_turns_go_first_to_whom_nobody_has_spoken_to_yet():
    async def scene():
        turns, served = Turns(Meter(200.0)), []

        async def one(name, *, again):
            await turns.turn(again=again)
            served.append(name)

        known, fresh = (("old", True), ("older", True)), (("new", False), ("newer", False))
        await asyncio.gather(*(one(name, again=again) for name, again in (*known, *fresh)))
        return served

    assert asyncio.run(scene()) == ["new", "newer", "old", "older"]


def test_turns_keep_the_cap_of_their_meter():
    moment = [0.0]

    async def scene():
        meter = Meter(3.0, lambda: moment[0])
        turns = Turns(meter)
        waiting = [asyncio.ensure_future(turns.turn(n % 2)) for n in range(9)]
        counts = []
        for _ in range(40):
            await asyncio.sleep(0.005)
            counts.append(sum(w.done() for w in waiting))
        for one in waiting:
            one.cancel()
        return counts

    assert max(asyncio.run(scene())) <= 3  # its clock stands still: no second passes


def test_who_goes_away_while_waiting_costs_no_turn():
    async def scene():
        meter = Meter(1_000.0)
        turns = Turns(meter)
        gone, stays = (asyncio.ensure_future(turns.turn(n)) for n in (0, 1))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait_for(stays, 5)
        return len(meter.sent)

    assert asyncio.run(scene()) == 1


def test_a_silent_peer_is_trouble_and_an_honest_one_is_not():
    async def mute(_server, reader, _writer):
        await reader.read()
        await asyncio.sleep(10)

    async def hi(_server, reader, writer):
        writer.write(b"HI\n")
        await reader.read()

    async def scene(behave):
        async with Server(behave) as server:
            gate = guard("127.0.0.0/24")
            engine = Engine(gate, (), (server.port,))
            await run(server.port, targets="127.0.0.1", engine=engine, sweeps=(), done=there())
            return gate._trouble

    assert asyncio.run(scene(hi)) == {}
    assert asyncio.run(scene(mute)) == {"127.0.0.1": 1}


def there(*ips):
    return Done(present=dict.fromkeys(ips or ("127.0.0.1",), ()))


def test_silent_hosts_give_their_seats_to_those_whom_nobody_has_asked():
    """Two seats, four silent hosts with four ports each, and an honest host behind them."""
    kept = []

    async def serve(reader, writer):
        if writer.get_extra_info("sockname")[0] == "127.0.0.9":
            writer.write(b"HI\n")
        while await reader.read(100):
            pass
        writer.close()

    def brief(_peer):
        heard = yield Say(b"HELLO\n", done=lambda came: b"\n" in came, idle_s=0.2)
        if heard.data:
            yield Observation("telnet.banner", heard.data.decode(), heard.data)

    async def scene():
        ports, servers = (18_101, 18_102, 18_103, 18_104), []
        for last in (1, 2, 3, 4, 9):
            servers += [
                await asyncio.start_server(serve, f"127.0.0.{last}", port) for port in ports
            ]
        hosts = there(*(f"127.0.0.{last}" for last in (1, 2, 3, 4, 9)))
        await run(
            ports[0], (greet(speak=brief),), "127.0.0.0/28", ports=ports[1:], lists={"here": ports},
            sweeps=(), done=hosts, window=2, sink=kept.extend, pace=paced(host_open=1),
        )  # fmt: skip
        for server in servers:
            server.close()

    asyncio.run(scene())
    asked = [a for a in kept if a.tool == "telnet"]
    assert len(asked) == 20  # whoever had to wait was asked all the same
    honest = next(at for at, a in enumerate(asked) if a.outcome is Outcome.ANSWERED)
    assert {a.endpoint.ip for a in asked[:honest]} <= {f"127.0.0.{last}" for last in range(1, 5)}
    later = [a for a in asked[honest:] if a.endpoint.ip != "127.0.0.9"]
    assert len(later) >= 8  # the silent ones ended after it, with what they had left


def test_what_was_put_together_is_kept_together_and_never_too_much_at_once():
    portions = []

    def attempts(many, tool):
        return [Attempt(tool, Endpoint(), Outcome.SILENT, (), NOW()) for _ in range(many)]

    async def scene():
        outbox = Outbox(portions.append)
        forwarding = asyncio.ensure_future(outbox.forward())
        outbox.put([])
        for number in range(10):
            outbox.put(attempts(400, str(number)))
        outbox.put(attempts(3 * MOST_TOGETHER, "whole"))
        await asyncio.sleep(0.3)
        outbox.put(attempts(1, "late"))
        forwarding.cancel()
        outbox.flush()

    asyncio.run(scene())
    for tool in (*map(str, range(10)), "whole", "late"):
        assert sum(any(a.tool == tool for a in portion) for portion in portions) == 1
    assert sum(map(len, portions)) == 4_000 + 3 * MOST_TOGETHER + 1
    few = [len(p) for p in portions if not any(a.tool == "whole" for a in p)]
    assert max(few) < MOST_TOGETHER + 400 and [] not in portions


def test_the_connect_turns_of_a_guard_are_those_of_its_meter():
    gate = guard("127.0.0.0/24")
    assert gate.connects.meter is gate.meters[Kind.CONNECT]


def test_what_the_sink_refuses_is_not_overtaken_by_what_came_later():
    """A note that says what was asked must not be kept without the rows that it tells of."""
    kept, refusals = [], [LedgerError("no room", hint="make some")]

    def sink(attempts):
        if refusals:
            raise refusals.pop()
        kept.extend(a.tool for a in attempts)
        return len(attempts)

    outbox = Outbox(sink)
    outbox.put([Attempt("row", Endpoint(), Outcome.ANSWERED, (), NOW())])
    with pytest.raises(LedgerError):
        outbox.flush()
    outbox.put([Attempt("note", Endpoint(), Outcome.ANSWERED, (), NOW())])
    outbox.flush()
    assert kept == ["row", "note"]
