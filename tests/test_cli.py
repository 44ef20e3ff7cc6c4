"""The command line as other programs rely on it: streams, exit codes, three-part errors."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HIK, LOCAL = "44:19:b6:00:00:01", "02:00:00:00:00:01"


@pytest.fixture
def auditor(tmp_path):
    """Run a command in an empty folder with its own ledger."""

    def run(*words, stdin="", env=None):
        return subprocess.run(
            [sys.executable, "-m", "auditor", *words],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), **(env or {})},
            timeout=120,
            check=False,
        )

    return run


def lines(run):
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_every_command_has_help(auditor):
    shown = auditor("--help").stdout
    names = re.findall(r"^  ([a-z]+) ", shown.split("Commands:")[1], re.MULTILINE)
    assert len(names) > 20
    for name in names:
        run = auditor(name, "--help")
        assert run.returncode == 0, name
        assert not run.stderr


def test_an_unknown_command_is_usage(auditor):
    assert auditor("nonsense").returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["plan", "8.8.8.8"], "refusing to scan 8.8.8.8", id="public-address"),
        pytest.param(["plan", "camera.local"], "is no address", id="a-name-can-move"),
        pytest.param(["plan", "10.0.0.0/33"], "is no address", id="malformed"),
        pytest.param(["assess", "--pack", "none-such"], "no policy pack", id="unknown-pack"),
        pytest.param(["assess", "--as-of", "yesterday"], "is no day", id="no-day"),
        pytest.param(["report", "--format", "doc"], "no report format", id="unknown-format"),
        pytest.param(["report", "--lang", "de"], "no report in", id="unknown-language"),
        pytest.param(["plan", "10.0.0.1", "--scope", "none.toml"], "cannot read", id="no-file"),
        pytest.param(["scan", "--resume"], "no scan to resume", id="nothing-to-resume"),
        pytest.param(["explain", "nobody"], "there is no device", id="no-such-device"),
        pytest.param(["verify", "nowhere"], "there is no", id="nothing-to-verify"),
        pytest.param(["plan", "10.0.0.1", "--pace", "0"], "sends nothing", id="no-pace"),
        pytest.param(["plan", "10.0.0.1", "--engine", "warp"], "no engine", id="no-engine"),
        pytest.param(["plan", "10.0.0.1", "--interface", "no0"], "no interface", id="no-interface"),
    ],
)
def test_an_error_says_what_and_what_to_do_and_exits_2(auditor, words, said):
    run = auditor(*words)
    assert run.returncode == 2
    assert said in run.stderr
    assert re.search(r"^  (why|fix): ", run.stderr, re.MULTILINE)
    assert "Traceback" not in run.stderr
    assert not run.stdout


@pytest.mark.parametrize(
    "content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_a_damaged_ledger_is_said_so(auditor, tmp_path, content):
    (tmp_path / "broken.db").write_bytes(content)
    run = auditor("--db", "sqlite:///broken.db", "devices")
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert re.search(r"^error: ", run.stderr)


def test_a_wrong_setting_is_named(auditor, tmp_path):
    (tmp_path / "auditor.toml").write_text('organization = "x"\n')
    run = auditor("devices")
    assert run.returncode == 2 and "organization" in run.stderr and "organisation" in run.stderr


def test_plan_prints_and_sends_nothing(auditor):
    run = auditor("plan", "127.0.0.0/30", "--exclude", "127.0.0.2", "--json")
    (plan,) = lines(run)
    assert run.returncode == 0
    assert (plan["addresses"], plan["sent"]) == (3, 0)
    assert plan["refused"] == [{"addresses": "127.0.0.2/32", "reason": "excluded by the scope"}]


def test_a_huge_plan_costs_nothing(auditor):
    (plan,) = lines(auditor("plan", "10.0.0.0/8", "--json"))
    assert plan["addresses"] == 1 << 24


def test_oui_names_the_registrant_and_labels_local_addresses(auditor):
    run = auditor("oui", HIK, LOCAL, "--json")
    camera, phone = lines(run)
    assert camera["registrant"].startswith("Hangzhou Hikvision")
    assert phone["registrant"] is None and "local" in phone["note"]


def test_oui_status_tells_the_age(auditor):
    run = auditor("oui", "status", "--json")
    (status,) = lines(run)
    assert status["rows"] > 50_000 and len(status["sha256"]) == 64


def test_a_registry_is_refreshed_from_a_file(auditor, tmp_path):
    (tmp_path / "manuf").write_text("F2:00:00\tNobody\n44:19:B6\tOther\tOther Name Ltd\n")
    refused = auditor("oui", "update", "manuf", env={"XDG_DATA_HOME": str(tmp_path / "data")})
    assert refused.returncode == 2  # it would lose blocks of covered makers
    assert not (tmp_path / "data").exists()


def test_identify_takes_a_byte_order_mark_and_says_what_it_does_not_take(auditor):
    line = json.dumps({"id": "x1", "field": "http.server", "value": "Nothing/1.0"}) + "\n"
    run = auditor("identify", "--json", stdin="\ufeff" + line)
    assert json.loads(run.stdout)["id"] == "x1"
    run = auditor("identify", "--json", stdin="\0".join(line))
    assert (run.returncode, run.stdout) == (2, "")
    assert "UTF-16" in run.stderr and "iconv" in run.stderr


def test_identify_answers_in_order_and_survives_bad_lines(auditor):
    asked = [
        json.dumps({"id": "a", "observations": [{"field": "http.server", "value": "App-webs/"}]}),
        "this is no JSON",
        json.dumps({"id": "c", "field": "mac", "value": HIK}),
        json.dumps({"id": "d", "field": "http.server", "value": "nginx"}),
    ]
    run = auditor("identify", "--json", stdin="\n".join(asked) + "\n")
    first, bad, third, last = lines(run)
    assert run.returncode == 0
    assert (first["id"], first["maker"]) == ("a", "Hikvision")
    assert "error" in bad
    assert (third["maker"], third["standing"]) == ("Hikvision", "probable")
    assert (last["maker"], last["standing"]) in {(None, "unknown"), (None, "hint")}
    assert set(first) >= {
        *("id", "maker", "brand", "model", "serial", "firmware", "device_class"),
        *("standing", "evidence", "contradictions"),
    }


def test_the_packs_are_listed_shown_and_checked(auditor, tmp_path):
    assert "ca-gc-hikvision-2025" in auditor("packs").stdout
    shown = auditor("packs", "show", "ca-qc-mcn-2023", "--lang", "fr").stdout
    assert "arrêté" in shown.lower()
    (tmp_path / "mine.toml").write_text('schema = "policy-pack/1"\nid = "Mine!"\n')
    run = auditor("packs", "check", "mine.toml")
    assert run.returncode == 2
    assert run.stdout.count("error: ") > 3


def test_an_empty_ledger_is_not_called_clean(auditor):
    run = auditor("report", "--out", "out")
    assert "no network was scanned" in run.stdout
    assert "coverage is incomplete" in run.stdout
    assert run.returncode == 3
    assert auditor("assess").returncode == auditor("assess", "--json").returncode == 3
    assert auditor("verify", "out").returncode == 0


def test_a_ledger_of_lists_alone_is_incomplete_whatever_they_say(auditor, tmp_path):
    """Three lines of a spreadsheet: an address of an innocent block is no look at a device."""
    (tmp_path / "list.csv").write_text(
        "Asset Tag,Manufacturer,IP Address,MAC Address\n"
        "G1,Axis,10.61.0.1,00:40:8c:00:61:01\n"
        "G3,,10.61.0.3,00:40:8c:00:61:03\n"
        "G4,Hikvision Inc,10.61.0.4,00:40:8c:00:61:04\n"
    )
    assert auditor("import", "list.csv").returncode == 0
    run = auditor("assess")
    assert run.returncode == 3
    assert " 0 conforming" in run.stdout
    said = [
        json.loads(line)["verdicts"]
        for line in auditor("devices", "--json").stdout.split("\n")
        if line
    ]
    assert len(said) == 3
    assert {"conforming"}.isdisjoint({verdict for mine in said for verdict in mine.values()})


def test_a_report_of_which_a_byte_was_flipped_does_not_verify(auditor, tmp_path):
    auditor("report", "--out", "out")
    report = tmp_path / "out" / "report.en.html"
    content = bytearray(report.read_bytes())
    content[len(content) // 2] ^= 1
    report.write_bytes(content)
    run = auditor("verify", "out")
    assert run.returncode == 2 and "report.en.html" in run.stdout


def test_doctor_says_what_is_here(auditor):
    found = {line["what"]: line for line in lines(auditor("doctor", "--json"))}
    assert found["python"]["state"] == "OK"
    assert all(line["fix"] for line in found.values() if line["state"] != "OK")


def test_hostile_text_reaches_no_terminal(auditor):
    run = auditor("explain", "\x1b]0;owned\x07\u202edevice")
    assert "\x1b" not in run.stderr and "\u202e" not in run.stderr
    assert "owned" in run.stderr


def test_results_and_messages_keep_to_their_streams(auditor):
    run = auditor("devices", "--json")
    assert run.stdout == "" and run.returncode == 0


def test_a_verdict_that_is_none_lists_nothing_and_says_so(auditor):
    run = auditor("devices", "--verdict", "bad")
    assert run.returncode == 2
    assert "nonconforming" in run.stderr
    assert auditor("devices", "--verdict", "review").returncode == 0


def test_a_file_that_is_no_report_is_not_compared(auditor, tmp_path):
    (tmp_path / "a.json").write_text('{"devices": 5}')
    run = auditor("diff", "a.json", "a.json")
    assert run.returncode == 2
    assert "no report.json" in run.stderr
    assert "Traceback" not in run.stderr
