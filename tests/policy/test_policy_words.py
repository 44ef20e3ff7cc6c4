"""Sentences with facts in them, in two languages, whatever a device says of itself."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.policy import Text
from auditor.policy.questions import NAMES, QUESTIONS, name_of, question
from auditor.policy.sentences import DEFAULTS
from auditor.policy.words import BLANK, STATUSES, both, fill, long_day


@pytest.mark.parametrize(("day", "english", "french"), [
    (date(2023, 12, 21), "21 December 2023", "21 décembre 2023"),
    (date(2024, 1, 1), "1 January 2024", "1er janvier 2024"),
    (date(2024, 8, 11), "11 August 2024", "11 août 2024"),
])  # fmt: skip
def test_days_are_written_as_each_language_writes_them(day, english, french):
    assert (long_day(day, "en"), long_day(day, "fr")) == (english, french)


def test_a_day_in_a_blank_is_written_out_and_a_year_is_left():
    said = fill(Text("on {day}", "le {day}"), (("day", "2023-12-21"),))
    assert said == Text("on 21 December 2023", "le 21 décembre 2023")
    assert fill(Text("in {day}", "en {day}"), (("day", "2023"),)).fr == "en 2023"


@pytest.mark.parametrize(("value", "english", "french"), [
    ("2024-02-02", "on 2 February 2024", "le 2 février 2024"),
    ("2024-08", "in August 2024", "en août 2024"), ("2024", "in 2024", "en 2024"),
])  # fmt: skip
def test_when_it_was_acquired_takes_its_preposition(value, english, french):
    said = fill(Text("{acquired}", "{acquired}"), (("acquired", value),))
    assert (said.en, said.fr) == (english, french)


@pytest.mark.parametrize("value", ["2023-02-31", "2023-99-01", "2023-1-1"])
def test_what_is_no_day_is_left_as_it_is(value):
    assert fill(Text("{day}", "{day}"), (("day", value),)).en == value


def test_a_kind_of_equipment_is_named_in_both_languages():
    said = fill(Text("a {class}", "une {class}"), (("class", "camera"),))
    assert said == Text("a video surveillance camera", "une caméra de vidéosurveillance")
    unknown = fill(Text("a {class}", "un {class}"), (("class", ""),))
    assert unknown == Text("a device of unknown kind", "un appareil de nature inconnue")


def test_a_fact_may_have_a_wording_for_each_language():
    said = fill(Text("for {fact}", "pour {fact}"), (("fact", both("safety", "la sécurité")),))
    assert said == Text("for safety", "pour la sécurité")


def test_a_blank_without_a_fact_is_a_dash():
    assert fill(Text("by {maker}.", "par {maker}."), ()) == Text("by —.", "par —.")


@given(st.text())
def test_what_a_device_says_is_never_read_as_a_template(value):
    said = fill(Text("[{maker}]", "[{maker}]"), (("maker", value), ("name", "SECRET")))
    assert "SECRET" not in said.en or "SECRET" in value


def test_a_fact_as_long_as_a_file_is_cut():
    assert len(fill(Text("{maker}", "{maker}"), (("maker", "x" * 10_000),)).en) < 300


@pytest.mark.parametrize("reason", sorted(DEFAULTS))
def test_every_common_sentence_is_whole_in_both_languages(reason):
    for text in DEFAULTS[reason]:
        assert text.en.endswith(".")
        assert text.fr.endswith(".")
        assert set(BLANK.findall(text.en)) == set(BLANK.findall(text.fr))
        assert "'" not in text.fr


@pytest.mark.parametrize("field", [*QUESTIONS, *(f"asset.{name}" for name in ("cost", "vlan")),
                                   "device.model", "device.serial"])  # fmt: skip
def test_every_question_says_what_is_asked_and_of_whom(field):
    asked = question(field)
    assert asked.field == field
    assert "?" in asked.ask.en
    assert "?" in asked.ask.fr
    assert asked.who.en and asked.who.fr
    assert asked.ask.en != asked.ask.fr


def test_french_sets_a_space_before_a_colon_and_none_before_a_question_mark():
    for text in (
        *(t for pair in DEFAULTS.values() for t in pair),
        *(q.ask for q in QUESTIONS.values()),
    ):
        assert not re.search(r"\w:\s", text.fr), text.fr
        assert not re.search(r"\s\?", text.fr), text.fr


def test_fields_have_names_and_others_are_called_by_their_own():
    assert name_of("asset.risk_assessment").fr == "analyse de risques"
    assert name_of("device.serial").en == "serial number"
    assert name_of("asset.switch_port").en == "switch port"
    assert all(name.en != name.fr for name in NAMES.values())


def test_every_state_of_an_instrument_has_a_word():
    from auditor.policy.pack import APPLIED, Status

    assert set(STATUSES) == set(Status.__args__)
    assert set(STATUSES) > APPLIED
