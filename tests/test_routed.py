"""Behind a router, and without a word: MACs from the router's table, sightings from listening."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.errors import EnvironmentLack
from auditor.lab.department import Department

ROOT = Path(__file__).parent.parent
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
AUDITOR = [sys.executable, "-m", "auditor"]
WEB = {"kind": "http", "port": 80, "routes": [{"head": "HTTP/1.1 200 OK", "body": "$name"}]}
FAR = {"name": "annex", "network": "10.20.9.0/24", "via": "router", "gateway": "10.20.9.1"}
DEVICES = [
    {
        "name": "router",
        "ip": "10.20.1.1",
        "services": [{"kind": "snmp", "community": "glass", "neighbours": True}],
    },
    {"name": "far-cam", "ip": "10.20.9.7", "mac": "c4:2f:90:1a:00:07", "services": [WEB]},
    {
        "name": "speaker",
        "ip": "10.20.1.6",
        "mac": "44:19:b6:1a:00:06",
        "silent": True,
        "services": [{"kind": "announce", "what": "arp", "every_s": 0.1}],
    },
]
SCOPE = """
site = "Annex"
networks = ["10.20.1.0/29", "10.20.9.0/28"]
snmp_community = "wrong-for-the-router"
[[router]]
ip = "10.20.1.1"
community = "glass"
[authority]
approver = "A. Approver"
"""

pytestmark = [pytest.mark.network]


@pytest.fixture(scope="module")
def lab():
    try:
        department = Department.of(DEVICES, ["10.20.1.0/24", FAR])
    except EnvironmentLack as lack:
        pytest.skip(f"skipped, because {lack.what}")
    with department:
        yield department


def asked(lab):
    """What was sent to anybody, without what the kernel says of itself (IPv6 neighbourhood)."""
    own = {"icmp6", "ip6"}
    return {
        target: {kind: count for kind, count in kinds.items() if kind not in own}
        for target, kinds in lab.report()["sent"]["targets"].items()
        if set(kinds) - own
    }


def devices(url):
    run = subprocess.run(
        [*AUDITOR, "--db", url, "devices", "--json"],
        capture_output=True,
        text=True,
        env=ENV,
        check=True,
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def told(url, *words):
    run = subprocess.run(
        [*AUDITOR, "--db", url, *words], capture_output=True, text=True, env=ENV, check=False
    )
    return run.stdout


def test_a_router_that_may_be_asked_tells_the_hardware_addresses_behind_it(lab, tmp_path):
    (tmp_path / "scope.toml").write_text(SCOPE)
    url = f"sqlite:///{tmp_path}/routed.db"
    words = ["--db", url, "scan", "--scope", str(tmp_path / "scope.toml"), "--pace", "300"]
    run = lab.run([*AUDITOR, *words], capture_output=True, text=True, env=ENV, timeout=200)
    assert run.returncode in {0, 3}, run.stderr
    (camera,) = (d for d in devices(url) if "10.20.9.7" in d["ips"])
    assert camera["macs"] == ["c4:2f:90:1a:00:07"]
    assert (camera["maker"], camera["standing"]) == ("Hikvision", "probable")
    why = told(url, "explain", "10.20.9.7")
    assert "hardware address c4:2f:90:1a:00:07 was told by router_arp" in why
    coverage = told(url, "coverage")
    assert "(routed by 10.20.1.1 from eth0" in coverage
    assert "silence there proves less" in coverage
    assert b"glass" not in b"".join(path.read_bytes() for path in tmp_path.glob("routed.db*"))


def test_listening_finds_who_speaks_and_sends_nothing(lab, tmp_path):
    url = f"sqlite:///{tmp_path}/passive.db"
    before = asked(lab)
    words = ["--db", url, "scan", "10.20.1.0/24", "--passive", "2", "--site", "Annex"]
    run = lab.run([*AUDITOR, *words], capture_output=True, text=True, env=ENV, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "sent: nothing" in run.stderr
    assert asked(lab) == before
    assert any(d["macs"] == ["44:19:b6:1a:00:06"] for d in devices(url))
    coverage = subprocess.run(
        [*AUDITOR, "--db", url, "coverage", "--json"],
        capture_output=True,
        text=True,
        env=ENV,
        check=False,
    )
    assert coverage.stdout == ""  # nothing was asked: nothing is covered
