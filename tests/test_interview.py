"""In which order one host is asked, and what it is spared."""

import asyncio

from auditor.interview import BESIDE_S
from auditor.model.observation import Observation, Outcome
from auditor.plugins import Probe, Say
from auditor.schedule import Done
from tests.net.stage import Server, paced
from tests.test_schedule import by_tool, greet, hi, run


def listen(_peer):
    heard = yield Say(b"", done=lambda came: b"\n" in came, idle_s=2.0, tells=("ear",))
    if heard.data:
        yield Observation("sdk.greeting", heard.data.decode(), heard.data)


def ear(name="ear", ports=("ear",)):
    return Probe(name, "tcp", ports, listen, "test", order=1, listens=True)


async def greets_first(server, reader, writer):
    server.told.append("came")
    writer.write(b"YES\n")
    await writer.drain()
    await reader.read()


async def mute(server, reader, writer):
    server.told.append("came")
    await reader.read()


def needless(seen, fields):
    return fields == ("ear",) and bool(seen)


def asked(kept):
    """Give who was asked, in the order in which they had done."""
    return [a.tool for a in kept if a.endpoint.ip and a.tool != "connect"]


def scene(probes, ears=greets_first, **more):
    """Let a host be asked that has one port for words and two where it is listened to."""

    async def play():
        async with Server(hi) as words, Server(ears) as one, Server(mute) as two:
            lists = {"here": (words.port,), "ear": (one.port,), "mute": (two.port,)}
            more["ports"] = (one.port, two.port)
            _, kept = await run(words.port, probes, "127.0.0.1", lists=lists, **more)
            return kept, one.told + two.told

    return asyncio.run(play())


def test_ports_that_are_only_listened_to_come_last():
    kept, told = scene((ear(), greet(order=50)))
    assert asked(kept) == ["telnet", "ear"] and told


def test_nobody_is_listened_to_whose_greeting_could_add_nothing():
    kept, told = scene((ear(), greet(order=50)), needless=needless)
    assert asked(kept) == ["telnet"] and not told


def test_a_port_on_which_others_would_speak_is_listened_to_first_and_never_spared():
    """Its owner speaks first and may not bear other words: so those are not said there."""
    probes = (ear(), greet("known", order=0), greet("words", order=50, ports=("ear",)))
    kept, _ = scene(probes, needless=needless)
    assert set(asked(kept)) == {"known", "ear"}
    assert by_tool(kept, "ear")[0].outcome is Outcome.ANSWERED


def test_listening_ends_when_another_greeting_has_told_enough():
    def enough(seen):
        return any(one.field == "sdk.greeting" for one in seen)

    kept, told = scene((ear(), ear("mute", ("mute",)), greet()), enough=enough)
    assert asked(kept) == ["telnet", "ear"]  # the other was not waited for
    assert len(told) == 2


def together(probes, behave, enough=None):
    """Let a host be asked on two ports under one that it may have open at a time; give who came when."""

    async def play():
        async with Server(behave) as one, Server(hi) as two:
            lists = {"one": (one.port,), "two": (two.port,)}
            more = {"enough": enough} if enough else {}
            _, kept = await run(
                one.port, probes, "127.0.0.1", lists=lists, ports=(two.port,),
                done=Done(present={"127.0.0.1": ()}), sweeps=(), pace=paced(host_open=4), **more,
            )  # fmt: skip
            return {a.tool: a for a in kept if a.endpoint.ip}

    return asyncio.run(play())


def test_a_question_waits_for_the_answer_that_may_make_it_needless():
    probes = (greet("first", order=1, ports=("one",)), greet("second", order=2, ports=("two",)))
    assert set(together(probes, hi)) == {"first", "second"}
    assert set(together(probes, hi, enough=bool)) == {"first"}


def test_who_takes_its_time_is_asked_beside_it():
    probes = (greet("first", order=1, ports=("one",)), greet("second", order=2, ports=("two",)))
    kept = together(probes, mute)
    assert kept["first"].outcome is Outcome.SILENT and kept["second"].outcome is Outcome.ANSWERED
    gap = kept["second"].started - kept["first"].started
    ended = kept["first"].elapsed_s
    assert BESIDE_S <= gap.total_seconds() < ended


def test_ports_whose_owner_may_keep_silent_are_spoken_to_after_the_others():
    probes = (ear(), greet("words", order=5, ports=("ear",)), greet("other", order=9))
    kept, _ = scene(probes, ears=mute, pace=paced(host_open=1))
    assert asked(kept) == ["other", "ear", "words"]
