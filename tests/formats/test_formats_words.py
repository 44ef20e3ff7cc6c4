"""English and French say the same things, in the typography of each."""

import re
import tomllib
from datetime import UTC, date, datetime

import pytest

from auditor.errors import DataError
from auditor.formats.words import NARROW, Phrases, load_words, typeset_french

BLANK = re.compile(r"\{(\w+)\}")


@pytest.fixture
def english(words):
    return Phrases("en", words["en"], "America/Toronto")


@pytest.fixture
def french(words):
    return Phrases("fr", words["fr"], "America/Toronto")


def test_both_languages_have_the_same_keys_and_the_same_blanks(words):
    assert set(words["en"]) == set(words["fr"])
    for key, text in words["en"].items():
        if not key.endswith(".one"):
            assert set(BLANK.findall(text)) == set(BLANK.findall(words["fr"][key])), key


def test_a_missing_word_is_an_error_that_names_it(tmp_path):
    (tmp_path / "words").mkdir()
    (tmp_path / "words/en.toml").write_text('[page]\nskip = "Skip"\nonly = "x"\n')
    (tmp_path / "words/fr.toml").write_text('[page]\nskip = "Aller"\n')
    with pytest.raises(DataError, match="missing") as caught:
        load_words(tmp_path)
    assert "fr: page.only" in caught.value.why


def test_damaged_words_are_an_error(tmp_path):
    (tmp_path / "words").mkdir()
    (tmp_path / "words/en.toml").write_text("[page")
    with pytest.raises(DataError, match=r"en\.toml"):
        load_words(tmp_path, ("en",))


def test_french_punctuation_has_its_narrow_spaces(words):
    for key, text in words["fr"].items():
        assert not re.search(r"[^\s\u202f][;!?»%]|\w:(?!/)", text.replace("&nbsp;", "")), (
            key,
            text,
        )
        assert not re.search(r" [;:!?»%]|« ", text), (key, text)


def test_english_and_french_are_not_the_same_words(words):
    same = {key for key, text in words["en"].items() if text == words["fr"][key] and len(text) > 3}
    harmless = {
        "page.version", "sign.date", "sign.signature", "scope.sha256", "scope.signed", "data.version", "data.versions",
        "device.sources", "rules.sources", "rules.as_of", "decision.exemption", "glossary.sadp.name", "glossary.sha.name",
        "glossary.pack.name", "glossary.exemption.name", "standing.probable.name", "subject.pack", "dataset.packs",
        "exceptions.document", "annexes.title", "exceptions.count.one", "exceptions.count.other",
    }  # fmt: skip
    assert same <= harmless, same - harmless


@pytest.mark.parametrize(
    ("text", "typeset"),
    [
        ("Qui ?", f"Qui{NARROW}?"),
        ("« mot »", f"«{NARROW}mot{NARROW}»"),
        ("Règle : 5 %", f"Règle{NARROW}: 5{NARROW}%"),
        ("https://x.ca", "https://x.ca"),
    ],
)
def test_spaces_before_signs(text, typeset):
    assert typeset_french(text) == typeset


def test_numbers_and_days_follow_each_language(english, french):
    assert english.number(1234567) == "1,234,567"
    assert french.number(1234567) == f"1{NARROW}234{NARROW}567"
    assert english.day(date(2026, 12, 1)) == "1\u00a0December\u00a02026"
    assert french.day(date(2026, 12, 1)) == "1er\u00a0décembre\u00a02026"
    assert english.day(None) == "none"


def test_moments_stand_in_the_zone_of_the_report(english, french):
    moment = datetime(2026, 11, 24, 1, 5, tzinfo=UTC)
    assert english.moment(moment) == "23\u00a0November\u00a02026, 20:05\u00a0EST"
    assert french.moment(moment) == f"23\u00a0novembre\u00a02026, 20{NARROW}h{NARROW}05\u00a0EST"


def test_french_counts_zero_as_one(english, french):
    assert "0 devices" in english.plural("answer.bad", 0)
    assert "0 appareil n" in french.plural("answer.bad", 0)


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 9, "0%"), (1, 900, "1%"), (899, 900, "99%"), (9, 9, "100%"), (0, 0, "0%")],
)
def test_a_share_never_rounds_something_away(english, part, whole, said):
    assert english.percent(part, whole) == said


def test_what_fills_a_blank_is_escaped_and_its_tricks_are_shown(english):
    said = english.say("evidence.http.server", value="<script>\x1b[2J\u202e")
    assert "<script>" not in said
    assert "&lt;script&gt;\\x1b[2J\\u202e" in said


def test_a_blank_without_a_value_is_a_defect(english):
    with pytest.raises(DataError, match="no value"):
        english.say("page.version")


def test_lists_end_with_and(english, french):
    assert english.listing(["a", "b", "c"]) == "a, b and c"
    assert french.listing(["a", "b"]) == "a et b"
    assert english.listing([]) == ""


def test_the_files_hold_plain_text_only(resources):
    for name in ("en", "fr"):
        text = (resources / "words" / f"{name}.toml").read_text("utf-8")
        assert "<" not in text
        tomllib.loads(text)
