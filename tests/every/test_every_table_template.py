"""Every template of printed tables is asked the same: does any line, however hostile, hang it?

The lines are read in a child process with a limit of processor time, because what hangs inside
of an expression can be ended by nothing else.
"""

import re
import resource
import subprocess
import sys
from importlib.resources import files

import pytest

from auditor.importers.tables import templates

SECONDS = 60  # of processor time; all lines together take a few
READ = """
import sys
from auditor.importers.tables import _read
lines = list(enumerate(sys.stdin.read().split("\\n"), 1))
for name in sys.argv[1:]:
    list(_read(name, lines))
print("read")
"""
BEGINS = (
    "", "10.0.0.5 ", "10.0.0.5   12 ", "  10  ", "* 10 ", "44:19:b6:00:00:01 ", "4419.b600.0001 ",
    "44-19-b6-00-00-01 ", "Internet  10.0.0.5  12 ", "VLAN 10 ", "1/1/5 ", "Gi1/0/1 ",
    "? (10.0.0.5) at 44:19:b6:00:00:01 ", "10.0.0.5 44:19:b6:00:00:01 ", "10 44:19:b6:00:00:01 ",
    "44:19:b6:00:00:01 10 ", "44:19:b6:00:00:01    CCTV(0010) 0000  d m ",
    "10.0.0.5 dev eth0 lladdr 44:19:b6:00:00:01 ",
)  # fmt: skip
RUNS = (
    "f" * 60, "f-" * 40, "f:" * 40, "1" * 60, "1." * 60, "1/" * 60, " " * 200, "a " * 60, "a," * 60,
    "-" * 100, "_" * 80, "1-" * 60, "ab " * 50, "0x" * 40, "Gi1/0/1 " * 20, "Gi1/0/1," * 20,
    "44:19:b6:00:00:01 " * 5, "10.0.0.5 " * 10, "* " * 60, "a\t" * 60, "DS-2CD2143G0-I20190422AAWRD12345678 " * 3,
)  # fmt: skip
ENDS = ("", "!", " x", " \x01")
LINES = "\n".join((begin + run + end)[:400] for begin in BEGINS for run in RUNS for end in ENDS)


def limited():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))


def read_by(names, lines):
    return subprocess.run(
        [sys.executable, "-c", READ, *names],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
    )


@pytest.mark.parametrize("share", range(4))
def test_no_line_hangs_a_template(share):
    done = read_by(templates()[share::4], LINES)
    assert (done.returncode, done.stdout) == (0, "read\n"), done.stderr[-500:]


def test_a_list_of_addresses_and_serial_numbers_hangs_none():
    rows = "10.29.0.5     DS-2CD2143G0-I20190422AAWRD12345678      44-19-b6-0a-00-01\n" * 3
    done = read_by(templates(), rows)
    assert (done.returncode, done.stdout) == (0, "read\n"), done.stderr[-500:]


def test_templates_of_ours_are_all_in_use():
    ours = {entry.name for entry in (files("auditor.data") / "tables").iterdir()}
    assert {f"/{name}" for name in ours if name.endswith(".textfsm")} <= set(templates())


def test_no_expression_is_left_to_the_readers_that_try_everything():
    from auditor.importers.tables import _template

    for name in templates():
        for rules in _template(name).states.values():
            assert not any(isinstance(rule.regex_obj, re.Pattern) for rule in rules), name
