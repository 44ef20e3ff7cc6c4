"""Officers' facts: how sure a day is, on which side of a cut-off it lies, what a word means."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.device import Asked, Coverage
from auditor.model.observation import Outcome
from auditor.plugins import Case
from auditor.policy.questions import question
from auditor.policy.records import (
    Side,
    When,
    choices,
    fact,
    is_one_of,
    looked_at,
    named,
    read_day,
    side_of,
)

CUTOFF = date(2023, 12, 21)


def case(world, today=date(2026, 11, 23), **device):
    site = device.pop("site_facts", {})
    return Case(world.device("Hikvision", **device), Coverage(), today, site_facts=site)


@pytest.mark.parametrize(("text", "first", "last"), [
    ("2023-12-22", (2023, 12, 22), (2023, 12, 22)),
    ("2023/12/22", (2023, 12, 22), (2023, 12, 22)),
    ("2023.1.2", (2023, 1, 2), (2023, 1, 2)),
    ("2023-12-22T10:00:00Z", (2023, 12, 22), (2023, 12, 22)),
    (" 2024-02 ", (2024, 2, 1), (2024, 2, 29)),
    ("2023", (2023, 1, 1), (2023, 12, 31)),
])  # fmt: skip
def test_a_day_a_month_or_a_year_is_a_span_of_days(text, first, last):
    assert read_day(text) == When(date(*first), date(*last))


@pytest.mark.parametrize("text", [
    None, "", "22/12/2023", "12-22-2023", "2023-13", "2023-02-30", "0000", "soon", "2023-12-22x",
])  # fmt: skip
def test_what_can_be_read_in_two_ways_or_none_is_no_day(text):
    assert read_day(text) is None


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_days(text):
    found = read_day(text)
    assert found is None or found.first <= found.last


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)))
def test_a_day_is_read_back_as_it_was_written(day):
    assert read_day(day.isoformat()) == When(day, day)


@pytest.mark.parametrize(("records", "side"), [
    pytest.param({"acquired": "2023-12-21"}, Side.BEFORE, id="the-day-itself"),
    pytest.param({"acquired": "2023-12-22"}, Side.AFTER, id="the-day-after"),
    pytest.param({"acquired": "2023-12"}, Side.UNKNOWN, id="a-month-on-both-sides"),
    pytest.param({"acquired": "2023-11"}, Side.BEFORE, id="a-month-before"),
    pytest.param({"installed": "2023-05-05"}, Side.BEFORE, id="installed-before-so-acquired-before"),
    pytest.param({"installed": "2024-05-05"}, Side.UNKNOWN, id="installed-later-says-nothing"),
    pytest.param({"acquired": "2031-01-01"}, Side.UNKNOWN, id="a-day-to-come-is-no-record"),
    pytest.param({"acquired": "after Christmas"}, Side.UNKNOWN, id="words"),
    pytest.param({}, Side.UNKNOWN, id="nothing"),
])  # fmt: skip
def test_the_side_of_the_cutoff(world, records, side):
    assert side_of(case(world, **records), CUTOFF)[0] is side


def test_having_been_seen_by_the_cutoff_settles_it(world):
    early = case(world, first=datetime(2023, 12, 21, 23, tzinfo=UTC))
    late = case(world, first=datetime(2023, 12, 22, 1, tzinfo=UTC))
    assert side_of(early, CUTOFF)[0] is Side.BEFORE
    assert side_of(late, CUTOFF)[0] is Side.UNKNOWN


def test_a_line_in_a_list_is_no_sighting(world):
    listed = case(world, first=datetime(2020, 1, 1, tzinfo=UTC), looked=False)
    assert side_of(listed, CUTOFF)[0] is Side.UNKNOWN


def test_judged_as_of_the_cutoff_nothing_can_have_come_after_it(world):
    assert side_of(case(world, today=CUTOFF), CUTOFF)[0] is Side.BEFORE
    assert side_of(case(world, today=CUTOFF + timedelta(1)), CUTOFF)[0] is Side.UNKNOWN


@pytest.mark.parametrize(("outcome", "knowledge"), [
    (Outcome.ANSWERED, True), (Outcome.REFUSED, True), (Outcome.SILENT, False),
    (Outcome.GARBLED, False), (Outcome.CRASHED, False), (Outcome.NOT_TRIED, False),
])  # fmt: skip
def test_silence_is_not_knowledge(world, outcome, knowledge):
    from dataclasses import replace

    one = world.device("Axis", looked=False)
    asked = replace(one.device, asked=(Asked("http", 80, outcome, world.seen),))
    assert looked_at(Case(replace(one, device=asked), Coverage(), world.today)) is knowledge


def test_a_line_of_an_asset_list_is_not_a_look_and_a_banner_in_a_file_is(world):
    from dataclasses import replace

    from auditor.model.observation import Observation, Origin

    listed = world.device("Axis", looked=False, manufacturer="Axis")
    assert not looked_at(Case(listed, Coverage(), world.today))
    banner = replace(listed.device.sightings[0], observation=Observation("http.server", "x"))
    assert banner.origin is Origin.FILE
    seen = replace(listed, device=replace(listed.device, sightings=(banner,)))
    assert looked_at(Case(seen, Coverage(), world.today))


def test_facts_come_from_the_device_the_site_or_the_organisation(world):
    one = Case(
        world.device("Axis", purpose=" counting "), Coverage(), world.today,
        site_facts={"sensitive": "yes"}, organisation={"kind": "ca_agency"},
    )  # fmt: skip
    assert fact(one, "asset.purpose") == "counting"
    assert fact(one, "site.sensitive") == "yes"
    assert fact(one, "organisation.kind") == "ca_agency"
    assert fact(one, "asset.funding") is None
    assert fact(one, "site.unknown") is None


CODES = {"public_safety": ("public safety", "sécurité publique"), "bare_code": ()}


@pytest.mark.parametrize("text", ["public_safety", "Public Safety", " SÉCURITÉ publique "])
def test_a_code_or_an_alias_is_understood_in_any_case(text):
    assert is_one_of(text, CODES) == "public_safety"


@pytest.mark.parametrize("text", ["", "safety", "public safety and parking", "not public safety"])
def test_anything_near_is_not_guessed_at(text):
    assert is_one_of(text, CODES) is None


def test_a_question_lists_the_answers_that_settle_it():
    asked = choices(question("asset.purpose"), CODES)
    assert asked.ask.en.endswith("[public safety; bare code]")
    assert asked.ask.fr.endswith("[sécurité publique; bare code]")
    assert named("public_safety", CODES) == ("public safety", "sécurité publique")


@pytest.mark.parametrize("field", ["mac", "dhcp.hostname", "dhcp.vendor_class", "device.model"])
def test_what_somebody_typed_into_a_list_is_no_look_and_what_a_machine_saw_is(world, field):
    from dataclasses import replace

    from auditor.model.observation import Observation, Origin

    listed = world.device("Axis", looked=False, manufacturer="Axis")
    seen = Observation(field, "00:40:8c:00:61:03")
    typed = replace(listed.device.sightings[0], observation=seen)
    for origin, looked in ((Origin.FILE, False), (Origin.SIGHTING, True)):
        device = replace(listed.device, sightings=(replace(typed, origin=origin),))
        one = replace(listed, device=device)
        assert looked_at(Case(one, Coverage(), world.today)) is looked
