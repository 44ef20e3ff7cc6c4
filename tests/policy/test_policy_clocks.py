"""When a duty is due: weekends, federal holidays, time zones, and what was reported."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from auditor.errors import DataError, UsageError
from auditor.policy.clocks import add_business_days, clocks, due_day, is_business_day, reported

B = "us-ndaa-889a1B"
DUTIES = ["initial", "followup", "rfo"]
MAC = ("mac", "44:19:b6:00:00:01")


@pytest.mark.parametrize(("day", "count", "due"), [
    pytest.param("2026-11-23", 1, "2026-11-24", id="monday"),
    pytest.param("2026-11-20", 1, "2026-11-23", id="friday-becomes-monday"),
    pytest.param("2026-11-21", 1, "2026-11-23", id="found-on-a-saturday"),
    pytest.param("2026-11-25", 1, "2026-11-27", id="thanksgiving-lies-between"),
    pytest.param("2026-07-02", 1, "2026-07-06", id="the-fourth-on-a-saturday-is-kept-on-friday"),
    pytest.param("2027-12-30", 1, "2028-01-03", id="a-new-years-day-on-saturday-is-kept-in-december"),
    pytest.param("2026-12-18", 10, "2027-01-05", id="ten-days-over-christmas-and-new-year"),
])  # fmt: skip
def test_business_days_of_the_united_states(day, count, due):
    assert add_business_days(date.fromisoformat(day), count, "US") == date.fromisoformat(due)


def test_without_a_calendar_only_weekends_are_free():
    assert is_business_day(date(2026, 12, 25), "")
    assert not is_business_day(date(2026, 12, 25), "US")
    assert not is_business_day(date(2026, 12, 26), "")


def test_a_country_without_a_calendar_is_said_so():
    with pytest.raises(DataError, match="calendar"):
        is_business_day(date(2026, 1, 5), "ZZ")


@pytest.mark.parametrize(("zone", "due"), [
    pytest.param("America/New_York", date(2026, 11, 23), id="still-friday-evening-in-new-york"),
    pytest.param("Europe/Paris", date(2026, 11, 23), id="saturday-in-paris-monday-all-the-same"),
])  # fmt: skip
def test_the_day_is_that_of_the_stated_zone(world, zone, due):
    duty = world.packs[B].raw.duty[0]
    night = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # 22:00 on Friday in New York
    assert due_day(duty, night, zone) == due


def test_midnight_decides_in_which_zone_it_was_found(world):
    duty = world.packs[B].raw.duty[0]
    before = datetime(2026, 11, 24, 4, 59, tzinfo=UTC)  # 23:59 on Monday in Toronto
    after = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
    assert due_day(duty, before, "America/Toronto") == date(2026, 11, 24)
    assert due_day(duty, after, "America/Toronto") == date(2026, 11, 25)
    assert due_day(duty, before, "UTC") == due_day(duty, after, "UTC") == date(2026, 11, 25)


def of(world, decisions=(), today=None, **more):
    found = datetime(2026, 11, 20, 15, tzinfo=UTC)  # a Friday
    one = world.device("Hikvision", purpose="public_safety", first=found)
    findings = world.ruled(one, B, decisions=decisions, today=today or world.today, **more)
    return {clock.due.duty: clock for clock in clocks(findings, today or world.today)}


def test_identifying_covered_equipment_starts_the_clocks(world):
    found = of(world)
    assert sorted(found) == sorted(DUTIES)
    assert found["initial"].due.due == date(2026, 11, 23)
    assert found["initial"].state == "due"
    # ten business days after the day on which the first report is due; Thanksgiving lies between
    assert found["followup"].due.due == date(2026, 12, 8)
    assert found["followup"].provisional


def test_what_is_unconfirmed_of_a_clause_is_printed_with_it(world):
    rfo = of(world)["rfo"]
    assert rfo.due.due == date(2026, 11, 23)
    assert "unconfirmed" in rfo.due.what.en
    assert "non confirmé" in rfo.due.what.fr


def test_the_clause_in_the_contract_chooses_the_variant(world):
    assert sorted(of(world, organisation={"clause": "rfo-52.240-91"})) == ["rfo"]
    assert sorted(of(world, organisation={"clause": "far-52.204-25"})) == ["followup", "initial"]


def test_a_day_later_it_is_overdue(world):
    late = of(world, today=date(2026, 11, 24))["initial"]
    assert (late.state, late.days_left) == ("overdue", -1)


def test_a_report_stops_one_clock_and_starts_the_next(world):
    sent = reported(
        by="C. Chen", at=datetime(2026, 11, 23, 20, tzinfo=UTC), subject=[MAC, ("pack", B)],
        duty="initial", submitted=date(2026, 11, 23), reference="DIBNet 4711",
    )  # fmt: skip
    found = of(world, [sent], today=date(2026, 12, 7))
    assert found["initial"].state == "done"
    assert found["followup"].due.due == date(2026, 12, 8)
    assert not found["followup"].provisional
    late = replace(sent, id="x", values=(("duty", "initial"), ("submitted", "2026-11-25")))
    assert of(world, [late])["initial"].state == "done_late"


def test_a_report_names_its_pack_and_is_not_of_tomorrow(world):
    whole = {"by": "C. Chen", "at": world.seen, "duty": "initial", "reference": "1"}
    with pytest.raises(UsageError, match="pack"):
        reported(subject=[MAC], submitted=date(2026, 11, 20), **whole)
    with pytest.raises(UsageError, match="day to come"):
        reported(subject=[MAC, ("pack", B)], submitted=date(2026, 12, 20), **whole)


def test_an_innocent_device_starts_nothing(world):
    assert clocks(world.ruled(world.device("Axis"), B), world.today) == ()


def test_a_duty_of_a_device_whose_case_is_open_says_so(world):
    open_case = world.ruled(world.device("Hikvision"), B)
    settled = world.ruled(world.device("Hikvision", purpose="public_safety"), B)
    for findings, conditional in ((open_case, True), (settled, False)):
        (due, *_) = next(f.due for f in findings if f.due)
        assert ("if the device turns out to be covered" in due.what.en) is conditional
        assert ("s’avère visé" in due.what.fr) is conditional


def test_an_exempted_device_owes_no_report(world):
    from auditor.policy.exemptions import exemption

    granted = exemption(
        by="A", requested_by="B", at=datetime(2026, 11, 1, tzinfo=UTC), reason="waiver of the DNI",
        subject=[MAC, ("pack", B)], expires=date(2027, 1, 31), zone="UTC", controls=["air gap"],
        document_sha256="0" * 64, devices=1,
    )  # fmt: skip
    assert of(world, [granted]) == {}


def test_the_moment_of_identification_may_be_given(world):
    told = {"d1": datetime(2026, 11, 23, 12, tzinfo=UTC)}
    assert of(world, identified=told)["initial"].due.due == date(2026, 11, 24)


@pytest.mark.parametrize("unit", ["business_days", "days", "hours"])
def test_every_unit_counts_forward(world, unit):
    from dataclasses import replace as changed

    duty = changed(world.packs[B].raw.duty[0], unit=unit, within=72)
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert due_day(duty, start, "UTC") > date(2026, 11, 20)
