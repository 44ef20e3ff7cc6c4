"""The same question has the same answer whatever machine, zone, language or neighbour it is asked in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.model.observation import Origin
from auditor.store.ledger import Ledger

ROOT = Path(__file__).parent.parent
PLACES = (
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LANG": "fr_CA.UTF-8", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LANG": "tr_TR.UTF-8", "PYTHONUTF8": "1"},
)
LIST = "IP Address,MAC Address,Serial Number,Manufacturer,Model,Name,Purchase Date\n" + "".join(
    f"10.0.{n // 200}.{n % 200 + 1},44:19:b6:00:{n // 256:02x}:{n % 256:02x},SN-{n:05},"
    f"Hikvision,DS-2CD2143G0-I,Caméra {n},2023-0{n % 9 + 1}-15\n"
    for n in range(120)
)


def start(folder, *words, env=None, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "auditor", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        **more,
    )


def ask(folder, *words, stdin=b"", env=None):
    with start(folder, *words, env=env, stdin=subprocess.PIPE) as running:
        out, err = running.communicate(stdin, timeout=120)
    return running.returncode, out, err.decode("utf-8", "replace")


@pytest.fixture
def office(tmp_path):
    (tmp_path / "list.csv").write_text(LIST, "utf-8")
    return tmp_path


def test_a_report_has_the_same_bytes_in_every_zone_and_language(office):
    assert ask(office, "import", "list.csv", "--site", "hq")[0] == 0
    words = ("report", "--format", "json,csv", "--as-of", "2026-11-23")
    for number, place in enumerate(PLACES):
        code, _, err = ask(office, *words, "--out", f"out{number}", env=place)
        assert code in {0, 1, 3}, err
    one, other = (
        {path.name: path.read_bytes() for path in sorted((office / f"out{n}").iterdir())}
        for n in range(len(PLACES))
    )
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []


def test_identities_have_the_same_bytes_in_every_zone_and_language(office):
    asked = "".join(
        json.dumps({"id": n, "observations": [
            {"field": "mac", "value": f"44:19:b6:00:00:{n:02x}"},
            {"field": "http.server", "value": "App-webs/"},
            {"field": "asset.name", "value": "Caméra İı"},
        ]}) + "\n"
        for n in range(20)
    ).encode()  # fmt: skip
    said = [ask(office, "identify", stdin=asked, env=place)[1] for place in PLACES]
    assert said[0] == said[1] and said[0].count(b"\n") == 20


def test_bytes_that_are_no_text_do_not_end_the_stream(office):
    asked = b'\xff\xfe{"id"\n{"id": "b", "field": "http.server", "value": "\xe9"}\n'
    code, out, err = ask(office, "identify", stdin=asked)
    first, second = map(json.loads, out.splitlines())
    assert code == 0 and "error" in first and second["id"] == "b", err


def test_a_reader_that_has_seen_enough_ends_the_stream_without_a_complaint(office):
    line = b'{"id": 1, "observations": []}\n'
    with start(office, "identify", stdin=subprocess.PIPE) as running:
        running.stdin.write(line)
        running.stdin.close()
        running.stdout.close()
        said = running.stderr.read().decode()
    assert "Traceback" not in said and "failed" not in said


def test_two_imports_at_once_both_go_in_whole(office):
    for name in ("a", "b"):
        (office / f"{name}.csv").write_text(LIST.replace("10.0.", f"10.{ord(name)}."), "utf-8")
    running = [start(office, "import", f"{name}.csv", "--site", name) for name in ("a", "b")]
    ended = [(one.communicate(timeout=120), one.returncode) for one in running]
    assert [code for _, code in ended] == [0, 0], ended
    with Ledger.open(f"sqlite:///{office}/auditor.db") as ledger:
        assert ledger.verify().ok
        for site in ("a", "b"):
            assert sum(1 for _ in ledger.attempts(site=site)) == 120
        assert {s.attempt.origin for s in ledger.attempts()} == {Origin.FILE}


def test_the_same_file_in_two_programs_at_once_is_imported_once(office):
    running = [start(office, "import", "list.csv", "--json") for _ in range(2)]
    ended = [one.communicate(timeout=120) for one in running]
    assert [one.returncode for one in running] == [0, 0], ended
    assert sorted(json.loads(out)["taken"] for out, _ in ended) == [0, 120]
    with Ledger.open(f"sqlite:///{office}/auditor.db") as ledger:
        assert sum(1 for _ in ledger.attempts()) == 120


@pytest.mark.parametrize(
    "url",
    ["sqlite:////nowhere/at/all.db", "sqlite:////proc/auditor.db", "sqlite:///.", "mysql://x/y",
     "nonsense", "postgresql://nobody@/none?host=/nowhere"],
)  # fmt: skip
def test_a_ledger_that_cannot_be_is_told_in_three_parts(office, url):
    code, out, err = ask(office, "--db", url, "devices")
    assert code == 2 and not out
    assert err.startswith("error: ") and "Traceback" not in err


def test_a_password_in_the_address_of_a_ledger_is_shown_to_nobody(office):
    url = "postgresql://auditor:Tr0ub4dor@127.0.0.1:1/none"
    code, out, err = ask(office, "--db", url, "devices")
    assert code == 2
    assert "Tr0ub4dor" not in err and b"Tr0ub4dor" not in out


def test_a_folder_that_is_a_file_takes_no_report(office):
    code, _, err = ask(office, "report", "--out", "list.csv")
    assert code == 2 and err.startswith("error: ") and "Traceback" not in err
    assert (office / "list.csv").read_text("utf-8") == LIST
