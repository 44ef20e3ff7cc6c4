"""What reaches a person's terminal, and what is asked of the settings file."""

import io
import json
import os
import pty
import subprocess
import sys
import unicodedata
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.commands.setting import KNOWN, Setting
from auditor.commands.terminal import Progress, complain, emit, safe, table
from auditor.errors import AuditorError, DataError, LedgerError, UsageError

ROOT = Path(__file__).parents[2]
ANYTHING = st.text(st.characters(), max_size=60)


@given(ANYTHING)
def test_nothing_that_acts_on_a_terminal_gets_through(text):
    shown = safe(text)
    acting = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    assert not [c for c in shown if unicodedata.category(c) in acting]


@given(st.text(st.characters(categories=("L", "N", "P", "S")), max_size=60))
def test_what_can_be_read_is_shown_as_it_is(text):
    assert safe(text) == text


@given(ANYTHING, ANYTHING)
def test_two_texts_that_differ_are_not_shown_as_one_unless_they_spell_escapes(one, other):
    if "\\u{" not in one + other and one != other:
        assert safe(one) != safe(other)


def test_a_long_text_is_cut_and_says_so():
    assert safe("x" * 500, 100) == "x" * 100 + "…"
    assert safe("x" * 100, 100) == "x" * 100


def test_a_text_of_controls_is_no_longer_than_was_allowed_by_much():
    assert len(safe("\x1b" * 10_000, 100)) <= 101


@given(st.lists(st.dictionaries(ANYTHING, ANYTHING, max_size=3), max_size=4))
def test_records_are_one_line_of_plain_letters_each_and_read_back(records):
    out, sys.stdout = sys.stdout, io.StringIO()
    try:
        emit(records)
        written = sys.stdout.getvalue()
    finally:
        sys.stdout = out
    assert written.isascii()
    assert [json.loads(line) for line in written.splitlines()] == records


def test_columns_stand_under_their_heads_whatever_the_cells_say(capsys):
    table([["a\nb", 1], ["\x1b[2J", None]], ("name", "count"))
    head, one, other = capsys.readouterr().out.splitlines()
    at = head.index("count")
    assert one[at:] == "1" and other[at:] == "None"


def test_a_table_of_nothing_is_its_heads(capsys):
    table([], ("name", "count"))
    assert capsys.readouterr().out == "name  count\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no such thing"), 2),
        (DataError("damaged"), 2),
        (LedgerError("the disk is full"), 3),
        (LedgerError("the ledger is locked"), 3),
        (LedgerError("the ledger is damaged"), 2),
    ],
)
def test_the_exit_code_says_whether_the_question_or_the_machine_was_wrong(error, code, capsys):
    assert complain(error) == code
    assert capsys.readouterr().err.startswith("error: ")


def test_a_complaint_about_a_hostile_name_stays_on_its_lines(capsys):
    complain(AuditorError("a\nerror: forged", why="\x1b[31m", hint="\u202eevil"))
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 3
    assert "\x1b" not in said and "\u202e" not in said


def test_a_defect_is_said_as_ours_and_never_as_a_finding(tmp_path):
    code = (
        "import sys\nfrom auditor.commands.terminal import defect\nsys.excepthook = defect\n"
        "raise KeyError('\\x1b]0;owned\\x07')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert run.returncode == 3
    assert "this is a defect" in run.stderr and "\x1b" not in run.stderr
    assert not run.stdout


def test_progress_is_silent_where_nobody_watches(capsys):
    progress = Progress(quiet=False)
    progress("arp", 1, 2)
    progress.close()
    assert capsys.readouterr().err == ""


def test_progress_on_a_real_terminal_shows_how_far_it_is_and_no_escape_of_a_name():
    ours, theirs = pty.openpty()
    code = (
        "from auditor.commands.terminal import Progress\n"
        "p = Progress(quiet=False)\n"
        "p('arp\\x1b[2J', 10, 100); p('arp\\x1b[2J', 50, 100); p.close()\n"
    )
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    try:
        run = subprocess.run(
            [sys.executable, "-c", code], stderr=theirs, cwd=ROOT, env=env, check=True
        )
        said = os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert run.returncode == 0
    assert "50/100" in said and "arp" in said
    assert "\x1b[2J" not in said


# ---------------------------------------------------------------- settings


@pytest.fixture
def settings(tmp_path):
    def read(text):
        path = tmp_path / "auditor.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Setting.read("sqlite:///x.db", path, quiet=False, verbose=False)

    return read


def test_no_file_is_no_setting(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Setting.read("sqlite:///x.db", None, quiet=True, verbose=False)
    assert (made.said, made.zone, made.quiet) == ({}, "UTC", True)


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        Setting.read("sqlite:///x.db", tmp_path / "none.toml", quiet=False, verbose=False)


@pytest.mark.parametrize(
    "text",
    [
        "site = ",
        b"site = '\xff'",
        "unknown = 1",
        "site = 5",
        "packs = 'one'",
        "zone = 'Nowhere/Land'",
        "zone = 'America'",
        "zone = '../../etc/passwd'",
    ],
)
def test_a_mistake_in_the_settings_is_said_before_anything_is_done(settings, text):
    with pytest.raises(DataError):
        settings(text)


def test_every_known_setting_is_taken(settings):
    plain = {str: '"UTC"', list: '["a"]'}
    made = settings("\n".join(f"{name} = {plain[kind]}" for name, kind in KNOWN.items()))
    assert set(made.said) == set(KNOWN)
    assert made.texts("packs") == ("a",) and made.text("site") == "UTC"
    assert made.texts("site") == ()


def test_today_is_the_day_of_the_officers_zone():
    east, west = (
        Setting("x", said={"zone": zone}).day("") for zone in ("Pacific/Kiritimati", "Etc/GMT+12")
    )
    assert (east - west).days in {1, 2}  # 26 hours lie between them


@pytest.mark.parametrize("text", ["2028-02-29", "20280229"])
def test_a_leap_day_is_a_day(text):
    assert Setting("x").day(text) == date(2028, 2, 29)


@pytest.mark.parametrize(
    "text", ["2027-02-29", "29/02/2028", "yesterday", "2026-13-01", "²026-01-01"]
)
def test_what_is_no_day_is_refused_with_an_example(text):
    with pytest.raises(UsageError) as refused:
        Setting("x").day(text)
    assert "2026-11-23" in refused.value.hint


def test_the_clock_of_a_command_has_a_zone():
    assert Setting("x").now().tzinfo is UTC
    assert abs((datetime.now(UTC) - Setting("x").now()).total_seconds()) < 60


def test_quiet_is_quiet(capsys):
    Setting("x", quiet=True).say("a word")
    Setting("x").say("another\x1b[2J")
    assert capsys.readouterr().err == "another\\u{1b}[2J\n"
