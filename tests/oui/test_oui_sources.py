"""Reading public copies of the registries, and refusing those that lose a covered vendor."""

import contextlib
import gzip
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import auditor
from auditor.errors import DataError
from auditor.identify import oui_sources
from auditor.identify.oui_sources import Provenance, compare, merge, read, render, update
from auditor.identify.registry import Registry, verify

ROOT = Path(auditor.__file__).parent.parent
MANUF = """# comment
00:00:00         \t00:00:00    \tOfficially Xerox, but 0:0:0:0:0:0 is more common
00:AA:00         \tAcme        \tAcme Cameras Ltd.
00:AA:01:20:00:00/28\tAcorn\tAcorn Vision Co.,Ltd
00:1B:C5:00:00/36\tConverging\tConverging Systems Inc.
00:AA:01:AF:A0:00/36\tAcme\tAcme  Cameras\tLtd.
nonsense
"""
IEEE = """\ufeffRegistry,Assignment,Organization Name,Organization Address
MA-L,00AA00,"Acme Cameras Ltd.","1 Street
Town"
MA-L,00AA02,Initech Networks Inc ,Somewhere
MA-L,XYZ,Broken,
"""
ACME = frozenset({"acmecamerasltd"})
MADE = Provenance("a test", date(2026, 5, 6), "f" * 64, "none")


def test_wiresharks_manuf_has_all_three_lengths():
    copy = read(MANUF.encode())
    assert copy.kind == "manuf"
    assert copy.rows[24, 0x00AA00] == "Acme Cameras Ltd."
    assert copy.rows[28, 0x00AA012] == "Acorn Vision Co.,Ltd"
    assert copy.rows[36, 0x001BC5000] == "Converging Systems Inc."
    assert copy.rows[36, 0x00AA01AFA] == "Acme Cameras Ltd."
    assert copy.refused == 1


def test_ieees_csv_has_one_length_and_quoted_newlines():
    copy = read(IEEE.encode())
    assert (copy.kind, copy.widths, copy.refused) == ("ieee_csv", {24}, 1)
    assert copy.rows == {
        (24, 0x00AA00): "Acme Cameras Ltd.",
        (24, 0x00AA02): "Initech Networks Inc",
    }


def test_our_own_form_and_a_zipped_one_are_read_too():
    rows = read(MANUF.encode()).rows
    assert read(render(rows)).rows == rows
    assert read(gzip.compress(MANUF.encode())).rows == rows


@pytest.mark.parametrize(
    "raw",
    [b"", b"hello", b"\x00" * 100, b"<html>403</html>", b"\x1f\x8bnot gzip", b"Registry,Assignment\n",
     b"Registry,Assignment,Organization Name\nMA-L,XX,Nobody\n", b'Registry,Assignment,Organization Name\n"'],
)  # fmt: skip
def test_what_is_no_registry_is_refused(raw):
    with pytest.raises(DataError):
        read(raw)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_registry_or_a_clear_error(raw):
    with contextlib.suppress(DataError):
        assert read(raw).rows


names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
keys = st.one_of(
    st.tuples(st.just(24), st.integers(0, (1 << 24) - 1)),
    st.tuples(st.just(28), st.integers(0, (1 << 28) - 1)),
    st.tuples(st.just(36), st.integers(0, (1 << 36) - 1)),
)


@given(st.dictionaries(keys, names, min_size=1, max_size=20))
def test_what_is_written_is_read_back(rows):
    assert read(render(rows)).rows == rows


def test_a_name_full_of_controls_stays_one_line():
    copy = read("00:AA:00\tA\tAc\x07me\u202e\u2028 Ltd\n".encode())
    assert copy.rows[24, 0x00AA00] == "Ac me Ltd"
    assert render(copy.rows).count(b"\n") == 1


def test_a_copy_of_one_length_replaces_only_that_length():
    old = {(24, 1): "Gone", (28, 2): "Stays"}
    assert merge(old, read(IEEE.encode())) == {
        (24, 0x00AA00): "Acme Cameras Ltd.",
        (24, 0x00AA02): "Initech Networks Inc",
        (28, 2): "Stays",
    }


