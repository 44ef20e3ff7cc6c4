"""What a jailed reader says arrives as it was said; what it forges is refused."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.commands.ahead import ahead
from auditor.commands.item_lines import decoded, encoded
from auditor.commands.mappings import keep, saved, spoken
from auditor.commands.refusals import Refusals
from auditor.commands.versions import Versions
from auditor.errors import DataError, LedgerError, UsageError
from auditor.model.block import Block
from auditor.model.observation import (
    Attempt,
    Endpoint,
    Observation,
    Origin,
    Outcome,
    StoredAttempt,
)
from auditor.plugins import Mapped, Noted, Rejected

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TEXTS = st.text(st.characters(), max_size=20)
MAYBE = st.one_of(st.none(), TEXTS)
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))]))
ENDS = st.builds(
    Endpoint,
    MAYBE,
    MAYBE,
    st.integers(0, 65_535),
    TEXTS,
    st.one_of(st.none(), st.integers(1, 4_094)),
)
SEEN = st.lists(st.builds(Observation, TEXTS, TEXTS, st.binary(max_size=9)), max_size=3).map(tuple)
ATTEMPTS = st.builds(
    Attempt, TEXTS, ENDS, st.sampled_from(Outcome), SEEN, MOMENTS, st.just(0.0), TEXTS,
    st.sampled_from(Origin),
)  # fmt: skip
OTHERS = st.one_of(
    st.builds(Rejected, st.integers(0), TEXTS, TEXTS),
    st.builds(Noted, st.integers(0), TEXTS),
    st.builds(Mapped, TEXTS, MAYBE, st.integers(0, 100), st.booleans(), TEXTS),
)


def through(*items):
    return list(decoded(encoded(item).encode() for item in items))


@given(st.lists(st.one_of(ATTEMPTS, OTHERS), max_size=4))
def test_every_item_arrives_as_it_was_sent(items):
    assert through(*items) == items


@given(st.one_of(ATTEMPTS, OTHERS))
def test_an_item_is_one_line_whatever_it_holds(item):
    line = encoded(item)
    assert line.isascii() and len(line.splitlines()) == 1


@given(
    st.lists(st.tuples(MAYBE, MAYBE, TEXTS, st.lists(MAYBE, min_size=2, max_size=2)), max_size=4)
)
def test_a_block_stands_for_the_same_attempts_on_both_sides(records):
    block = Block("csv", ("asset.tag", "asset.name"), records, NOON)
    (arrived,) = through(block)
    assert list(arrived.attempts()) == list(block.attempts())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b'["bomb"]',
        b'["rejected"]',
        b'["attempt", 1, 2]',
        b'["mapped", "a", "b", 1, false, "r", "more"]',
        b'["attempt", "t", [null,null,0,"file",null], "lied", [], "2026-01-01T00:00:00Z", "", "file"]',
        b'["attempt", "t", [null,null,0,"file",null], "answered", [], "2026-01-01", "", "file"]',
        b'["block", "t", ["a"], [[1,2,3,[]]], "2026-01-01T00:00:00Z", "answered", "file", "f", 0]',
        b'["noted", 1, "cut sh',
        b"\xff\xfe",
        b"[" * 50_000,
    ],
)
def test_a_line_that_no_reader_of_ours_writes_is_refused(line):
    """A child that was taken over says what it likes; the parent must survive it."""
    with pytest.raises(DataError):
        list(decoded([line]))


# ---------------------------------------------------------------- reading ahead


def test_what_is_read_ahead_comes_in_order_and_whole():
    with ahead(range(1_000)) as items:
        assert list(items) == list(range(1_000))


def test_what_fails_while_it_is_read_fails_for_who_reads_after_what_was_good():
    def broken():
        yield 1
        raise DataError("line 2 is damaged")

    taken = []
    with pytest.raises(DataError, match="line 2"), ahead(broken()) as items:
        taken.extend(items)
    assert taken == [1]


def test_who_stops_early_ends_an_endless_source():
    def endless():
        while True:
            yield b"x"

    with ahead(endless()) as items:
        assert next(items) == b"x"


def test_a_writer_that_fails_is_not_held_up_by_the_reader():
    def write():
        with ahead(range(10**9)) as items:
            raise LedgerError(f"full at {next(items)}")

    with pytest.raises(LedgerError, match="full at 0"):
        write()


# ---------------------------------------------------------------- mappings


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "auditor" / "maps"


@given(st.dictionaries(st.text(min_size=1, max_size=9).filter(str.strip), TEXTS, max_size=4))
def test_a_mapping_that_was_spoken_holds_what_was_said(table):
    table = {head.strip(): field.replace("=", "").strip() for head, field in table.items()}
    assert spoken(tuple(f"{head}={field}" for head, field in table.items())) == table


def test_a_heading_may_hold_an_equals_sign():
    assert spoken(("a=b=asset.tag",)) == {"a=b": "asset.tag"}


@pytest.mark.parametrize("text", ["", "asset.tag", "=asset.tag", "  =x"])
def test_a_mapping_of_nothing_is_refused(text):
    with pytest.raises(UsageError):
        spoken((text,))


def test_a_mapping_is_kept_replaced_and_found_again(home):
    keep("hq", {"Numéro": "asset.tag"})
    keep("hq", {"Étiquette": "asset.tag"})
    assert saved("hq") == {"Étiquette": "asset.tag"}
    assert [path.name for path in home.iterdir()] == ["hq.json"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 65, "a\0", "é", "a\n"])
def test_a_name_that_leads_elsewhere_is_no_name(home, name):
    with pytest.raises(UsageError):
        keep(name, {})
    with pytest.raises(UsageError):
        saved(name)


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', "nonsense", "null", "\ufeff{}"])
def test_a_mapping_that_somebody_damaged_is_said_so(home, text):
    home.mkdir(parents=True)
    (home / "hq.json").write_text(text)
    with pytest.raises(DataError):
        saved("hq")


def test_one_that_was_never_kept_is_answered_with_those_that_were(home):
    keep("hq", {})
    with pytest.raises(UsageError) as refused:
        saved("annex")
    assert "hq" in refused.value.why


# ---------------------------------------------------------------- what was not taken


def test_nothing_refused_leaves_no_file(tmp_path):
    with_none = Refusals("list.csv", tmp_path, write=True)
    assert with_none.keep() is None
    assert not list(tmp_path.iterdir())


def test_refusals_that_are_forgotten_leave_no_file(tmp_path):
    kept = Refusals("list.csv", tmp_path, write=True)
    kept.add(Rejected(3, "no address", "row"))
    kept.forget()
    assert not list(tmp_path.iterdir())


def test_a_link_that_waits_in_the_folder_is_not_written_through(tmp_path):
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "list.csv.rejected.csv").symlink_to(target)
    kept = Refusals("list.csv", tmp_path, write=True)
    kept.add(Rejected(1, "why", "=cmd()"))
    path = kept.keep()
    assert target.read_text() == "precious"
    assert not path.is_symlink() and "'=cmd()" in path.read_text("utf-8-sig")


def test_a_folder_that_is_gone_is_told_as_what_it_costs(tmp_path):
    kept = Refusals("list.csv", tmp_path / "gone", write=True)
    with pytest.raises(LedgerError, match="cannot write") as refused:
        kept.add(Noted(1, "why"))
    assert "nothing of the file was imported" in refused.value.why


def test_counts_go_on_and_the_first_ten_are_kept(tmp_path):
    kept = Refusals("list.csv", tmp_path, write=False)
    for line in range(25):
        kept.add(Noted(line, "n") if line % 5 else Rejected(line, "r"))
    assert (kept.refused, kept.noted, len(kept.first)) == (5, 20, 10)
    assert kept.keep() is None


# ---------------------------------------------------------------- versions of a list


def row(ip=None, mac=None, **said):
    seen = tuple(Observation(f"asset.{name}", value) for name, value in said.items())
    return Attempt("csv", Endpoint(ip, mac), Outcome.ANSWERED, seen, NOON, origin=Origin.FILE)


def compared(before, after):
    stored = [StoredAttempt(n, "r1", "OTT", attempt) for n, attempt in enumerate(before, 1)]
    versions = Versions(stored, "r1")
    assert list(versions.counted(after)) == list(after)
    return versions.changes()


def counts(new=0, changed=0, same=0, gone=0):
    return {"new": new, "changed": changed, "same": same, "gone": gone}


def test_a_list_that_did_not_change_changes_nothing():
    rows = [row("10.0.0.1", serial="S1"), row("10.0.0.2", tag="T2")]
    assert compared(rows, rows) == counts(same=2)


def test_a_camera_that_moved_is_known_by_its_serial_number():
    assert compared([row("10.0.0.1", serial="S1")], [row("10.0.0.9", serial="S1")]) == counts(
        changed=1
    )


def test_what_left_the_list_is_gone_and_what_came_is_new():
    assert compared([row("10.0.0.1")], [row("10.0.0.2")]) == counts(new=1, gone=1)


def test_two_rows_of_one_address_that_did_not_change_are_not_new():
    """A table of leases or of a router names an address once for each time it was lent."""
    rows = [row("10.0.0.1", name="door"), row("10.0.0.1", name="lot")]
    assert compared(rows, rows) == counts(same=2)
    assert compared(rows, rows[::-1]) == counts(same=2)


def test_one_of_two_rows_that_left_is_gone():
    rows = [row("10.0.0.1", name="door"), row("10.0.0.1", name="lot")]
    assert compared(rows, rows[:1]) == counts(same=1, gone=1)


def test_a_long_list_of_rows_without_any_key_is_compared_at_once():
    rows = [row(room=str(n)) for n in range(20_000)]
    assert compared(rows, rows[::-1]) == counts(same=20_000)


def test_without_an_earlier_version_nothing_is_compared():
    versions = Versions(())
    assert list(versions.counted([row("10.0.0.1")]))
    assert versions.changes() == {}


@given(st.lists(st.tuples(st.sampled_from(["10.0.0.1", "10.0.0.2"]), st.sampled_from("ab")), max_size=6),
       st.lists(st.tuples(st.sampled_from(["10.0.0.1", "10.0.0.2"]), st.sampled_from("ab")), max_size=6))  # fmt: skip
def test_every_row_of_both_versions_is_counted_once(before, after):
    old, new = ([row(ip, name=name) for ip, name in rows] for rows in (before, after))
    found = compared(old, new)
    assert found["new"] + found["changed"] + found["same"] == len(new)
    assert found["gone"] + found["changed"] + found["same"] == len(old)
    assert json.dumps(found)
