"""A scan is taken up where it began, in its scope; only exclusions can be added."""

from datetime import UTC, datetime

import pytest

from auditor.commands.taking_up import refuse_changes, refuse_strangers, same_place
from auditor.errors import EnvironmentLack, ScopeRefusal, UsageError
from auditor.model.address import AddressSet
from auditor.model.scope import Authority, excluded_later, exclusion_note

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
HERE = "eth0 10.9.0.5/24 02:00:00:00:00:05"


@pytest.mark.parametrize(
    "now", [HERE, "eth0 10.9.0.77/24 02:00:00:00:00:05", "eth0 10.9.0.5/24 02:00:00:00:00:99"]
)
def test_another_address_in_the_same_network_is_the_same_place(now):
    same_place(HERE, now)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (HERE, ""),
        (HERE, "routed"),
        (HERE, "eth1 10.9.0.5/24 02:00:00:00:00:05"),
        (HERE, "eth0 10.8.0.5/24 02:00:00:00:00:05"),
        (f"{HERE}, routed", HERE),
        ("routed", f"{HERE}, routed"),
    ],
    ids=["no-link", "by-a-router", "another-card", "another-network", "no-router", "nearer"],
)
def test_a_scan_is_not_taken_up_elsewhere(before, now):
    with pytest.raises(EnvironmentLack) as refused:
        same_place(before, now)
    assert before in refused.value.why and refused.value.hint


def test_a_run_that_does_not_say_from_where_it_looked_is_taken_up_anywhere():
    same_place("", HERE)


@pytest.mark.parametrize("option", ["targets", "--pace", "--interface", "--engine"])
def test_what_a_scan_began_with_is_not_changed_on_the_way(option):
    refuse_changes("auto", {option: None})
    with pytest.raises(UsageError, match=option):
        refuse_changes("auto", {option: "something"})


def test_only_who_is_trusted_may_have_signed():
    by_hand = Authority("an operator", NOON)
    unsigned = Authority("an operator", NOON, source="scope.toml", sha256="ab")
    signed = Authority("an operator", NOON, source="scope.toml", sha256="ab", signed_by="key-1")
    for one in (by_hand, unsigned, signed):
        refuse_strangers(one, ())
    refuse_strangers(by_hand, ("key-1",))
    refuse_strangers(signed, ("key-1",))
    for one, keys in ((unsigned, ("key-1",)), (signed, ("key-2",))):
        with pytest.raises(ScopeRefusal, match=r"scope\.toml"):
            refuse_strangers(one, keys)


def test_what_was_excluded_later_stands_in_the_notes_of_the_run():
    later = AddressSet.parse(["10.9.0.7", "10.9.0.16-10.9.0.31", "fd00::7"])
    assert excluded_later(("the disk was full", exclusion_note(later))) == later
    assert not excluded_later(("the disk was full",))