def test_a_loss_of_a_covered_vendor_is_told_apart_from_other_losses():
    old = {(24, 0x00AA00): "ACME CAMERAS LTD", (24, 7): "Somebody else"}
    found = compare(old, {(24, 9): "New"}, ACME)
    assert (found.added, found.removed, found.lost) == (1, 2, ("00AA00/24 ACME CAMERAS LTD",))


@pytest.fixture
def shipped(tmp_path):
    folder = tmp_path / "shipped"
    folder.mkdir()
    rows = read(MANUF.encode()).rows
    tsv = render(rows)
    (folder / "vendors.tsv").write_bytes(tsv)
    made = Provenance("the package", date(2026, 1, 2), "0" * 64, "none")
    (folder / "SOURCES.toml").write_text(oui_sources.sources_toml(tsv, (made,), made.day), "utf-8")
    return folder


def test_an_update_is_written_elsewhere_and_says_where_it_comes_from(shipped, tmp_path):
    into = tmp_path / "own"
    done = update(MANUF.replace("Ltd.", "Limited").encode(), MADE, shipped, into, ())
    assert (done.kind, done.rows) == ("manuf", 5)
    assert verify(into)
    assert Registry(into).status.day == date(2026, 5, 6)
    assert Registry(into).registrant(0x00AA00000001) == "Acme Cameras Limited"
    assert Registry(shipped).registrant(0x00AA00000001) == "Acme Cameras Ltd."
    assert sorted(path.name for path in into.iterdir()) == ["SOURCES.toml", "vendors.tsv"]


def test_an_update_of_one_length_is_as_old_as_its_oldest_part(shipped, tmp_path):
    update(IEEE.encode(), MADE, shipped, tmp_path / "own", ())
    assert Registry(tmp_path / "own").status.day == date(2026, 1, 2)
    told = tomllib.loads((tmp_path / "own" / "SOURCES.toml").read_text())
    assert [entry["source"] for entry in told["input"]] == ["a test", "the package"]


def test_an_update_that_loses_a_covered_vendor_is_refused_and_writes_nothing(shipped, tmp_path):
    worse = "\n".join(line for line in MANUF.splitlines() if "Acme" not in line).encode()
    with pytest.raises(DataError, match="lacks 2 blocks"):
        update(worse, MADE, shipped, tmp_path / "own", ACME)
    assert not (tmp_path / "own").exists()
    assert update(worse, MADE, shipped, tmp_path / "own", ACME, force=True).comparison.lost


def test_the_shipped_copy_reads_the_same_from_a_hostile_source_line(shipped, tmp_path):
    made = Provenance('a "quoted"\n[registry]\nrows = 9', date(2026, 1, 2), "0", "x\\y")
    update(MANUF.encode(), made, shipped, tmp_path / "own", ())
    assert Registry(tmp_path / "own").status.rows == 5


def test_refresh_builds_the_same_files_twice_and_fails_on_a_loss(tmp_path):
    copy = tmp_path / "checkout"
    (copy / "oui_data").mkdir(parents=True)
    (copy / "auditor").symlink_to(ROOT / "auditor")
    script = copy / "oui_data" / "refresh.py"
    script.write_bytes((ROOT / "oui_data" / "refresh.py").read_bytes())
    whole = ROOT / "oui_data" / "vendors.tsv"

    def refresh(*arguments):
        words = [sys.executable, str(script), *map(str, arguments), "--day", "2026-01-02"]
        return subprocess.run(words, capture_output=True, text=True, timeout=60)

    assert refresh(whole).returncode == 0
    first = (copy / "oui_data" / "vendors.tsv").read_bytes()
    assert first == whole.read_bytes()
    assert refresh(whole, "--check", whole).returncode == 0
    worse = tmp_path / "worse.tsv"
    lines = first.splitlines(keepends=True)
    worse.write_bytes(b"".join(line for line in lines if b"Hikvision" not in line))
    failed = refresh(worse)
    assert failed.returncode == 1
    assert "lost:" in failed.stderr
    assert (copy / "oui_data" / "vendors.tsv").read_bytes() == first
