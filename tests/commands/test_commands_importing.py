"""The import command: files go in whole or not at all, once, and nothing secret goes in."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor.commands.ahead import ahead
from auditor.commands.doubts import settled
from auditor.commands.importing import Asked, run
from auditor.commands.setting import Setting
from auditor.commands.source_file import opened
from auditor.errors import UsageError
from auditor.importers.asset_csv import IMPORTER
from auditor.plugins import Options
from auditor.store.ledger import Ledger

SECRET = "Tr0ub4dor"
LIST = f"""Asset Tag;Name;IP Address;MAC Address;Serial Number;Purchase Date;Password;Notes
A1;Door;10.0.0.1;44:19:B6:00:00:01;SN-0001-X;2023-01-23;{SECRET};login: admin pwd={SECRET}
A2;Lot;10.0.0.2;1E+11;6.37E+15;03/04/2023;{SECRET};see http://admin:{SECRET}@10.0.0.2/
A3;short
A4;Hall;10.0.0.4;44:19:B6:00:00:04;SN-0004-X;;{SECRET};
"""


@pytest.fixture
def office(tmp_path, monkeypatch):
    """A working folder with a list in it; what a user keeps stays in it, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "kept"))
    (tmp_path / "list.csv").write_text(LIST)
    return tmp_path


