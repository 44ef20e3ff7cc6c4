"""Days at their edges: midnight in two zones, clocks that change, leap days, years that turn."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auditor.audit import When
from auditor.errors import DataError, UsageError
from auditor.model.decision import Decision, DecisionKind
from auditor.policy import decisions, exemptions, removals
from auditor.policy.clocks import add_business_days, due_day, is_business_day, reported
from auditor.policy.exemptions import days_left, exemption, granted, moment_of
from auditor.policy.records import read_day

ZONES = ("Pacific/Kiritimati", "America/St_Johns", "Etc/GMT+12", "UTC", "Australia/Lord_Howe")
ZONE = st.sampled_from(ZONES)
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
SUBJECT = (("mac", "44:19:b6:00:00:01"),)
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def granted_until(last, zone="UTC", at=AT, **more):
    return exemption(**{
        "by": "B. Approver", "requested_by": "A. Officer", "at": at, "reason": "no spare",
        "subject": (*SUBJECT, ("pack", "p")), "expires": last, "zone": zone,
        "controls": ("own network",), "document_sha256": "a" * 64, "devices": 1, **more,
    })  # fmt: skip


def duty(unit, within, calendar=""):
    return SimpleNamespace(unit=unit, within=within, calendar=calendar)


# ---------------------------------------------------------------- exemptions


@given(DAYS, ZONE)
def test_an_exemption_ends_with_its_last_day_where_it_was_granted(last, zone):
    decision = Decision("x", DecisionKind.EXEMPTION, "b", AT, "r", SUBJECT, expires=last, zone=zone)
    midnight = datetime.combine(last + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
    assert days_left(decision, midnight - timedelta(seconds=1)) == 0
    assert days_left(decision, midnight) == -1


@given(MOMENTS, DAYS, ZONE, ZONE)
def test_the_same_moment_leaves_the_same_days_whoever_looks(moment, last, zone, eyes):
    decision = Decision("x", DecisionKind.EXEMPTION, "b", AT, "r", SUBJECT, expires=last, zone=zone)
    assert days_left(decision, moment) == days_left(decision, moment.astimezone(ZoneInfo(eyes)))


def test_one_last_day_ends_two_days_apart_on_both_sides_of_the_date_line():
    last = date(2026, 6, 30)
    noon = datetime(2026, 7, 1, 11, 30, tzinfo=UTC)
    east, west = (granted_until(last, zone) for zone in ("Pacific/Kiritimati", "Etc/GMT+12"))
    assert (days_left(east, noon), days_left(west, noon)) == (-2, 0)


def test_it_can_still_be_granted_on_a_day_that_is_over_in_greenwich():
    late = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)  # still the first in Toronto
    assert granted_until(date(2026, 3, 1), "America/Toronto", late).expires == date(2026, 3, 1)
    with pytest.raises(UsageError, match="expired already"):
        granted_until(date(2026, 3, 1), "UTC", late)


def test_a_year_with_a_leap_day_is_still_one_year():
    start = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert granted_until(date(2029, 3, 1), at=start)
    with pytest.raises(UsageError, match="366 days"):
        granted_until(date(2029, 3, 2), at=start)


def test_nobody_grants_what_he_asked_for_by_writing_his_name_otherwise():
    for name in ("b. approver", " B. APPROVER "):
        with pytest.raises(UsageError, match="same person"):
            granted_until(date(2026, 4, 1), requested_by=name)


@pytest.mark.parametrize("zone", ["America", "Mars/Olympus", "", "../etc/passwd", "UTC\0"])
def test_a_zone_that_is_none_grants_nothing(zone):
    with pytest.raises(DataError):
        granted_until(date(2026, 4, 1), zone)


@pytest.mark.parametrize("count", ["²", "9" * 5_000, "-3", "", "many", "1e3", "٣"])
def test_a_forged_number_of_devices_never_widens_an_exemption(count):
    """A bundle of another ledger may hold anything; a report is made of it all the same."""
    forged = replace(granted_until(date(2026, 4, 1)), values=(("devices", count),))
    assert granted(forged) in {1, 3}


@given(DAYS, ZONE, MOMENTS)
def test_the_moment_of_an_assessment_lies_in_its_day(today, zone, now):
    moment = moment_of(today, zone, now)
    assume(moment.utcoffset() is not None)
    assert moment.astimezone(ZoneInfo(zone)).date() == today


@given(DAYS, ZONE, st.lists(MOMENTS, max_size=4))
def test_a_report_is_dated_within_its_day_and_never_by_the_wall_clock(today, zone, said):
    made = [Decision("x", DecisionKind.RECORD, "b", at, "r", SUBJECT) for at in said]
    moment = When(today, zone).moment((), made)
    assert moment.astimezone(ZoneInfo(zone)).date() == today
    assert moment == When(today, zone).moment((), made[::-1])


# ---------------------------------------------------------------- duties


@given(DAYS, st.integers(0, 40), st.sampled_from(["", "US", "CA"]))
def test_a_business_day_is_one_and_none_is_skipped(day, count, country):
    due = add_business_days(day, count, country)
    between = [day + timedelta(days=n) for n in range(1, (due - day).days + 1)]
    assert sum(is_business_day(each, country) for each in between) == count
    assert due == day or is_business_day(due, country)


@given(MOMENTS, st.integers(0, 100), ZONE)
def test_hours_are_hours_although_clocks_change(moment, hours, zone):
    due = due_day(duty("hours", hours), moment, zone)
    assert due == (moment + timedelta(hours=hours)).astimezone(ZoneInfo(zone)).date()


def test_a_day_of_23_hours_does_not_shorten_what_is_due_in_hours():
    start = datetime(2026, 3, 7, 23, 30, tzinfo=ZoneInfo("America/Toronto"))
    assert due_day(duty("hours", 24), start, "America/Toronto") == date(2026, 3, 9)
    assert due_day(duty("days", 1), start, "America/Toronto") == date(2026, 3, 8)


def test_a_duty_that_starts_on_a_leap_day_is_due_on_the_days_after():
    start = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert due_day(duty("days", 365), start, "UTC") == date(2029, 2, 28)
    assert due_day(duty("business_days", 1), start, "UTC") == date(2028, 3, 1)


def test_the_last_business_day_of_a_year_leads_into_the_next():
    assert add_business_days(date(2026, 12, 31), 1, "US") == date(2027, 1, 4)


def test_a_report_is_not_of_the_day_after_tomorrow():
    given_ = {"by": "A", "at": AT, "subject": (*SUBJECT, ("pack", "p")), "reference": "R-1"}
    assert reported(duty="d", submitted=date(2026, 3, 2), **given_)
    with pytest.raises(UsageError, match="to come"):
        reported(duty="d", submitted=date(2026, 3, 3), **given_)


# ---------------------------------------------------------------- days that officers write


@given(DAYS)
def test_a_whole_day_reads_back(day):
    for text in (day.isoformat(), f"{day:%Y/%m/%d}", f" {day:%Y.%m.%d} ", f"{day} 23:59"):
        found = read_day(text)
        assert (found.first, found.last, found.text) == (day, day, day.isoformat())


@given(st.integers(1, 9_999), st.integers(1, 12))
def test_a_month_is_all_of_its_days(year, month):
    found = read_day(f"{year:04}-{month:02}")
    assert found.first.day == 1
    assert (found.last + timedelta(days=1)).day == 1 if found.last < date.max else True
    assert found.text == f"{year:04}-{month:02}"


@pytest.mark.parametrize(
    "text",
    ["2023-02-29", "2023-13", "0000", "0000-01-01", "2023-00", "2023-01-00", "23-01-01", "",
     "01/02/2023", "2023-1-1-1", "²023-01-01", "2023-01-01x", "99999-01-01", None],
)  # fmt: skip
def test_what_is_no_day_is_none(text):
    assert read_day(text) is None


@given(st.text(max_size=30))
def test_whatever_an_officer_writes_is_a_day_or_none(text):
    found = read_day(text)
    assert found is None or found.first <= found.last


# ---------------------------------------------------------------- acts


@pytest.mark.parametrize("scans", ["²", "9" * 5_000, "-1", "", "two"])
def test_a_forged_count_of_scans_proves_no_removal(scans):
    values = (("step", "disposed"), ("scans", scans), ("port", "down"), ("lease", "none"))
    forged = Decision("x", DecisionKind.REMOVAL, "A", AT, "r", SUBJECT, values)
    assert removals.proof_of(forged) == ""


PARTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)


@given(PARTS, PARTS, PARTS)
def test_the_same_act_has_the_same_name_and_another_reason_another(by, reason, other):
    said = {"by": by, "at": AT, "subject": SUBJECT, "trait": "maker", "value": "Axis"}
    one = decisions.override_identity(reason=reason, **said)
    assert one == decisions.override_identity(reason=reason, **said)
    if reason != other:
        assert one.id != decisions.override_identity(reason=other, **said).id


def test_an_act_without_a_zone_person_or_reason_is_none():
    whole = {"by": "A", "at": AT, "reason": "r", "subject": SUBJECT, "trait": "maker", "value": "x"}
    for wrong in ({"by": " "}, {"reason": "\t"}, {"at": AT.replace(tzinfo=None)}, {"value": " "},
                  {"subject": ()}, {"subject": (("colour", "red"),)}, {"trait": "colour"}):  # fmt: skip
        with pytest.raises(UsageError):
            decisions.override_identity(**{**whole, **wrong})


def test_a_withdrawal_stays_withdrawn():
    once = decisions.withdraw(granted_until(date(2026, 4, 1)), by="A", at=AT, reason="r")
    with pytest.raises(UsageError, match="cannot be withdrawn"):
        decisions.withdraw(once, by="A", at=AT, reason="r")
    assert exemptions.problems(once)
