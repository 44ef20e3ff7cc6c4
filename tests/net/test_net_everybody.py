"""What everybody on a segment hears is counted together, and what one host bears is kept to."""

import asyncio
import itertools
from datetime import UTC, datetime

import pytest

from auditor.model.address import AddressSet
from auditor.model.journal import BEGAN, Sent, conversations
from auditor.net.guard import BudgetSpent, Guard, Kind
from auditor.net.pace import Seldom
from tests.net.stage import guard, paced, scope

HERE = AddressSet.parse(["10.0.0.0/24"])


def now():
    return datetime.now(UTC)


def test_all_groups_of_a_segment_share_one_cap_and_segments_do_not():
    gate = guard("10.0.0.0/24", pace=paced(discovery_per_30s=3.0))
    groups = ("239.255.255.250", "239.255.255.251", "224.0.0.251", "ff02::1")

    async def ask(interface):
        gone = []
        asking = [
            asyncio.ensure_future(gate.group_turn(group, 0, interface, HERE)) for group in groups
        ]
        for each in asking:
            each.add_done_callback(gone.append)
        await asyncio.sleep(2.3)
        for each in asking:
            each.cancel()
        await asyncio.wait(asking)
        return sum(not each.cancelled() for each in gone)

    async def both():
        return await asyncio.gather(ask("eth0"), ask("eth1"))

    assert asyncio.run(both()) == [3, 3]


def test_in_any_thirty_seconds_there_are_no_more_than_the_cap():
    """With a clock that is turned by hand: ten minutes in no time."""
    moment, gone = [1_000.0], []
    meter = Seldom(3.0, lambda: moment[0])
    while moment[0] < 1_600.0:
        wait = meter.wait_s()
        if not wait:
            meter.stamp()
            gone.append(moment[0])
        moment[0] += max(wait, 0.001)
    assert len(gone) >= 3 * 19
    assert all(sum(a <= b < a + 30.0 for b in gone) <= 3 for a in gone)


def test_a_resumed_run_waits_as_if_the_cap_were_used_up():
    gate = Guard(scope("10.0.0.0/24", pace=paced(discovery_per_30s=3.0)), clock=now, called=3)

    async def ask():
        await asyncio.wait_for(gate.group_turn("224.0.0.251", 5353, "eth0", HERE), 0.3)

    with pytest.raises(TimeoutError):
        asyncio.run(ask())


def test_connections_of_the_interrupted_part_count_against_the_budget():
    earlier = [
        Sent(now(), "tcp", "10.0.0.7", 80, detail=BEGAN),
        Sent(now(), "tcp", "10.0.0.7", 80, size=120),  # said on that connection
        Sent(now(), "udp", "10.0.0.7", 5060, size=90, detail=BEGAN),
    ]
    pace = paced(host_total=3)
    gate = Guard(scope("10.0.0.0/24", pace=pace), clock=now, spent=conversations(earlier))
    gate.spend("10.0.0.7")
    with pytest.raises(BudgetSpent):
        gate.spend("10.0.0.7")


def test_a_part_of_the_budget_is_kept_for_looking_after_a_host():
    gate = guard("10.0.0.0/24", pace=paced(host_total=25))
    for _ in range(21):
        gate.spend("10.0.0.7")
    with pytest.raises(BudgetSpent):
        gate.spend("10.0.0.7")
    for _ in range(4):
        gate.spend("10.0.0.7", look=True)
    with pytest.raises(BudgetSpent):
        gate.spend("10.0.0.7", look=True)


def test_whoever_does_not_answer_is_asked_at_half_and_then_a_quarter_of_the_pace():
    pace = paced(profile="gentle", packets_per_s=9_000.0, host_connects_per_s=40.0)
    gate = guard("10.0.0.0/24", pace=pace)

    async def gaps():
        moments = []
        for answered in (True, False, False, False, True, True):
            await gate.turn(Kind.CONNECT, "10.0.0.7", 80)
            moments.append(asyncio.get_running_loop().time())
            gate.sent("tcp", "10.0.0.7", 80, 0, "test", Kind.CONNECT)
            gate.fared("10.0.0.7", answered=answered)
        return [later - earlier for earlier, later in itertools.pairwise(moments)]

    _, once, twice, thrice, again = asyncio.run(gaps())
    # never sooner than the doubled gap; how much later, a busy machine decides
    assert once >= 2 * 0.024 and twice >= 4 * 0.024 and thrice >= 4 * 0.024 and again > 0
