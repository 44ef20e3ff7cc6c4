"""Nothing leaves the scope, nothing goes over the cap, and an authority that ends ends it all."""

import asyncio
import hashlib
import random
import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import ScopeRefusal
from auditor.model.address import AddressSet
from auditor.model.scope import Authority, Hours
from auditor.net.guard import BudgetSpent, Kind
from auditor.net.pace import Meter
from tests.net.stage import NOON, guard, paced

SEGMENT = AddressSet.parse(["10.0.0.0/24"])


def test_ten_thousand_random_targets_never_lead_out_of_the_scope():
    gate = guard("10.20.0.0/24", excluded=AddressSet.parse(["10.20.0.7"]))
    dice = random.Random(7)
    for _ in range(10_000):
        ip = ".".join(str(dice.randrange(256)) for _ in range(4))
        with pytest.raises(ScopeRefusal):
            gate.permit(ip, 80)
    with pytest.raises(ScopeRefusal):
        gate.permit("10.20.0.7", 80)
    gate.permit("10.20.0.8", 80)


@pytest.mark.parametrize("port", [9100, 102])
def test_a_port_that_is_never_touched_stays_untouched(port):
    gate = guard("10.0.0.0/24", never=(9100, 102))
    with pytest.raises(ScopeRefusal, match="nothing was sent"):
        gate.permit("10.0.0.1", port)


def test_an_authority_that_expires_lets_nothing_more_pass():
    now = [NOON]
    ends = Authority("tester", NOON, expires=NOON + timedelta(hours=1))
    gate = guard("10.0.0.0/24", authority=ends, clock=lambda: now[0])
    gate.permit("10.0.0.1", 80)
    now[0] += timedelta(hours=1)
    with pytest.raises(ScopeRefusal):
        gate.permit("10.0.0.1", 80)
    with pytest.raises(ScopeRefusal, match="stopped"):
        asyncio.run(gate.watch())


def test_hours_that_end_end_the_run():
    hours = Hours(NOON.time().replace(hour=8), NOON.time())
    gate = guard("10.0.0.0/24", hours=hours, clock=lambda: NOON)
    assert gate.standing() == "outside the authorised hours"


@pytest.mark.parametrize("act", ["write", "unlink"])
def test_a_scope_file_that_is_touched_during_a_run_stops_it_within_two_seconds(tmp_path, act):
    path = tmp_path / "scope.toml"
    path.write_bytes(b"networks = []")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    gate = guard("10.0.0.0/24", authority=Authority("t", NOON, str(path), sha256=digest))

    async def scene():
        watching = asyncio.create_task(gate.watch())
        await asyncio.sleep(0.7)
        assert not watching.done()
        path.write_bytes(b"networks = [1]") if act == "write" else path.unlink()
        began = time.monotonic()
        with pytest.raises(ScopeRefusal):
            await watching
        return time.monotonic() - began

    assert asyncio.run(scene()) < 2.0
    with pytest.raises(ScopeRefusal):
        gate.permit("10.0.0.1", 80)


# ---------------------------------------------------------------- groups


def test_a_group_is_asked_only_where_authorised_addresses_are():
    gate = guard("10.0.0.0/24")
    gate.permit_group("239.255.255.250", 3702, "eth0", SEGMENT)
    elsewhere = AddressSet.parse(["10.1.0.0/24"])
    for group, port, segment in (
        ("239.255.255.250", 3702, elsewhere),
        ("10.0.0.255", 3702, SEGMENT),
        ("239.255.255.250", 9100, SEGMENT),
    ):
        with pytest.raises(ScopeRefusal):
            gate.permit_group(group, port, "eth0", segment)


def test_a_scope_that_names_an_interface_uses_no_other():
    gate = guard("10.0.0.0/24", interface="eth1")
    with pytest.raises(ScopeRefusal, match="by eth0"):
        gate.permit_group("239.255.255.250", 3702, "eth0", SEGMENT)


# ---------------------------------------------------------------- pace


def most_in_a_second(moments):
    moments = sorted(moments)
    return max(sum(start <= m < start + 1.0 for m in moments) for start in moments)


