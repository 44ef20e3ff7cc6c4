"""Authorised hours and days: clocks that change, nights, zones that nobody knows."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import DataError
from auditor.model.policy import Relation
from auditor.model.scope import WEEK, Hours

TORONTO = ZoneInfo("America/Toronto")
MOMENTS = st.datetimes(
    datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC), allow_imaginary=False
)
TIMES = st.times().map(lambda t: t.replace(microsecond=0, tzinfo=None))
DAYS = st.lists(st.sampled_from(WEEK), unique=True, min_size=1).map(tuple)
ZONES = st.sampled_from(
    ["UTC", "America/Toronto", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Kiritimati"]
)


def toronto(*parts, fold=0):
    return datetime(*parts, tzinfo=TORONTO, fold=fold)


@pytest.mark.parametrize("zone", ["Nowhere/Land", "America", "", "../../etc/passwd", "a\0b"])
def test_a_zone_that_does_not_exist_is_refused_before_anything_is_sent(zone):
    with pytest.raises(DataError) as refused:
        Hours(time(1), time(2), zone=zone)
    assert refused.value.hint


def test_the_hour_that_the_clocks_skip_is_nobodys():
    night = Hours(time(2), time(3), zone="America/Toronto")
    before, after = toronto(2026, 3, 8, 1, 59), toronto(2026, 3, 8, 3, 0)
    assert after.astimezone(UTC) - before.astimezone(UTC) == timedelta(minutes=1)
    assert not night.allow(before) and not night.allow(after)


def test_the_hour_that_comes_twice_is_allowed_twice():
    night = Hours(time(1), time(2), zone="America/Toronto")
    first, second = toronto(2026, 11, 1, 1, 30), toronto(2026, 11, 1, 1, 30, fold=1)
    assert first.astimezone(UTC) != second.astimezone(UTC)
    assert night.allow(first) and night.allow(second)


def test_a_night_in_which_the_clocks_change_still_ends_in_the_morning():
    night = Hours(time(22), time(6), ("sat",), "America/Toronto")
    assert night.allow(toronto(2026, 3, 8, 5, 59))
    assert not night.allow(toronto(2026, 3, 8, 6, 0))


def test_the_weekday_is_that_of_the_place_and_not_of_greenwich():
    monday = Hours(time(0), time(23, 59), ("mon",), "Pacific/Kiritimati")
    assert monday.allow(datetime(2026, 1, 4, 12, tzinfo=UTC))  # Sunday noon in Greenwich
    assert not monday.allow(datetime(2026, 1, 5, 12, tzinfo=UTC))


def test_a_window_that_crosses_new_year_is_one_night():
    night = Hours(time(23), time(1), ("thu",))
    assert night.allow(datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    assert night.allow(datetime(2027, 1, 1, 0, 59, tzinfo=UTC))
    assert not night.allow(datetime(2027, 1, 1, 23, 30, tzinfo=UTC))


def test_a_leap_day_has_hours_as_any_other():
    tuesday = Hours(time(9), time(17), ("tue",))
    assert tuesday.allow(datetime(2028, 2, 29, 12, tzinfo=UTC))


@given(MOMENTS, TIMES, TIMES, DAYS, ZONES)
def test_the_same_moment_is_allowed_whatever_zone_it_is_written_in(moment, start, end, days, zone):
    hours = Hours(start, end, days, zone)
    elsewhere = moment.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    assert hours.allow(moment) == hours.allow(elsewhere)


@given(MOMENTS, TIMES, TIMES, ZONES)
def test_a_window_and_the_one_from_its_end_to_its_start_share_no_moment(moment, start, end, zone):
    one, other = Hours(start, end, zone=zone), Hours(end, start, zone=zone)
    if start != end:
        assert one.allow(moment) != other.allow(moment)


@given(MOMENTS, TIMES, TIMES, DAYS, DAYS, ZONES)
def test_more_days_never_allow_less(moment, start, end, some, more, zone):
    few = Hours(start, end, some, zone)
    many = Hours(start, end, tuple(dict.fromkeys((*some, *more))), zone)
    assert many.allow(moment) or not few.allow(moment)


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        (date(2022, 11, 30), True),
        (date(2022, 12, 1), False),
        (date(2018, 1, 1), True),
        (date(2017, 12, 31), False),
    ],
)
def test_a_relation_holds_from_its_first_to_its_last_day_both_included(day, holds):
    owned = Relation("Lorex", "Dahua", "subsidiary", date(2018, 1, 1), date(2022, 11, 30))
    assert owned.holds(day) is holds


@given(st.dates())
def test_a_relation_without_dates_always_holds(day):
    assert Relation("HiLook", "Hikvision", "own_brand").holds(day)
