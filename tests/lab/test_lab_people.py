"""The lab for people: from the command line, without root, and the comparison with the truth."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from auditor.lab import kernel
from auditor.lab.compare import mistakes, reported
from auditor.lab.demo import testimony as witness_lines
from auditor.lab.reading import load

RUN = [sys.executable, "-m", "auditor.lab"]
# uid 0 stays (the interpreter may stand in root's home), every privilege goes; the one kept
# is what the kernel asks of whoever maps uid 0 into a user namespace (Linux 5.12).
POWERLESS = ["setpriv", "--bounding-set=-all,+setfcap", "--inh-caps=-all"]


def lab(*words, before=(), **options):
    made = subprocess.run(
        [*before, *RUN, *words], capture_output=True, text=True, timeout=60, **options
    )
    if "error: " in made.stderr and "namespace" in made.stderr:
        pytest.skip(f"skipped, because {made.stderr}")
    return made


@pytest.mark.network
def test_a_command_runs_where_a_scanner_would_stand_and_its_exit_code_counts(tmp_path):
    told = lab(
        "--report",
        str(tmp_path / "seen.json"),
        "run",
        "--",
        "sh",
        "-c",
        "cat /proc/net/dev; ping -c1 -W1 10.20.2.11 >/dev/null; exit 7",
    )
    assert told.returncode == 7
    assert "eth0:" in told.stdout
    assert "eth1:" in told.stdout
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert seen["sent"]["targets"]["10.20.2.11"]["icmp"] == 1


@pytest.mark.network
def test_without_privilege_it_works_in_a_user_namespace():
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("skipped, because setpriv is missing")
    told = lab(
        "run",
        "--",
        "sh",
        "-c",
        "ping -c1 -W1 10.20.1.1; cat /sys/class/net/eth1/address",
        before=POWERLESS if os.geteuid() == 0 else (),
    )
    assert " 0% packet loss" in told.stdout
    assert "00:15:5d:a0:00:01" in told.stdout


@pytest.mark.network
def test_it_stays_up_until_the_input_ends():
    told = lab("up", input="\n")
    assert told.returncode == 0
    assert "video: 10.20.2.0/24, scanner 10.20.2.250 on eth1" in told.stdout


def test_a_machine_that_allows_no_namespace_is_told_what_it_needs():
    before = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else ()
    if before and not shutil.which("setpriv"):
        pytest.skip("skipped, because setpriv is missing")
    told = subprocess.run(
        [*before, *RUN, "run", "true"], capture_output=True, text=True, timeout=60
    )
    if told.returncode == 0:
        pytest.skip("skipped, because an ordinary user may make namespaces here")
    assert "error: " in told.stderr
    assert "fix: run it as root, or allow user namespaces" in told.stderr
    assert kernel.LACK_HINT in told.stderr


def test_an_unknown_truth_file_is_an_error_of_three_parts(tmp_path):
    told = subprocess.run(
        [*RUN, "--truth", str(tmp_path / "no.toml"), "up"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.returncode == 2
    assert "cannot be read as TOML" in told.stderr
    assert "Traceback" not in told.stderr


TRUTH = load()
PACK = "made-up-pack"


def perfect():
    """Write the report of an audit that got everything right."""
    told = ("maker", "brand", "model", "serial", "firmware", "device_class", "standing")
    return [
        {
            "ips": [d.ip],
            "macs": [d.mac],
            "verdicts": {PACK: "review" if d.listed else "conforming"},
            **{field: getattr(d, field) for field in told},
        }
        for d in TRUTH.devices
    ]


def test_a_perfect_answer_has_no_mistake():
    assert mistakes(TRUTH, perfect(), PACK) == []


@pytest.mark.parametrize(
    ("name", "change", "mistake"),
    [
        ("lobby-cam", {"ips": [], "macs": []}, "lobby-cam: not found"),
        (
            "silent-hik-1",
            {"verdicts": {PACK: "undetermined"}},
            "silent-hik-1: listed, but undetermined",
        ),
        ("home-router", {"verdicts": {PACK: "review"}}, "home-router: innocent, but review"),
        (
            "home-router",
            {"maker": "Hikvision"},
            "home-router: wrongly said to be made by Hikvision",
        ),
        ("main-nvr", {"model": "DS-1"}, "main-nvr: model is DS-7616NI-K2/16P, said to be DS-1"),
        ("main-nvr", {"standing": "hint"}, "main-nvr: should be confirmed, is hint"),
    ],
)
def test_each_mistake_is_named(name, change, mistake):
    answer = perfect()
    entry = reported(TRUTH.device(name), answer)
    answer[answer.index(entry)] = entry | change
    assert mistakes(TRUTH, answer, PACK) == [mistake]


def test_a_router_s_range_must_not_become_a_crowd():
    crowd = [{"ips": [f"10.20.2.{last}"], "macs": [], "verdicts": {}} for last in range(130, 140)]
    assert "video-router: answers for 10.20.2.128/27, became 10 devices" in mistakes(
        TRUTH, perfect() + crowd, PACK
    )


def test_testimony_names_violations_and_deaths_or_says_that_there_were_none():
    sent = {"frames": 9, "peak_per_s": 3}
    good = witness_lines({"devices": {"a": 1}, "sent": sent, "violations": [], "dead": {}})
    assert "1 simulated devices, 9 frames" in good
    assert "no credential was sent" in good
    bad = witness_lines(
        {
            "devices": {},
            "sent": sent,
            "violations": [{"device": "printer", "what": "port 9100 was touched"}],
            "dead": {"weak": "a reset"},
        }
    )
    assert "violation at printer: port 9100 was touched" in bad
    assert "weak died of a reset" in bad
    assert "no credential" not in bad