@given(
    cap=st.integers(1, 50),
    delays=st.lists(st.floats(0.0, 0.5), min_size=1, max_size=150),
)
def test_never_more_than_the_cap_in_any_second_whatever_the_delays(cap, delays):
    now = [100.0]
    meter, sent = Meter(cap, clock=lambda: now[0]), []
    for delay in delays:
        now[0] += delay  # the sender was late
        while wait := meter.wait_s():
            now[0] += max(wait, 1e-6)
        now[0] += delay / 10  # and the send took its time
        sent.append(now[0])
        meter.stamp()
    assert most_in_a_second(sent) <= cap


def test_a_pace_is_kept_closely_and_without_bursts():
    now = [0.0]
    meter, sent = Meter(1_000, clock=lambda: now[0]), []
    while len(sent) < 3_000:
        now[0] += meter.wait_s() + 0.00005
        if not meter.wait_s():
            sent.append(now[0])
            meter.stamp()
    assert 2.9 <= sent[-1] <= 3.3
    assert max(sum(s <= m < s + 0.01 for m in sent) for s in sent[::100]) <= 32


def test_a_turn_that_is_given_back_is_free_at_once_and_no_other():
    now = [0.0]
    meter = Meter(10, clock=lambda: now[0])
    meter.stamp()
    meter.give_back(meter.latest)
    assert not meter.wait_s()
    meter.stamp()
    assert meter.wait_s()


@pytest.mark.parametrize("kind", [Kind.ARP, Kind.PACKET, Kind.CONNECT])
def test_many_tasks_together_keep_under_the_cap(kind):
    caps = {"arp_per_s": 40.0, "packets_per_s": 40.0, "connects_per_s": 40.0}
    gate = guard("10.0.0.0/24", pace=paced(**caps))

    async def scene():
        moments = []

        async def sender(last):
            for _ in range(4):
                await gate.turn(kind, f"10.0.0.{last}", 80)
                moments.append(time.monotonic())
                gate.sent("tcp", f"10.0.0.{last}", 80, 0, "t", kind)

        await asyncio.gather(*(sender(last) for last in range(1, 31)))
        return moments

    moments = asyncio.run(scene())
    assert most_in_a_second(moments) <= 40
    assert max(moments) - min(moments) < 3.6


def test_one_host_is_spared_while_others_go_on():
    gate = guard("10.0.0.0/24", pace=paced(host_connects_per_s=4.0))

    async def scene():
        moments = {"10.0.0.1": [], "10.0.0.2": []}

        async def sender(ip):
            await gate.turn(Kind.CONNECT, ip, 80)
            gate.sent("tcp", ip, 80, 0, "t", Kind.CONNECT)
            moments[ip].append(time.monotonic())

        await asyncio.gather(*(sender(ip) for ip in moments for _ in range(8)))
        return moments

    began = time.monotonic()
    moments = asyncio.run(scene())
    assert all(most_in_a_second(m) <= 4 for m in moments.values())
    assert time.monotonic() - began < 3.0


def test_a_host_has_only_so_many_conversations_open_and_in_all():
    gate = guard("10.0.0.0/24", pace=paced(host_open=2, host_total=5))

    async def scene():
        most = now = 0

        async def talk():
            nonlocal most, now
            async with gate.seat("10.0.0.1"):
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.01)
                now -= 1

        await asyncio.gather(*(talk() for _ in range(9)))
        return most

    assert asyncio.run(scene()) == 2
    for _ in range(5):
        gate.spend("10.0.0.1")
    with pytest.raises(BudgetSpent):
        gate.spend("10.0.0.1")
    gate.spend("10.0.0.2")


def test_the_journal_tells_what_was_sent_to_whom_and_when():
    journal = []
    gate = guard("10.0.0.0/24", journal=journal.append, clock=lambda: NOON)
    gate.sent("udp", "10.0.0.9", 161, 44, "snmp")
    (line,) = journal
    assert (line.moment, line.kind, line.ip) == (NOON, "udp", "10.0.0.9")
    assert (line.port, line.size, line.tool, line.count) == (161, 44, "snmp", 1)
