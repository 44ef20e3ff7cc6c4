"""Which devices a decision speaks of: identifiers, sites, packs, and what was taken back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.model.decision import Decision, DecisionKind
from auditor.policy.subjects import Register, identifiers, speaks_of, standing, value_of

AT = datetime(2026, 11, 1, tzinfo=UTC)


def act(name, *subject, kind=DecisionKind.RECORD, after=0, withdraws=None, **values):
    return Decision(
        name, kind, "A. Roy", AT + timedelta(hours=after), "because", tuple(subject),
        tuple(values.items()), withdraws=withdraws,
    )  # fmt: skip


def about(world, *decisions, anywhere=False, **device):
    found = Register.of(decisions).about(world.device("Axis", **device), anywhere=anywhere)
    return [decision.id for decision in found]


def test_a_device_is_known_by_everything_that_identifies_it(world):
    one = world.device("Axis", serial="Sn-1", tag="Inv-7")
    assert identifiers(one) == {
        ("device", "d1"), ("mac", "44:19:b6:00:00:01"), ("ip", "192.0.2.9"),
        ("serial", "sn-1"), ("tag", "inv-7"),
    }  # fmt: skip


def test_a_serial_that_only_a_list_gives_counts_as_well(world):
    from dataclasses import replace

    from auditor.model.observation import Observation

    one = world.device("Axis", room="x")
    seen = replace(one.device.sightings[0], observation=Observation("asset.serial", "SN-9"))
    listed = replace(one, device=replace(one.device, sightings=(seen,)))
    assert ("serial", "sn-9") in identifiers(listed)


@pytest.mark.parametrize(("subject", "found"), [
    pytest.param([], True, id="nothing-in-particular-is-everybody"),
    pytest.param([("site", "HQ")], True, id="its-site"),
    pytest.param([("site", "Depot")], False, id="another-site"),
    pytest.param([("site", "Depot"), ("site", "HQ")], True, id="one-of-two-sites"),
    pytest.param([("mac", "4419.b600.0001")], True, id="its-mac-in-another-spelling"),
    pytest.param([("mac", "44:19:B6:00:00:01")], True, id="its-mac-in-capitals"),
    pytest.param([("mac", "00:00:00:00:00:09")], False, id="another-mac"),
    pytest.param([("mac", "00:00:00:00:00:09"), ("ip", "192.0.2.9")], True, id="any-identifier"),
    pytest.param([("ip", "192.0.2.9"), ("site", "Depot")], False, id="an-address-elsewhere"),
])  # fmt: skip
def test_whom_a_decision_speaks_of(world, subject, found):
    assert (about(world, act("x", *subject)) == ["x"]) is found


def test_a_thing_is_the_same_thing_at_every_site_and_an_address_is_not(world):
    by_mac = act("mac", ("mac", "44:19:b6:00:00:01"), ("site", "Depot"))
    by_ip = act("ip", ("ip", "192.0.2.9"), ("site", "Depot"))
    assert about(world, by_mac, by_ip) == []
    assert about(world, by_mac, by_ip, anywhere=True) == ["mac"]


def test_decisions_are_given_oldest_first_and_each_once(world):
    late = act("late", ("device", "d1"), ("ip", "192.0.2.9"), after=2)
    early = act("early", ("site", "HQ"), after=1)
    assert about(world, late, early) == ["early", "late"]


def test_what_is_withdrawn_stands_no_more_and_neither_does_the_withdrawal():
    one, two = act("one"), act("two", after=1)
    back = act("back", kind=DecisionKind.WITHDRAWN, after=2, withdraws="one")
    assert [d.id for d in standing([back, two, one])] == ["two"]


def test_a_withdrawal_of_nothing_takes_nothing_back():
    odd = act("odd", kind=DecisionKind.WITHDRAWN, withdraws=None)
    assert [d.id for d in standing([act("one"), odd])] == ["one"]


@pytest.mark.parametrize(("subject", "covers"), [
    ([], True), ([("pack", "p")], True), ([("pack", "q")], False), ([("pack", "p"), ("rule", "r")], True),
    ([("pack", "p"), ("rule", "s")], False), ([("pack", "q"), ("pack", "p")], True),
])  # fmt: skip
def test_a_decision_may_be_limited_to_packs_and_rules(subject, covers):
    assert speaks_of(act("x", *subject), "p", "r") is covers


def test_a_value_that_was_not_set_is_empty():
    assert value_of(act("x", step="found"), "step") == "found"
    assert value_of(act("x"), "step") == ""


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.permutations(range(5)))
def test_the_order_in_which_decisions_arrive_is_irrelevant(world, order):
    acts = [act(f"n{n}", ("site", "HQ"), after=n % 3) for n in range(5)]
    assert about(world, *(acts[n] for n in order)) == about(world, *acts)
