"""What a scope allows, and when."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from auditor.errors import DataError
from auditor.model.address import AddressSet
from auditor.model.scope import Authority, Hours, Pace, Scope

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)  # a Monday


def scope(**changes):
    base = Scope(
        site="OTT",
        networks=AddressSet.parse(["10.0.0.0/24"]),
        excluded=AddressSet.parse(["10.0.0.9"]),
        ports=frozenset({80, 9100}),
        never=frozenset({9100}),
        pace=Pace(),
        authority=Authority("an operator", NOON),
    )
    return replace(base, **changes)


@pytest.mark.parametrize(
    ("ip", "port", "word"),
    [
        ("10.0.0.1", 80, None),
        ("10.0.0.1", 0, None),
        ("10.0.0.9", 80, "excluded"),
        ("10.0.1.1", 80, "outside the authorised networks"),
        ("10.0.0.1", 9100, "never touched"),
        ("10.0.0.1", 22, "not among the authorised ports"),
    ],
)
def test_a_scope_says_why_not(ip, port, word):
    reason = scope().refusal(ip, port, NOON)
    assert reason is None if word is None else word in reason


def test_an_expired_authority_allows_nothing():
    ended = scope(authority=Authority("an operator", NOON, expires=NOON))
    assert "expired" in ended.refusal("10.0.0.1", 80, NOON)
    assert ended.refusal("10.0.0.1", 80, NOON - timedelta(seconds=1)) is None


def test_hours_past_midnight_belong_to_the_day_on_which_they_began():
    friday_night = Hours(time(22), time(6), ("fri",), "America/Toronto")
    said = [
        (datetime(2026, 1, 10, 4, 0, tzinfo=UTC), True),  # Friday 23:00 in Toronto
        (datetime(2026, 1, 10, 10, 59, tzinfo=UTC), True),  # Saturday 05:59
        (datetime(2026, 1, 10, 11, 0, tzinfo=UTC), False),  # Saturday 06:00
        (datetime(2026, 1, 11, 4, 0, tzinfo=UTC), False),  # Saturday 23:00
    ]
    assert [friday_night.allow(moment) for moment, _ in said] == [good for _, good in said]
    assert scope(hours=friday_night).refusal("10.0.0.1", 80, NOON) == "outside the authorised hours"


def test_an_unknown_weekday_is_refused():
    with pytest.raises(DataError):
        Hours(time(1), time(2), ("someday",))


def test_communities_never_show_in_what_is_printed():
    shown = repr(scope(community="hush", router_communities=(("10.0.0.1", "hush"),)))
    assert "hush" not in shown
