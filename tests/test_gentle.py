"""A gentle run, counted packet by packet: every cap of the profile, and nobody gets hurt.

The runs are the real command in departments of their own, and go on side by side: a gentle one
takes a minute however small the network, because all groups together may be asked three
questions in thirty seconds. Witnesses are the switch port of the scanner and the devices.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auditor import authority, wiring
from auditor.errors import EnvironmentLack
from auditor.lab.department import Department

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "auditor"]
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
LISTS, NEVER = authority.port_lists(wiring.DATA / "ports.toml")
LISTED = sorted({port for ports in LISTS.values() for port in ports})

pytestmark = [pytest.mark.network, pytest.mark.slow]


def page(port, **more):
    """A web server that keeps the connection and would give a page, a redirect and an icon."""
    head = (
        "HTTP/1.1 $code\nServer: thing\nContent-Type: text/html\nContent-Length: $length\n$more\n"
    )
    moved = head.replace("$code", "302 Found").replace("$more", "Location: /start\nX-A: b")
    here = head.replace("$code", "200 OK").replace("$more", "X-A: b")
    routes = [
        {"path": "/", "head": moved},
        {"path": "*", "head": here, "body": "<title>A thing</title>"},
    ]
    return {"kind": "http", "port": port, "routes": routes, **more}


def banner(port, text, **more):
    return {"kind": "banner", "port": port, "text": text, "quiet": True, **more}


TALKATIVE = (
    *(page(port) for port in LISTS["http"]),
    *(page(port, tls="plain") for port in LISTS["https"]),
    *({"kind": "rtsp", "port": port, "routes": [{"head": "RTSP/1.0 200 OK\nCSeq: $cseq\n"}]}
      for port in LISTS["rtsp"]),
    banner(21, "220 thing\n"), banner(22, "SSH-2.0-thing\n"), banner(23, "thing login: "),
    banner(8000, "hello\n"),
)  # fmt: skip
FACTORY = "192.168.1.64"
CAMERA = ("hik-app", "sadp-description")
FRAGILE = {
    "camera": {"persona": CAMERA},
    "talkative": {"services": TALKATIVE},
    "firewalled": {"services": [{"kind": "shut", "ports": LISTED}]},
    "nothing open": {},
    "never answering": {"services": [page(80, manner="tarpit"), page(8080, manner="tarpit")]},
    "speaks first": {"services": [banner(port, "hello\n") for port in (21, 23, 8000)]},
}
STURDY = {
    "plain where TLS is usual": {"services": [page(443), page(8443)]},
    "hangs up in the middle": {"services": [page(80, manner="cut"), page(8080, manner="cut")]},
    "printer and controller": {
        "services": [
            *({"kind": "trap", "port": port} for port in sorted(NEVER)),
            *({"kind": "udp", "port": port} for port in sorted(NEVER)),
            page(80),
        ]
    },
}
NETWORKS = ("10.20.1.0/28", "10.20.2.0/28")


def department():
    weak = [{"name": name, "fragile": {}, **more} for name, more in FRAGILE.items()]
    sturdy = [{"name": name, **more} for name, more in STURDY.items()]
    far = {"name": "factory", "ip": FACTORY, "segment": "lan0", "persona": CAMERA, "on_link": True}
    other = {"name": "other", "ip": "10.20.2.3", "persona": CAMERA, "fragile": {}}
    return [*weak, *sturdy, far, other], NETWORKS, {"plain": {"subject": "CN=thing"}}


def scope_file(folder, profile):
    """A scope file that asks for everything, the forbidden ports first of all."""
    path = folder / f"{profile}.toml"
    path.write_text(
        f'networks = {list(NETWORKS)}\nprofile = "{profile}"\nports = {[*sorted(NEVER), *LISTED]}\n'
        '[authority]\napprover = "A"\nticket = "T"\n'
    )
    return path


RUNS = {
    "gentle": ("gentle",),
    "connect": ("gentle", "--engine", "connect"),
    "nmap": ("gentle", "--engine", "nmap"),
    "nmap and no fear": ("normal", "--engine", "nmap", "--pace", "400"),
    "no fear": ("thorough", "--pace", "400"),
}


@pytest.fixture(scope="module")
def witnessed(tmp_path_factory):
    """Every run at the same time: what its department witnessed, and its ledger."""
    folder = tmp_path_factory.mktemp("gentle")
    labs, runs = {}, {}
    wanted = {name: run for name, run in RUNS.items() if shutil.which("nmap") or "nmap" not in name}
    try:
        for name, (profile, *words) in wanted.items():
            labs[name] = lab = Department.of(*department())
            scan = ["--db", f"sqlite:///{folder}/{name}.db", "scan", "--scope"]
            command = [*COMMAND, *scan, str(scope_file(folder, profile)), *words]
            runs[name] = lab.popen(command, env=ENV, stderr=subprocess.PIPE, text=True)
        told = {name: run.communicate(timeout=280)[1] for name, run in runs.items()}
        for name, run in runs.items():
            assert run.returncode in {0, 3}, told[name]
        yield {name: lab.report() for name, lab in labs.items()}, folder
    except EnvironmentLack as lack:
        pytest.skip(f"skipped, because {lack.what}")
    finally:
        for run in runs.values():
            run.kill()
        for lab in labs.values():
            lab.close()


@pytest.fixture
def gentle(witnessed):
    return witnessed[0]["gentle"]


def test_every_fragile_device_survives(gentle):
    assert gentle["dead"] == {} and gentle["violations"] == []
    assert gentle["sent"]["unseen"] == 0
    asked = {name: device["syns"] for name, device in gentle["devices"].items()}
    assert all(asked[name] for name in (*FRAGILE, *STURDY)), "somebody was not asked at all"


def test_a_segment_hears_three_questions_in_any_thirty_seconds(gentle):
    calls = gentle["sent"]["calls"]
    assert len(calls) == len(NETWORKS)
    for port in calls.values():
        assert port["peak_per_30s"] <= 3 and port["frames"] <= 9
        assert port["frames"] >= 8  # without IPv6 nobody asks all its nodes


@pytest.mark.parametrize("name", ["gentle", "connect", "nmap"])
def test_arp_keeps_under_ten_in_any_second_with_and_without_frames_of_our_own(witnessed, name):
    """Switches with Dynamic ARP Inspection disable a port above 15 ARP packets a second."""
    if name not in witnessed[0]:
        pytest.skip("skipped, because the nmap program is not installed")
    arp = witnessed[0][name]["sent"]["kinds"]["arp"]
    # the kernel and nmap pace theirs themselves: what they are told is kept on average
    assert arp["frames"] > 20 and arp["peak_per_s"] <= (10 if name == "gentle" else 11)


def test_connections_keep_under_every_cap_of_a_host(gentle):
    assert gentle["sent"]["kinds"]["tcp-syn"]["peak_per_s"] <= 200
    for name, device in gentle["devices"].items():
        assert device["syn_peak_per_s"] <= 4, name
        assert device["syns"] <= 25, name
        assert device["open_peak"] <= 2, name


def test_nobody_is_sent_a_reset(gentle):
    resets = {name: device["resets"] for name, device in gentle["devices"].items()}
    assert resets == dict.fromkeys(resets, 0)
    assert "tcp-rst" not in gentle["sent"]["kinds"]


def test_a_device_that_only_a_group_finds_is_recorded_and_never_contacted(witnessed):
    reports, folder = witnessed
    words = ["--db", f"sqlite:///{folder}/gentle.db", "devices", "--json"]
    run = subprocess.run([*COMMAND, *words], capture_output=True, text=True, env=ENV, check=True)
    found = {ip for line in run.stdout.splitlines() for ip in json.loads(line)["ips"]}
    assert {FACTORY, "10.20.1.1", "10.20.2.3"} <= found
    for report in reports.values():
        assert not report["devices"]["factory"]["syns"]
        assert FACTORY not in report["sent"]["targets"]


@pytest.mark.parametrize("name", RUNS)
def test_no_forbidden_port_is_touched_whatever_is_asked_for(witnessed, name):
    reports, _ = witnessed
    if name not in reports:
        pytest.skip("skipped, because the nmap program is not installed")
    report = reports[name]
    if name != "connect":
        # the kernel's own ARP rests on a table that all namespaces of a machine share
        assert report["devices"]["printer and controller"]["syns"] > 0
    for device in report["devices"].values():
        assert not NEVER & set(device["ports"])
        assert not NEVER & set(map(int, device["datagrams"]))
    asked = {kind.removeprefix("udp-") for kind in report["sent"]["kinds"] if "udp-" in kind}
    assert not {str(port) for port in NEVER} & asked
    assert not [wrong for wrong in report["violations"] if "was touched" in wrong["what"]]


def test_no_engine_hurts_a_fragile_device_under_gentle(witnessed):
    reports, _ = witnessed
    for name in ("connect", "nmap"):
        if name in reports:
            assert reports[name]["dead"] == {}, name
            calls = reports[name]["sent"]["calls"].values()
            assert all(port["peak_per_30s"] <= 3 for port in calls), name