@contextlib.contextmanager
def no_more_than_the_owner_may():
    """Put root's right to go round the rights of files aside (CAP_DAC_*, capabilities(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)
    before, less = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    assert libc.capget(head, before) == 0
    less[:] = [before[0] & ~0b110, *before[1:]]  # of the effective ones; they are permitted still
    assert libc.capset(head, less) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        assert libc.capset(head, before) == 0


def go(*files, db="sqlite:///auditor.db", **said):
    return run(Setting(db), Asked(tuple(map(Path, files)), **said))


def facts(db="sqlite:///auditor.db"):
    with Ledger.open(db) as ledger:
        return [stored.attempt for stored in ledger.attempts()]


def told(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_list_goes_in_and_the_counts_add_up(office, capsys):
    assert go("list.csv", json=True, site="hq") == 0
    (said,) = told(capsys)
    assert (said["taken"], said["refused"], said["noted"]) == (3, 1, 1)
    assert said["dropped"] == ["Password"]
    assert [a.detail for a in facts()] == ["list.csv:2", "list.csv:3", "list.csv:5"]


def test_what_was_not_taken_stands_in_a_file_with_line_and_reason(office):
    go("list.csv")
    rows = (office / "list.csv.rejected.csv").read_text("utf-8-sig").splitlines()
    assert rows[0] == "line,taken,reason,row"
    assert rows[1].startswith("4,no,") and "2 cells, but 8 headings" in rows[1]
    assert rows[2].startswith("3,in part,")


def test_no_secret_reaches_the_disk_or_the_screen(office, capsys):
    go("list.csv")
    go("list.csv", dry_run=True)
    go("list.csv", json=True)
    (office / "list.csv").unlink()
    for path in office.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    said = capsys.readouterr()
    assert SECRET not in said.out + said.err
    assert "secrets dropped" in said.out


def test_the_same_file_twice_changes_nothing(office, capsys):
    go("list.csv")
    before = facts()
    (office / "copy.csv").write_text(LIST)
    assert go("list.csv", "copy.csv") == 0
    assert facts() == before
    assert capsys.readouterr().out.count("already imported") == 2


def test_the_same_file_at_two_sites_is_two_imports(office):
    go("list.csv", site="north")
    go("list.csv", site="south")
    assert len(facts()) == 6


def test_a_newer_version_says_what_changed(office, capsys):
    go("list.csv")
    newer = LIST.replace("A1;Door", "A1;Front door").replace("A4;", "A5;").replace("0004", "0005")
    (office / "list.csv").write_text(newer.replace("00:04", "00:05"))
    capsys.readouterr()
    go("list.csv", json=True)
    (said,) = told(capsys)
    assert said["changes"] == {"new": 1, "changed": 1, "same": 1, "gone": 1}
    with Ledger.open("sqlite:///auditor.db") as ledger:
        assert "changed: 1" in ledger.runs()[-1].notes


def test_an_order_of_dates_settles_what_is_ambiguous(office):
    go("list.csv", dates="dmy")
    days = [o.value for a in facts() for o in a.observations if o.field == "asset.acquired"]
    assert days == ["2023-01-23", "2023-04-03"]
    with pytest.raises(UsageError):
        go("list.csv", dates="dym")


def test_a_dry_run_writes_nothing(office, capsys):
    before = sorted(office.rglob("*"))
    assert go("list.csv", dry_run=True) == 0
    assert sorted(office.rglob("*")) == before
    said = capsys.readouterr().out
    assert "DROPPED" in said
    assert "new" in said


def test_a_dry_run_says_row_by_row_what_would_become_of_it(office, capsys):
    go("list.csv")
    newer = LIST.replace("A1;Door", "A1;Front door").replace("A3;short", "A9;New;10.0.0.9;;;;;")
    (office / "list.csv").write_text(newer + "x\n")
    capsys.readouterr()
    go("list.csv", dry_run=True, json=True)
    found = {str(line.get("row")): line for line in told(capsys)}
    assert found["list.csv:2"]["is"] == "changed"
    assert found["list.csv:2"]["by"] == "mac=44:19:b6:00:00:01"
    assert found["list.csv:2"]["changes"] == {"asset.name": ["Door", "Front door"]}
    assert found["list.csv:4"]["is"] == "new"
    assert found["list.csv:5"]["is"] == "matched"
    assert found["6"]["is"] == "refused"


def test_a_mapping_can_be_said_kept_and_used_again(office, capsys):
    (office / "odd.csv").write_text("Ding,Zahl\nA1,SN-1234-X\nA2,SN-1235-X\n")
    assert go("odd.csv") == 2
    said = ("Ding=asset.tag", "Zahl=asset.serial")
    assert go("odd.csv", mapping=said, save_map="ours") == 0
    (office / "odd2.csv").write_text("Ding,Zahl\nA3,SN-1236-X\n")
    assert go("odd2.csv", use_map="ours") == 0
    assert [o.value for o in facts()[-1].observations] == ["A3", "SN-1236-X"]


@pytest.mark.parametrize("said", ["Name=asset.nothing", "Password=asset.notes"])
def test_a_mapping_to_nowhere_or_of_a_secret_is_refused(office, capsys, said):
    assert go("list.csv", mapping=(said,)) == 2
    assert "fix:" in capsys.readouterr().err
    assert not facts()


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_mapping_of_a_column_that_is_not_there_is_refused_with_the_nearest(
    office, capsys, dry_run
):
    assert go("list.csv", mapping=("Serail Number=asset.serial",), dry_run=dry_run) == 2
    assert "'Serial Number'" in capsys.readouterr().err
    assert dry_run or not facts()


def test_a_kept_mapping_may_name_columns_of_other_lists(office):
    (office / "odd.csv").write_text("Ding,Zahl\nA1,SN-1234-X\n")
    assert go("odd.csv", mapping=("Ding=asset.tag", "Zahl=asset.serial"), save_map="ours") == 0
    assert go("list.csv", use_map="ours") == 0


@pytest.mark.parametrize("said", ["nothing", "=asset.tag"])
def test_a_mapping_that_maps_nothing_is_refused(office, said):
    with pytest.raises(UsageError):
        go("list.csv", mapping=(said,))


def test_a_heading_that_is_nearly_known_is_taken_and_shown(office, capsys):
    (office / "near.csv").write_text("Asset Tag,Serial Numberr,Manufacturrer\nA1,SN-1234-X,Acme\n")
    go("near.csv", json=True)
    (said,) = told(capsys)
    shown = {c["column"]: (c["field"], c["score"]) for c in said["columns"]}
    field, score = shown["Serial Numberr"]
    assert field == "asset.serial" and 92 <= score < 100
    (office / "far.csv").write_text("Asset Tag,Serial Nebula\nA1,SN-1234-X\n")
    go("far.csv", json=True)
    (said,) = told(capsys)
    assert said["columns"][1]["field"] is None


class TestFilesThatCannotBeRead:
    """One bad file costs the others nothing; the reason is in words."""

    def refused(self, capsys, *files):
        assert go(*files) == 2
        said = capsys.readouterr()
        assert "error:" in said.err and "fix:" in said.err
        return said.err

    def test_a_file_that_is_not_there(self, office, capsys):
        assert "no such file" in self.refused(capsys, "gone.csv", "list.csv")
        assert len(facts()) == 3

    def test_a_folder(self, office, capsys):
        assert "is a folder" in self.refused(capsys, ".")

    def test_a_symbolic_link(self, office, capsys):
        (office / "link.csv").symlink_to("list.csv")
        assert "symbolic link" in self.refused(capsys, "link.csv")

    def test_a_pipe_does_not_hang(self, office, capsys):
        os.mkfifo(office / "pipe")
        assert "no plain file" in self.refused(capsys, "pipe")

    def test_a_file_of_no_known_kind(self, office, capsys):
        (office / "x.bin").write_bytes(bytes(range(256)) * 10)
        assert "no kind that is known" in self.refused(capsys, "x.bin")

    def test_an_empty_file(self, office, capsys):
        (office / "x.csv").write_bytes(b"")
        assert "it is empty" in self.refused(capsys, "x.csv")

    def test_a_file_that_may_not_be_read(self, office, capsys):
        (office / "list.csv").chmod(0)
        with no_more_than_the_owner_may():
            assert "permission denied" in self.refused(capsys, "list.csv")

    def test_a_kind_that_does_not_exist(self, office, capsys):
        assert go("list.csv", kind="nonsense") == 2
        assert "no kind of file" in capsys.readouterr().err


def test_names_of_files_do_no_harm(office, capsys):
    evil = office / "=cmd|' \x1b[2J$(id).csv"
    evil.write_text(LIST)
    go(str(evil))
    assert "\x1b" not in capsys.readouterr().out
    assert len(facts()) == 3


def test_cells_of_the_refused_are_no_formulas(office):
    (office / "f.csv").write_text("Asset Tag,MAC\n=1+1,x,y\n,zz\n+cmd,-\n")
    go("f.csv")
    for line in (office / "f.csv.rejected.csv").read_text("utf-8-sig").splitlines()[1:]:
        assert not any(cell.strip('"').startswith(("=", "+", "@")) for cell in line.split(","))


def test_a_bundle_and_a_report_are_kinds_of_import(office, capsys):
    from auditor.store.bundle import export_bundle

    go("list.csv", site="hq")
    with Ledger.open("sqlite:///auditor.db") as ledger:
        export_bundle(ledger, "hq", office / "hq.bundle")
    assert go("hq.bundle", db="sqlite:///other.db") == 0
    assert facts("sqlite:///other.db") == facts()
    assert go("hq.bundle", db="sqlite:///other.db") == 0
    assert facts("sqlite:///other.db") == facts()


def test_a_dry_run_of_a_bundle_only_checks_it(office, capsys):
    from auditor.store.bundle import export_bundle

    go("list.csv", site="hq")
    with Ledger.open("sqlite:///auditor.db") as ledger:
        export_bundle(ledger, "hq", office / "hq.bundle")
    assert go("hq.bundle", db="sqlite:///other.db", dry_run=True) == 0
    assert "bundle of hq" in capsys.readouterr().out
    assert not (office / "other.db").exists()


def test_files_of_one_name_keep_their_refusals_apart(office):
    for folder in ("north", "south"):
        (office / folder).mkdir()
        (office / folder / "list.csv").write_text(f"{LIST}{folder};x\n")
    go("north/list.csv", "south/list.csv")
    assert (office / "north-list.csv.rejected.csv").exists()
    assert (office / "south-list.csv.rejected.csv").exists()


class TestDaysInDoubt:
    """A person is asked once; a program, and a list without doubt, is not."""

    def settled(self, office, answers, text=LIST):
        (office / "doubt.csv").write_text(text)
        asked = []

        def ask(question):
            asked.append(question)
            return answers[len(asked) - 1]

        with opened(office / "doubt.csv") as source:
            found = settled(IMPORTER, source, Options("hq", datetime.now(UTC)), ask)
        return found.dates, len(asked)

    def test_the_answer_counts(self, office):
        assert self.settled(office, ["dmy"]) == ("dmy", 1)
        assert self.settled(office, ["what?", " MDY "]) == ("mdy", 2)

    def test_no_answer_guesses_nothing(self, office):
        assert self.settled(office, [""]) == ("", 1)
        assert self.settled(office, ["x", "y", "z"]) == ("", 3)

    def test_what_is_not_in_doubt_is_not_asked(self, office):
        assert self.settled(office, [], LIST.replace("03/04/2023", "2023-04-03")) == ("", 0)


class TestReadingAhead:
    """Items come in order, an error comes where it happened, and leaving early ends the thread."""

    def test_items_come_in_order(self):
        with ahead(range(1_000)) as items:
            assert list(items) == list(range(1_000))

    @pytest.mark.parametrize("kind", [UsageError("no"), ZeroDivisionError(), MemoryError()])
    def test_an_error_is_raised_behind_what_came_before_it(self, kind):
        def broken():
            yield 1
            raise kind

        with ahead(broken()) as items:
            assert next(items) == 1
            with pytest.raises(type(kind)):
                next(items)

    def test_who_leaves_early_does_not_wait_for_the_end(self):
        def endless():
            while True:
                yield 1

        before = threading.active_count()
        with ahead(endless()) as items:
            assert next(items) == 1
        assert threading.active_count() == before


@pytest.mark.slow
def test_a_kill_in_the_middle_leaves_the_file_in_or_not_in(tmp_path):
    """Killed at many moments, the ledger holds all rows or none; a repeat completes it."""
    rows = 30_000
    with (tmp_path / "long.csv").open("w") as file:
        file.write("Asset Tag,IP Address,Serial Number\n")
        file.writelines(
            f"T{n},10.{n >> 16}.{n >> 8 & 255}.{n & 255},SN-{n:06}\n" for n in range(rows)
        )
    command = [sys.executable, "-m", "auditor", "-q", "import", "long.csv"]
    root = Path(__file__).parents[2]
    for delay in (0.3, 0.6, 0.8, 1.0, 1.3, 1.7):
        database = tmp_path / f"at{delay}.db"
        place = {**os.environ, "AUDITOR_DB": f"sqlite:///{database}", "PYTHONPATH": str(root)}
        child = subprocess.Popen(command, cwd=tmp_path, env=place, stdout=subprocess.DEVNULL)
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.wait()
        with Ledger.open(f"sqlite:///{database}") as ledger:
            assert ledger.counts()["attempt"] in {0, rows}
        subprocess.run(command, cwd=tmp_path, env=place, check=True, stdout=subprocess.DEVNULL)
        with Ledger.open(f"sqlite:///{database}") as ledger:
            assert ledger.counts()["attempt"] == rows
            assert ledger.verify().ok
