"""Questions asked of every shipped pack: a new file is asked them without further ado."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from auditor.model.policy import Text, Verdict
from auditor.policy.cases import play
from auditor.policy.packs import check_pack, load_packs, summary

HOME = Path(__file__).parents[2] / "auditor" / "data" / "packs"
PACKS = load_packs([HOME])
EACH = pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.id)
CASES = pytest.mark.parametrize(
    ("pack", "case"),
    [pytest.param(p, c, id=f"{p.id}:{c.rule}:{c.says}") for p in PACKS for c in p.raw.case],
)
ABOUT_MARKETS = {"import_marketing", "authorisation", "export"}


def texts(value):
    """Every Text inside a frozen value."""
    if isinstance(value, Text):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from texts(item)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from texts(getattr(value, name))


@CASES
def test_the_rule_says_of_the_case_what_the_pack_expects(pack, case):
    answer = play(pack, case)
    assert (answer.verdict, answer.reason) == (case.expect, case.reason)


@EACH
def test_the_file_has_no_mistake_on_the_day_on_which_it_was_written(pack):
    assert check_pack(Path(pack.path), pack.raw.as_of) == ()


@EACH
def test_every_verdict_that_a_rule_can_give_has_a_case(pack):
    for rule in pack.rules:
        able = frozenset().union(*rule.outcomes.values())
        assert able == {case.expect for case in pack.raw.case if case.rule == rule.id}


@EACH
def test_it_is_called_by_its_file_name(pack):
    assert Path(pack.path).stem == pack.id


@EACH
def test_it_says_where_it_stands_and_how_sure_that_is(pack):
    for source in pack.raw.source:
        assert source.url.startswith("https://") or source.url.startswith("http://")
        assert source.confidence in {"H", "M", "L"}
        assert source.read <= pack.raw.as_of


@EACH
def test_what_rests_on_weak_sources_is_carried_as_unconfirmed(pack):
    if not any(source.confidence == "H" for source in pack.raw.source):
        assert pack.raw.unconfirmed


@EACH
def test_the_two_languages_differ_and_neither_is_missing(pack):
    for text in texts(pack.raw):
        assert text.en.strip() and text.fr.strip()
        # a name may be the same in both languages; a sentence is translated
        assert text.en != text.fr or not text.en.endswith("."), text


@EACH
def test_french_is_set_as_french_is(pack):
    for text in texts(pack.raw):
        assert "'" not in text.fr, f"straight apostrophe: {text.fr}"
        assert ' "' not in text.fr, f"English quotation marks: {text.fr}"


@EACH
def test_a_past_review_is_warned_of_and_not_fatal(pack):
    late = pack.raw.review_by + timedelta(days=1)
    found = check_pack(Path(pack.path), late)
    assert [mistake.grave for mistake in found] == [False]
    assert summary(pack, late).overdue
    assert not summary(pack, pack.raw.review_by).overdue


@EACH
def test_a_rule_about_markets_never_forbids_the_use_of_what_is_installed(pack):
    for rule in pack.rules:
        if rule.action in ABOUT_MARKETS:
            able = frozenset().union(*rule.outcomes.values())
            assert Verdict.NONCONFORMING not in able
            for wording in rule.words.values():
                assert "illegal" not in (wording.because.en + wording.consequence.en).lower()


@EACH
def test_nobody_is_nonconforming_before_the_instrument_was_in_force(pack):
    start = pack.raw.dates.in_force
    if start is None:
        assert not pack.applies_on(date.max)
    else:
        assert not pack.applies_on(start - timedelta(days=1))
