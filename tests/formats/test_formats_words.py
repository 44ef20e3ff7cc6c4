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
        "exceptions.document", "jurisdiction.CA", "jurisdiction.US-TX", "tool.nmap", "annexes.title", "card.port", "card.ports", "exceptions.count.one", "exceptions.count.other",
    }  # fmt: skip
    assert same <= harmless, same - harmless


@pytest.mark.parametrize(
    ("text", "typeset"),
    [
        ("Qui ?", f"Qui{NARROW}?"),
        ("« mot »", f"«{NARROW}mot{NARROW}»"),
        ("Règle : 5 %", f"Règle{NARROW}: 5{NARROW}%"),
        ("https://x.ca", "https://x.ca"),
        ("Trouvé; rien: 14:05!", f"Trouvé{NARROW}; rien{NARROW}: 14:05{NARROW}!"),
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


def codes():
    """Every code that another room may put into a report."""
    from typing import get_args

    from auditor.model.decision import DecisionKind
    from auditor.model.device import Reach
    from auditor.model.identity import TRAITS, Standing, Strength
    from auditor.model.observation import Outcome
    from auditor.model.policy import Verdict
    from auditor.policy.pack import ACTIONS, State, Status

    yield from (f"verdict.{one.value}.name" for one in Verdict)
    yield from (f"reach.{one.value}.means" for one in Reach)
    yield from (f"standing.{one.value}.means" for one in Standing)
    yield from (f"strength.{one.value}.means" for one in Strength)
    yield from (f"outcome.{one.value}" for one in Outcome)
    yield from (f"decision.{one.value}" for one in DecisionKind)
    yield from (f"trait.{name}" for name in TRAITS)
    yield from (f"pack_status.{name}" for name in get_args(Status))
    yield from (f"action.{name}" for name in ACTIONS)
    yield from (f"action_is.{name}" for name in get_args(State))
    for name in (
        "camera",
        "recorder",
        "intercom",
        "access-control",
        "alarm",
        "network",
        "server",
        "telecom",
        "other",
    ):
        yield f"class.{name}"
    for name in (
        "active",
        "ends_soon",
        "ends_very_soon",
        "expired",
        "withdrawn",
        "exceeded",
        "void",
    ):
        yield f"exceptions.is.{name}"
    for name in (
        "matched",
        "not_in_books",
        "not_on_wire",
        "never_looked",
        "brand_differs",
        "channels_unaccounted",
        "ghost",
    ):
        yield from (f"reconcile_kind.{name}", f"reconcile_task.{name}")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_code_of_the_shared_types_has_words(words, language):
    assert [key for key in codes() if key not in words[language]] == []


def test_every_question_and_jurisdiction_that_is_shipped_has_words(words):
    import tomllib
    from pathlib import Path

    import auditor.data
    from auditor.plugins import Probe, Sweep, load

    tools = (*load("auditor.probes", "PROBE", Probe), *load("auditor.sweeps", "SWEEP", Sweep))
    missing = [tool.name for tool in tools if f"tool.{tool.name}" not in words["fr"]]
    packs = Path(auditor.data.__file__).parent / "packs"
    places = {
        tomllib.loads(path.read_text("utf-8"))["jurisdiction"] for path in packs.glob("*.toml")
    }
    missing += [place for place in sorted(places) if f"jurisdiction.{place}" not in words["fr"]]
    assert missing == []
