"""Exemptions: granted whole or not at all, ended by the calendar, and always printed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from auditor.errors import DataError, UsageError
from auditor.model.policy import Verdict
from auditor.policy.decisions import withdraw
from auditor.policy.exemptions import exception_rows, exemption

GC, QC = "ca-gc-hikvision-2025", "ca-qc-mcn-2023"
AT = datetime(2026, 11, 2, 15, tzinfo=UTC)
MAC = ("mac", "44:19:b6:00:00:01")


def grant(**changes):
    whole = {
        "by": "A. Roy", "requested_by": "B. Tremblay", "at": AT, "reason": "spare parts are late",
        "subject": [MAC, ("pack", GC)], "expires": date(2026, 12, 31), "zone": "America/Toronto",
        "controls": ["no route to the Internet"], "document_sha256": "ab" * 32, "devices": 1,
    }  # fmt: skip
    return exemption(**(whole | changes))


@pytest.mark.parametrize(("change", "complaint"), [
    pytest.param({"requested_by": ""}, "who asked", id="no-requester"),
    pytest.param({"requested_by": " a. roy "}, "same person", id="granted-to-oneself"),
    pytest.param({"by": " "}, "nobody is named", id="no-approver"),
    pytest.param({"reason": ""}, "no reason", id="no-reason"),
    pytest.param({"controls": [" "]}, "compensating control", id="no-control"),
    pytest.param({"document_sha256": "abc"}, "SHA-256", id="no-document"),
    pytest.param({"expires": date(2026, 11, 1)}, "expired already", id="over-before-it-began"),
    pytest.param({"expires": date(2029, 1, 1)}, "366 days", id="for-ever"),
    pytest.param({"devices": 0}, "no device", id="for-nobody"),
    pytest.param({"devices": 11}, "second approver", id="too-wide"),
    pytest.param({"devices": 11, "second_approver": "B. Tremblay"}, "same person", id="not-by-whom-asked"),
    pytest.param({"subject": [("colour", "red")]}, "no key", id="unknown-key"),
    pytest.param({"at": datetime(2026, 11, 2)}, "time zone", id="a-time-without-a-zone"),
])  # fmt: skip
def test_an_exemption_that_lacks_something_is_not_granted(change, complaint):
    with pytest.raises(UsageError, match=complaint):
        grant(**change)


def test_a_time_zone_that_does_not_exist_is_refused():
    with pytest.raises(DataError, match="no time zone"):
        grant(zone="Mars/Olympus")


def test_a_wide_one_needs_a_second_approver():
    assert grant(devices=11, second_approver="D. Singh").values[0] == ("devices", "11")


def test_the_same_act_has_the_same_id_and_another_has_another():
    assert grant().id == grant().id
    assert grant().id != grant(reason="another").id


def under(world, decision, moment=None, today=None, pack=GC, zone="America/Toronto", devices=None):
    devices = devices or [world.device("Hikvision")]
    findings = world.ruled(
        devices, pack, decisions=[decision], today=today or moment.astimezone(ZoneInfo(zone)).date(),
        zone=zone, now=moment,
    )  # fmt: skip
    return [finding.verdict for finding in findings]


@pytest.mark.parametrize(("zone", "local", "holds"), [
    ("America/Toronto", "2026-12-31T23:59:59", True), ("America/Toronto", "2027-01-01T00:00:00", False),
    ("America/Vancouver", "2026-12-31T23:59:59", True), ("America/Vancouver", "2027-01-01T00:00:00", False),
])  # fmt: skip
def test_it_holds_until_the_end_of_its_last_day_in_its_own_zone(world, zone, local, holds):
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    (verdict,) = under(world, grant(zone=zone), moment)
    assert verdict is (Verdict.NOT_APPLICABLE if holds else Verdict.NONCONFORMING)


def test_without_a_moment_the_start_of_the_day_decides(world):
    vancouver = grant(zone="America/Vancouver")
    # when the first of January begins in Toronto it is still the 31st in Vancouver
    assert under(world, vancouver, today=date(2027, 1, 1)) == [Verdict.NOT_APPLICABLE]
    assert under(world, vancouver, today=date(2027, 1, 2)) == [Verdict.NONCONFORMING]


def test_an_assessment_of_another_day_does_not_use_the_present_moment(world):
    now = datetime(2027, 5, 5, tzinfo=UTC)
    (finding,) = world.ruled(
        world.device("Hikvision"), GC, decisions=[grant()], today=date(2026, 12, 1), now=now
    )
    assert finding.exempted_by == grant().id


def test_it_holds_for_its_pack_only(world):
    granted = grant()
    one = world.device("Hikvision", acquired="2024-02-02")
    findings = world.ruled(one, GC, QC, decisions=[granted])
    assert [f.exempted_by for f in findings] == [granted.id, None]


def test_it_says_what_it_sets_aside_and_why_in_both_languages(world):
    (finding,) = world.ruled(world.device("Hikvision"), GC, decisions=[grant()])
    assert finding.judged is Verdict.NONCONFORMING
    assert "31 December 2026" in finding.because.en
    assert "spare parts are late" in finding.because.en
    assert "31 décembre 2026" in finding.because.fr
    assert "Made by Hikvision" in finding.because.en


def test_it_holds_for_nobody_once_it_covers_more_than_it_was_granted_for(world):
    granted = grant(subject=[("site", "HQ"), ("pack", GC)], devices=1)
    one, two = (
        world.device("Hikvision"),
        world.device("Hikvision", name="d2", mac="44:19:b6:00:00:02"),
    )
    assert under(world, granted, today=world.today, devices=[one]) == [Verdict.NOT_APPLICABLE]
    assert (
        under(world, granted, today=world.today, devices=[one, two]) == [Verdict.NONCONFORMING] * 2
    )
    (row,) = exception_rows([granted], [one, two], world.today, "UTC")
    assert row.state == "exceeded"
    assert row.devices == ("d1", "d2")


def test_one_that_came_from_elsewhere_and_lacks_something_holds_for_nobody(world):
    holed = replace(grant(), requested_by="A. Roy", controls=())
    assert under(world, holed, today=world.today) == [Verdict.NONCONFORMING]
    (row,) = exception_rows([holed], [], world.today, "UTC")
    assert row.state == "void"
    assert len(row.problems) == 2
    assert all(problem.en and problem.fr for problem in row.problems)


def test_one_without_an_expiry_holds_for_nobody(world):
    assert under(world, replace(grant(), expires=None), today=world.today) == [
        Verdict.NONCONFORMING
    ]


def test_it_does_not_hold_before_it_was_granted(world):
    assert under(world, grant(), today=date(2026, 11, 1)) == [Verdict.NONCONFORMING]


@pytest.mark.parametrize(("left", "state"), [
    (31, "active"), (30, "ends_soon"), (8, "ends_soon"), (7, "ends_very_soon"), (0, "ends_very_soon"),
    (-1, "expired"),
])  # fmt: skip
def test_the_register_warns_thirty_and_seven_days_before(left, state):
    granted = grant(zone="UTC")
    (row,) = exception_rows([granted], [], granted.expires - timedelta(days=left), "UTC")
    assert (row.state, row.days_left) == (state, left)


def test_a_withdrawn_one_stays_in_the_register_and_holds_no_more(world):
    granted = grant()
    taken_back = withdraw(granted, by="A. Roy", at=AT + timedelta(days=1), reason="parts arrived")
    one = world.device("Hikvision")
    (finding,) = world.ruled(one, GC, decisions=[granted, taken_back])
    assert finding.verdict is Verdict.NONCONFORMING
    (row,) = exception_rows([granted, taken_back], [one], world.today, "UTC")
    assert row.state == "withdrawn"


def test_what_is_conforming_needs_no_exemption(world):
    (finding,) = world.ruled(world.device("Axis"), GC, decisions=[grant()])
    assert finding.exempted_by is None
