"""A hostile file may hurt the child that reads it, and nobody else."""

import os
import textwrap
import time
from contextlib import closing
from pathlib import Path

import pytest

from auditor.errors import DataError
from auditor.jail import Limits, isolated


@pytest.fixture
def jailed(tmp_path, monkeypatch):
    """Write a module, let it read a file in the jail, give the lines that it said."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path.cwd())]))
    path = tmp_path / "list.xlsx"
    path.write_bytes(b"one\ntwo\n")

    def start(code, *arguments, limits=None):
        (tmp_path / "reader_in_jail.py").write_text(textwrap.dedent(code))
        return isolated("reader_in_jail", arguments, path, limits)

    return start


def refusal(lines):
    with pytest.raises(DataError) as refused:
        list(lines)
    return refused.value


def children():
    """Processes that are children of this one, dead ones that nobody waited for included."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            said = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found += [int(stat.parent.name)] if int(said[1]) == os.getpid() else []
    return set(found)


def test_the_child_reads_the_file_and_its_arguments_and_answers_line_by_line(jailed):
    said = jailed("import sys\nfor line in sys.stdin: print(sys.argv[1] + line.strip())", "row ")
    assert list(said) == [b"row one\n", b"row two\n"]


def test_a_reader_that_asks_for_too_much_memory_dies_alone(jailed):
    error = refusal(jailed("b = bytearray(1 << 33)", limits=Limits(1 << 28)))
    assert "list.xlsx was refused" in error.what
    assert "MemoryError" in error.why and error.hint


def test_a_reader_that_never_ends_is_ended_by_its_time(jailed):
    began = time.monotonic()
    error = refusal(jailed("while True: pass", limits=Limits(cpu_s=1)))
    assert time.monotonic() - began < 20
    assert "SIGXCPU" in error.why or "SIGKILL" in error.why


def test_a_reader_that_shrugs_off_the_warning_is_killed(jailed):
    error = refusal(
        jailed(
            """
            import signal
            signal.signal(signal.SIGXCPU, signal.SIG_IGN)
            while True: pass
            """,
            limits=Limits(cpu_s=1),
        )
    )
    assert "SIGKILL" in error.why


def test_a_reader_cannot_write_a_file(jailed, tmp_path):
    refusal(jailed(f"open({str(tmp_path / 'bomb')!r}, 'wb', 0).write(b'x')"))
    assert not (tmp_path / "bomb").exists() or not (tmp_path / "bomb").stat().st_size


def test_a_reader_cannot_hold_more_files_than_it_may(jailed):
    error = refusal(
        jailed("kept = [open('/dev/null') for _ in range(200)]", limits=Limits(open_files=16))
    )
    assert "Too many open files" in error.why


def test_the_last_line_of_what_the_reader_says_is_the_reason(jailed):
    error = refusal(
        jailed("import sys\nprint('first', file=sys.stderr)\nsys.exit('the sheet is empty')")
    )
    assert error.why == "the sheet is empty"


def test_a_reader_that_dies_without_a_word_is_told_by_its_code(jailed):
    assert "code 7" in refusal(jailed("raise SystemExit(7)")).why


def test_lines_before_the_death_do_not_hide_it(jailed):
    lines = jailed("print('a row', flush=True)\nimport os\nos.abort()")
    assert next(lines) == b"a row\n"
    assert "SIGABRT" in refusal(lines).why


def test_a_reader_that_warns_without_end_does_not_hang_the_import(jailed):
    """Each damaged cell is worth a warning to a spreadsheet reader; a pipe holds 64 kB."""
    lines = jailed(
        """
        import sys
        for n in range(40_000):
            print(f"cell A{n} is marked as a date", file=sys.stderr)
        print("row")
        """
    )
    assert list(lines) == [b"row\n"]


def test_the_reason_is_found_behind_any_number_of_warnings(jailed):
    error = refusal(
        jailed(
            """
            import sys
            for n in range(40_000):
                print(f"cell A{n} is marked as a date", file=sys.stderr)
            sys.exit("the archive is damaged")
            """
        )
    )
    assert error.why == "the archive is damaged"


def test_who_stops_reading_early_leaves_no_child_behind(jailed):
    before = children()
    with closing(jailed("while True: print('row')")) as lines:
        assert next(lines) == b"row\n"
        assert children() > before
    assert children() == before


def test_who_stops_reading_does_not_wait_for_a_silent_child(jailed):
    began = time.monotonic()
    with closing(jailed("import time\nprint('row', flush=True)\ntime.sleep(30)")) as lines:
        next(lines)
    assert time.monotonic() - began < 10


def test_a_line_without_end_is_given_in_pieces_of_the_limit(jailed):
    lines = list(jailed("print('x' * 10_000)", limits=Limits(line_bytes=4_096)))
    assert max(map(len, lines)) == 4_096
    assert b"".join(lines) == b"x" * 10_000 + b"\n"


def test_words_that_are_no_text_are_told_nevertheless(jailed):
    error = refusal(jailed("import sys\nsys.stderr.buffer.write(b'caf\\xe9 \\xff')\nsys.exit(2)"))
    assert error.why.startswith("caf")
