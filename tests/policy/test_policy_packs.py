"""Reading packs: everything wrong at once, each with its line; what a reader is told of one."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.errors import DataError
from auditor.policy.packs import check_pack, load_packs, summary
from auditor.policy.toml_lines import key_lines, line_of

HOME = Path(__file__).parents[2] / "auditor" / "data" / "packs"
MODEL = (HOME / "ca-gc-hikvision-2025.toml").read_text("utf-8")
TODAY = date(2026, 11, 23)


def written(folder, old="", new="", name="ca-gc-hikvision-2025.toml", text=MODEL):
    """A copy of a good pack with one thing changed."""
    assert old in text
    path = folder / name
    path.write_text(text.replace(old, new, 1) if old else text, "utf-8")
    return path


def line(text, needle):
    return next(at for at, row in enumerate(text.splitlines(), 1) if needle in row)


def test_a_folder_and_a_file_give_the_same_packs():
    every = load_packs([HOME])
    assert [pack.id for pack in every] == sorted(path.stem for path in HOME.glob("*.toml"))
    (one,) = load_packs([HOME / "ca-qc-mcn-2023.toml"])
    assert one in every


def test_two_packs_of_one_name_are_a_mistake(tmp_path):
    written(tmp_path, name="a.toml")
    written(tmp_path, name="b.toml")
    with pytest.raises(DataError) as caught:
        load_packs([tmp_path])
    assert "stands in" in caught.value.why
    assert "a.toml" in caught.value.why


def test_all_mistakes_of_all_files_come_at_once_with_their_lines(tmp_path):
    broken = (
        MODEL.replace('status = "in_force"', 'status = "maybe"')
        .replace('fr = "Interdiction', 'french = "Interdiction')
        .replace('purchase = "prohibited"', 'purchase = "forbidden"')
        .replace('check = "listed_maker"', 'check = "listed_makers"')
    )
    written(tmp_path, text=broken, name="a.toml")
    (tmp_path / "b.toml").write_text('schema = "policy-pack/1"\nid = \n', "utf-8")
    with pytest.raises(DataError) as caught:
        load_packs([tmp_path])
    told = caught.value.why
    for needle in (
        'status = "maybe"',
        "[title]",
        'purchase = "forbidden"',
        'check = "listed_makers"',
    ):
        assert f"a.toml:{line(broken, needle)}: " in told, needle
    assert "b.toml:2: is no TOML" in told
    assert caught.value.what.startswith(str(len(told.splitlines())))


@pytest.mark.parametrize(("old", "new", "where", "complaint"), [
    pytest.param('version = "1"', 'version = "1"\ncolour = "red"', "colour", "no such key", id="unknown-key"),
    pytest.param('subsidiary = "review"', 'subsidary = "review"', "[[rule]]", "subsid", id="misspelt-tie"),
    pytest.param('oem_rebrand = "review"', 'oem_rebrand = "nonconforming"', "[[rule]]",
                 "cannot be nonconforming", id="a-relabel-is-never-prohibited"),
    pytest.param('action = "use"', 'action = "use"\n[rule.params]\nafter = 2020-01-01', "after =",
                 "no such key", id="a-parameter-of-another-check"),
    pytest.param("as_of = 2026-11-23", 'as_of = "soon"', "as_of", "date", id="no-date"),
    pytest.param("because = { en = \"Made by {entity}, whose", "because = { en = \"Made by {maker}, whose",
                 "[rule.words.listed]", "blanks of the two languages differ", id="blanks-differ"),
    pytest.param("Plan its removal", "Plan {its removal", "[rule.words.listed]", "a blank is written",
                 id="a-brace-that-is-no-blank"),
    pytest.param("[rule.words.listed]", "[rule.words.listd]", "[[rule]]", "no words for the reason 'listed'",
                 id="a-reason-without-words"),
    pytest.param("[rule.words.subsidiary]", "[rule.words.sister]", "[rule.words.sister]",
                 "never gives that reason", id="words-for-no-reason"),
    pytest.param('confidence = "H"', "", "[[source]]", "confidence", id="a-source-without-grade"),
])  # fmt: skip
def test_a_mistake_is_named_and_pointed_at(tmp_path, old, new, where, complaint):
    path = written(tmp_path, old, new)
    mistakes = check_pack(path, TODAY)
    hits = [m for m in mistakes if complaint in m.text]
    assert hits, mistakes
    text = path.read_text("utf-8")
    lines = {at for at, row in enumerate(text.splitlines(), 1) if where in row}
    assert hits[0].line in lines
    assert hits[0].grave


@pytest.mark.parametrize(("old", "new", "complaint"), [
    pytest.param('expect = "undetermined"\nreason = "maker_unknown"', 'expect = "review"\nreason = "probable"',
                 "the rule says undetermined", id="a-case-that-does-not-hold"),
    pytest.param('maker = "Dahua"\nexpect = "conforming"\nreason = "other_maker"',
                 'standing = "unknown"\nexpect = "undetermined"\nreason = "maker_unknown"',
                 "no case that comes to conforming", id="a-verdict-without-a-case"),
    pytest.param('[[case]]\nrule = "use"', '[[case]]\nrule = "abuse"', "does not have", id="a-case-of-no-rule"),
    pytest.param('renew = "undetermined"', "", "renew is not said", id="an-action-left-out"),
    pytest.param('export = "not', 'exports = "not', "no such action", id="an-action-that-is-none"),
    pytest.param("review_by = 2027-05-23", "review_by = 2026-01-01", "after as_of", id="reviewed-before-written"),
    pytest.param("in_force = 2025-06-27", "", "judge nothing", id="in-force-without-a-day"),
    pytest.param('confidence = "H"', 'confidence = "MEM"', "no source", id="a-memory-is-no-source"),
    pytest.param("read = 2026-11-23", "read = 2031-01-01", "has not come", id="read-in-the-future"),
])  # fmt: skip
def test_lint_finds_what_a_reader_alone_does_not(tmp_path, old, new, complaint):
    found = check_pack(written(tmp_path, old, new), TODAY)
    assert any(complaint in mistake.text for mistake in found), found


def test_a_pack_past_its_review_is_warned_of_and_works(tmp_path):
    path = written(tmp_path)
    late = date(2028, 1, 1)
    (mistake,) = check_pack(path, late)
    assert not mistake.grave
    (pack,) = load_packs([path])
    assert summary(pack, late).overdue


def test_a_missing_or_unreadable_file_is_a_mistake_like_another(tmp_path):
    latin = tmp_path / "latin.toml"
    latin.write_bytes("title = 'arrêté'".encode("latin-1"))
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * 3_000_000)
    with pytest.raises(DataError) as caught:
        load_packs([tmp_path / "nowhere.toml", latin, huge])
    assert caught.value.why.count("cannot be read") == 3


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, len(MODEL) - 1), st.integers(1, 200), st.text(max_size=10))
def test_a_damaged_file_gives_mistakes_and_never_another_error(tmp_path, at, count, noise):
    path = tmp_path / "damaged.toml"
    path.write_text(MODEL[:at] + noise + MODEL[at + count :], "utf-8")
    for mistake in check_pack(path, TODAY):
        assert mistake.line >= 1
        assert mistake.text


def test_lines_are_found_in_tables_arrays_and_long_values():
    text = '\n'.join([
        "# head", "[a]", 'x = """', "y = 1", '"""', "z = [", "  1,", "]", "", "[[b]]", "n = 1",
        "[b.c]", "m = {p = 1}", "[[b]]", "'q r'.s = 2",
    ])  # fmt: skip
    lines = key_lines(text)
    assert lines[("a", "x")] == 3
    assert ("a", "y") not in lines
    assert lines[("a", "z")] == 6
    assert lines[("b", 0, "c", "m")] == 13
    assert lines[("b", 1)] == 14
    assert lines[("b", 1, "q r", "s")] == 15
    assert line_of(("b", 0, "c", "m", "p"), lines) == 13
    assert line_of(("nowhere",), lines) == 1


def test_a_summary_says_what_is_unconfirmed_and_how_sure_the_sources_are(world):
    told = summary(world.packs["ca-qc-mcn-2023"], TODAY)
    assert told.status == "in_force"
    assert dict(told.actions)["use"] == "prohibited"
    assert dict(told.actions)["purchase"] == "not_addressed"
    assert any("arrêté" in text.fr for text in told.unconfirmed)
    assert {source.confidence for source in told.sources} == {"H", "M"}
    assert len(told.sha256) == 64
    assert summary(world.packs["eu-csa2"], TODAY).status == "proposed"


def known_companies():
    from auditor.policy.lint import Names

    known = {"hikvision": "Hikvision", "hik vision": "Hikvision", "dahua": "Dahua"}
    near = lambda name: ("Hikvision",) if name.startswith("Hik") else ()
    return Names(lambda name: known.get(name.casefold()), near)


@pytest.mark.parametrize(("name", "complaint", "grave"), [
    pytest.param("Hikvison", "is Hikvision meant?", False, id="a-letter-is-missing"),
    pytest.param("Zzyzx", "no maker or brand that is known", False, id="nobody-is-called-so"),
    pytest.param("HIKVISION", "is called 'Hikvision' here", True, id="another-spelling"),
])  # fmt: skip
def test_a_company_that_no_device_can_be_tied_to_is_told_with_its_line(
    tmp_path, name, complaint, grave
):
    path = written(tmp_path, 'name = "Hikvision"', f'name = "{name}"')
    found = [m for m in check_pack(path, TODAY, known_companies()) if complaint in m.text]
    assert [m.grave for m in found] == [grave]
    assert found[0].line == line(path.read_text("utf-8"), f'name = "{name}"')
    assert not any(complaint in m.text for m in check_pack(path, TODAY))


def test_a_pack_about_companies_that_are_known_is_warned_of_nothing(tmp_path):
    assert check_pack(written(tmp_path), TODAY, known_companies()) == ()
