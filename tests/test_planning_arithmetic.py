"""What a plan promises before anything is sent: never less than what will be sent."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auditor import planning
from auditor.model.address import AddressSet, Range
from auditor.model.scope import Authority, Pace, Scope
from auditor.plugins import Medium, Sweep

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ARP = Sweep("arp", Medium.FRAME, "RFC 826", kind="arp")
CONNECT = Sweep("connect", Medium.CONNECT, "RFC 9293")
SADP = Sweep("sadp", Medium.GROUP, "", group="239.255.255.250", port=37020, again=True)
MDNS = Sweep("mdns", Medium.GROUP, "", group="224.0.0.251", port=5353)
EVERY = (ARP, CONNECT, SADP)
NOBODY = AddressSet()
KNOCKS = (80, 443, 554)
ASKED_OF_ALL = (37020, 5353)  # ports where everybody on a segment is asked


def addresses(*texts):
    return AddressSet.parse(texts)


def scope(*networks, excluded=(), **more):
    base = Scope(
        site="OTT",
        networks=addresses(*networks),
        excluded=addresses(*excluded),
        ports=frozenset((*KNOCKS, *ASKED_OF_ALL)),
        never=frozenset({9100}),
        pace=Pace(),
        authority=Authority("an operator", NOON),
    )
    return replace(base, **more)


def planned(made, asked=None, on_link=NOBODY, sweeps=EVERY, knocks=KNOCKS):
    named = made.networks if asked is None else asked
    return planning.plan(made, named, on_link, sweeps, (), knocks)


def said(plan):
    return {refusal.reason: refusal.addresses for refusal in plan.refused}


def test_nothing_asked_is_nothing_sent():
    plan = planned(scope("10.0.0.0/24"), asked=NOBODY)
    assert (plan.targets.size, plan.packets, plan.duration_s) == (0, 0, 0.0)
    assert not plan.refused


def test_our_own_segment_is_asked_by_frames_in_every_round():
    made = scope("10.0.0.0/24")
    plan = planned(made, on_link=made.networks)
    assert plan.packets == 256 * made.pace.rounds + 2  # and a group, twice
    assert plan.duration_s >= 256 * made.pace.rounds / made.pace.arp_per_s


def test_behind_a_router_every_door_is_one_connection_a_round():
    made = scope("10.0.0.0/24")
    assert planned(made).packets == 256 * len(KNOCKS) * made.pace.rounds


def test_echoes_go_behind_routers_only_and_in_every_round():
    made = scope("10.0.0.0/24")
    icmp = Sweep("icmp", Medium.FRAME, "RFC 792", kind="icmp")
    assert planned(made, sweeps=(icmp,)).packets == 256 * made.pace.rounds
    there = planned(made, on_link=made.networks, sweeps=(ARP, icmp))
    assert there.packets == 256 * made.pace.rounds  # ARP alone


def test_ports_are_asked_only_where_half_open_connections_are_allowed():
    syn = Sweep("syn", Medium.FRAME, "RFC 9293", kind="syn")
    for profile, per_s, asked in (
        ("gentle", 200.0, False),
        ("gentle", 9_999.0, False),
        ("gentle", 10_000.0, True),
        ("normal", 200.0, True),
    ):
        pace = Pace(profile=profile, packets_per_s=per_s)
        made = scope("10.0.0.0/24", pace=pace)
        plan = planned(made, on_link=made.networks, sweeps=(ARP, syn))
        assert plan.packets == 256 * pace.rounds * (1 + asked * len(KNOCKS))


def test_every_link_is_asked_for_neighbours_and_groups():
    made = scope("10.0.0.0/30")
    ndp = Sweep("ndp", Medium.FRAME, "RFC 4861", kind="ndp")
    one, two = (
        planning.plan(made, made.networks, made.networks, (ndp, SADP), (), (), links=count)
        for count in (1, 2)
    )
    assert two.packets - one.packets == 3  # one echo and two datagrams more


def test_without_frames_our_own_segment_costs_connections_too():
    """With the engine `connect` a near host is knocked on at every door, as a far one is."""
    made = scope("10.0.0.0/24")
    plan = planned(made, on_link=made.networks, sweeps=(CONNECT,))
    assert plan.packets >= 256 * len(KNOCKS)
    assert plan.duration_s >= 256 * len(KNOCKS) / made.pace.connects_per_s


def test_a_door_that_is_not_authorised_or_never_touched_is_not_counted():
    narrow = scope("10.0.0.0/30", ports=frozenset({80, 9100}))
    assert planned(narrow, knocks=(80, 443, 9100)).packets == 4 * narrow.pace.rounds


def test_what_is_left_out_is_said_with_its_reason():
    made = scope("10.0.0.0/24", excluded=("10.0.0.9", "172.16.0.0/16"))
    plan = planned(made, asked=addresses("10.0.0.0/23", "172.16.0.7"))
    assert said(plan) == {
        "excluded by the scope": "10.0.0.9/32, 172.16.0.7/32",
        "outside the authorised networks": "10.0.1.0/24",
    }


def test_a_refusal_of_ten_thousand_pieces_stays_one_line():
    holes = AddressSet.of(Range(4, n * 2, n * 2) for n in range(10_000))
    plan = planned(scope("10.0.0.0/24"), asked=holes)
    (line,) = plan.refused
    assert line.addresses.count("/32") == planning.SHOWN
    assert line.addresses.endswith("and 9980 more networks")


def test_an_ipv6_network_is_not_counted_out_and_said_so():
    plan = planned(scope("fd00::/64", "10.0.0.0/30"))
    assert plan.packets == 4 * len(KNOCKS) * Pace().rounds
    assert any("not swept" in reason for reason in said(plan))


def test_a_single_ipv6_address_is_a_target_and_no_network():
    plan = planned(scope("fd00::7"))
    assert "fd00::7" in plan.targets
    assert plan.packets == len(KNOCKS) * Pace().rounds
    assert not plan.refused


def test_the_whole_of_ten_costs_no_memory_and_no_time():
    plan = planned(scope("10.0.0.0/8"))
    assert plan.packets == (1 << 24) * len(KNOCKS) * Pace().rounds
    assert len(plan.targets.ranges) == 1


def test_a_group_is_asked_on_our_segments_only():
    made = scope("10.0.0.0/30")
    assert planned(made, sweeps=(SADP,), knocks=()).packets == 0
    assert planned(made, on_link=made.networks, sweeps=(SADP,), knocks=()).packets == 2


def test_questions_to_everybody_wait_for_their_turns_while_others_are_swept():
    """Nine questions, three in thirty seconds: the last ones go after a minute."""
    ndp = Sweep("ndp", Medium.FRAME, "RFC 4861", kind="ndp")
    groups = (*(replace(SADP, name=name) for name in ("sadp", "dhip", "onvif")), MDNS, MDNS, ndp)
    small = scope("10.0.0.0/30")
    plan = planned(small, on_link=small.networks, sweeps=(*groups, ARP))
    assert plan.packets == 9 + 4 * small.pace.rounds and 60 < plan.duration_s < 70
    large = scope("10.0.0.0/22")
    alone, both = (
        planned(large, on_link=large.networks, sweeps=sweeps).duration_s
        for sweeps in ((ARP,), (*groups, ARP))
    )
    assert both - alone < 5


@pytest.mark.parametrize(
    ("profile", "per_s", "questions"),
    [
        (Pace(), 400.0, 120.0),
        (Pace(), 40.0, 12.0),
        (Pace(), 10.0, 3.0),
        (Pace(), 1.0, 3.0),
        (Pace(profile="normal", arp_per_s=100.0, discovery_per_30s=30.0), 20.0, 6.0),
    ],
)
def test_a_pace_that_somebody_names_scales_the_questions_to_everybody(profile, per_s, questions):
    assert profile.faster(per_s).discovery_per_30s == questions
    many = questions >= 12
    assert MDNS.times(profile.faster(per_s)) == (2 if many else 1) and SADP.times(profile) == 2
    assert profile.faster(400.0).faster(5.0).discovery_per_30s == 3.0  # the last word counts


SETS = st.lists(
    st.tuples(st.integers(0, 600), st.integers(0, 60)).map(
        lambda pair: Range(4, (10 << 24) + pair[0], (10 << 24) + pair[0] + pair[1])
    ),
    max_size=3,
).map(AddressSet.of)


@given(SETS, SETS, SETS, SETS)
def test_everything_asked_is_either_planned_or_refused(asked, networks, excluded, on_link):
    made = scope(networks=networks, excluded=excluded)
    plan = planned(made, asked=asked, on_link=on_link)
    assume(not any("more" in r.addresses for r in plan.refused))
    refused = addresses(*(t for r in plan.refused for t in r.addresses.split(", ")))
    assert plan.targets.join(refused) == asked
    assert not plan.targets.meet(refused)
    assert not plan.targets.meet(excluded)
    assert not plan.targets.minus(networks)


@given(SETS, SETS, st.floats(0.5, 1_000))
def test_a_slower_pace_never_promises_less_time(networks, on_link, rate):
    made = scope(networks=networks)
    pace = Pace(arp_per_s=rate, packets_per_s=rate, connects_per_s=rate)
    half = Pace(arp_per_s=rate / 2, packets_per_s=rate / 2, connects_per_s=rate / 2)
    fast = planned(replace(made, pace=pace), on_link=on_link)
    slow = planned(replace(made, pace=half), on_link=on_link)
    assert slow.duration_s >= fast.duration_s
    assert slow.packets == fast.packets


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_more_rounds_are_more_frames(rounds):
    made = scope("10.0.0.0/28", pace=Pace(rounds=rounds))
    plan = planned(made, on_link=made.networks, sweeps=(ARP, CONNECT))
    assert plan.packets == 16 * rounds


def test_behind_a_gateway_bare_segments_are_planned_instead_of_connections():
    """A round more than the profile's, to tell hosts from a box; the kernel's ARP; one echo."""
    knock = Sweep("knock", Medium.FRAME, "RFC 9293", kind="knock")
    made = scope("10.0.0.0/24", pace=Pace(profile="normal"))
    sweeps = (knock, CONNECT)
    led = planning.plan(made, made.networks, NOBODY, sweeps, (), KNOCKS, routed=[made.networks])
    assert led.packets == 256 * len(KNOCKS) * (made.pace.rounds + 1) + 1 + planning.KERNEL_ARP
    gentle = replace(made, pace=Pace())
    plan = planning.plan(gentle, made.networks, NOBODY, sweeps, (), KNOCKS, routed=[made.networks])
    assert plan.packets == 256 * len(KNOCKS) * gentle.pace.rounds + 1 + planning.KERNEL_ARP


def test_a_group_whose_port_is_not_authorised_is_not_asked_and_that_is_said():
    """Devices that only answer there are missed: whoever reads the plan must know."""
    made = scope("10.0.0.0/30", ports=frozenset(KNOCKS))
    plan, usual = (planned(s, on_link=s.networks) for s in (made, scope("10.0.0.0/30")))
    assert plan.packets < usual.packets and "sadp" not in plan.sweeps
    assert "sadp (UDP 37020)" in {refusal.addresses for refusal in plan.refused}


def test_what_may_come_behind_one_hardware_address_is_said_beside_the_packets():
    """How many such addresses there are nobody knows before; how often each is asked, is known."""
    near, far = scope("10.0.0.0/30"), scope("10.9.0.0/30")
    assert planned(near, on_link=near.networks).behind == len(KNOCKS)
    assert planned(far).behind == 0  # behind routers no hardware address answers us
    assert planned(scope("10.0.0.0/30", ports=frozenset({80})), on_link=near.networks).behind == 1
