"""Devices without IPv4, and with both: found, asked on their own link, judged, counted once."""

import json
import os
import sys
from pathlib import Path

import pytest

from auditor.errors import EnvironmentLack
from auditor.lab.department import Department
from auditor.lab.links import link_local
from auditor.model.address import Mac

GC = "ca-gc-hikvision-2025"
ROOT = Path(__file__).parent.parent
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
LAN = {
    "name": "lan0",
    "network": "10.20.1.0/29",
    "scanner": "10.20.1.6",
    "scanner6": "fd00:20::e",
}
ULA, LOCAL, BOTH, LEFT, FAR = (f"44:19:b6:06:00:0{n}" for n in (5, 6, 3, 9, 8))
AT = link_local(Mac.parse(LOCAL))
PAGE = "HTTP/1.1 200 OK\nContent-Length: $length\nConnection: close\n"


def web(head, port=80, body="<html></html>"):
    return {"kind": "http", "port": port, "routes": [{"head": f"{PAGE}{head}\n", "body": body}]}


def upnp(location):
    said = f"HTTP/1.1 200 OK\nST: upnp:rootdevice\nUSN: uuid:$mac_digits\nLOCATION: {location}\n"
    return {"kind": "ssdp", "reply": said}


DEVICES = [
    {"name": "ula", "ip": "fd00:20::5", "mac": ULA, "services": [web("Server: App-webs/")]},
    {
        "name": "local",
        "segment": "lan1",
        "ip": AT,
        "mac": LOCAL,
        "services": [
            web("Server: nginx"),
            web("Server: nginx", 49_152, "<root><manufacturer>Hikvision</manufacturer></root>"),
            upnp("http://$host:49152/description.xml"),
        ],
    },
    {
        "name": "both",
        "ip": "10.20.1.3",
        "also": ["fd00:20::3"],
        "mac": BOTH,
        "services": [web("Server: DNVRS-Webs")],
        "fragile": {},
    },
    {"name": "left alone", "ip": "fd00:20::9", "mac": LEFT, "services": [web("Server: App-webs/")]},
    {
        "name": "far",
        "ip": "fd00:99::8",
        "mac": FAR,
        "services": [web("Server: App-webs/"), upnp("http://[fd00:20::9]:80/")],
    },
]

pytestmark = [pytest.mark.network]


@pytest.fixture(scope="module")
def lab():
    try:
        department = Department.of(DEVICES, [LAN, "10.20.2.0/30"])
    except EnvironmentLack as lack:
        pytest.skip(f"skipped, because {lack.what}")
    with department:
        yield department


def auditor(lab, db, *words):
    command = [sys.executable, "-m", "auditor", "--db", f"sqlite:///{db}", *words]
    return lab.run(command, capture_output=True, text=True, env=ENV, timeout=200)


def listed(lab, db):
    run = auditor(lab, db, "devices", "--json")
    return {mac: d for d in map(json.loads, run.stdout.splitlines()) for mac in d["macs"]}


def spoken_to(witnessed):
    """Who was sent TCP or UDP, without groups."""
    targets = witnessed["sent"]["targets"]
    talk = {ip for ip, kinds in targets.items() if set(kinds) - {"icmp6", "ip6", "arp", "igmp"}}
    return {ip for ip in talk if not ip.startswith(("ff02:", "239.", "224."))}


@pytest.fixture
def few(tmp_path):
    """A scope file that allows few ports: what is not the point need not take its time."""
    path = tmp_path / "scope.toml"
    path.write_text(
        'networks = ["fd00:20::/64", "fe80::/64"]\nports = [80, 1900, 49152]\npace = 300\n'
    )
    return ("--scope", str(path))


@pytest.fixture(scope="module", autouse=True)  # before all others: it counts what was sent so far
def audited(lab, tmp_path_factory):
    """One audit of the segment's IPv4 and IPv6 network, one of its link-local addresses."""
    out = tmp_path_factory.mktemp("ipv6")
    words = ("10.20.1.0/29", "fd00:20::/64", "--exclude", "fd00:20::9", "--pack", GC)
    run = auditor(lab, out / "a.db", "audit", *words, "--pace", "300", "--out", str(out / "a"))
    assert run.returncode == 3, run.stderr  # an IPv6 network is never covered whole
    return out / "a.db", lab.report(), json.loads((out / "a" / "report.json").read_text())


def test_a_device_without_ipv4_is_found_asked_and_judged(lab, audited):
    db, _, report = audited
    camera = listed(lab, db)[ULA]
    assert (camera["maker"], camera["standing"]) == ("Hikvision", "confirmed")
    assert {"fd00:20::5", link_local(Mac.parse(ULA))} == set(camera["ips"])
    assert camera["verdicts"][GC] == "nonconforming"
    (line,) = (d for d in report["devices"] if ULA in d["macs"])
    assert "fd00:20::5" in line["ips"]


def test_a_device_with_both_is_one_device_and_is_asked_once(lab, audited):
    db, witnessed, report = audited
    camera = listed(lab, db)[BOTH]
    assert {"10.20.1.3", "fd00:20::3"} < set(camera["ips"])
    assert sum(BOTH in d["macs"] for d in report["devices"]) == 1
    fetched = [
        r for r in witnessed["devices"]["both"]["requests"] if r["line"].startswith("GET / ")
    ]
    assert len(fetched) == 1
    assert witnessed["dead"] == {}  # its two addresses share the pace that it bears


def test_what_is_excluded_or_outside_is_seen_and_never_spoken_to(lab, audited):
    db, witnessed, _ = audited
    assert spoken_to(witnessed) == {"10.20.1.3", "fd00:20::3", "fd00:20::5"}
    assert not any("fd00:20::9" in target for target in witnessed["sent"]["targets"])
    seen = listed(lab, db)
    assert "fd00:20::9" in seen[LEFT]["ips"] and link_local(Mac.parse(FAR)) in seen[FAR]["ips"]
    for name in ("left alone", "far", "local"):
        assert witnessed["devices"][name]["connections"] == 0
    assert witnessed["violations"] == []


def test_each_group_is_asked_once_over_ipv6(audited):
    targets = audited[1]["sent"]["targets"]
    assert targets["ff02::c"] == {"udp6": 2} and targets["ff02::fb"] == {"udp6": 1}


def test_coverage_never_calls_an_ipv6_network_covered(lab, audited):
    run = auditor(lab, audited[0], "coverage", "--json")
    nets = {
        line["network"]: line
        for line in map(json.loads, run.stdout.splitlines())
        if "network" in line
    }
    assert set(nets) == {"10.20.1.0/29", "fd00:20::/64"}
    assert nets["10.20.1.0/29"]["complete"] and not nets["fd00:20::/64"]["complete"]
    left = {gap["reason"]: gap["count"] for gap in nets["fd00:20::/64"]["gaps"]}
    assert left["excluded"] == 1 and left["not_reached"] > 1 << 63


def test_a_link_local_device_is_asked_on_its_link(lab, tmp_path, few):
    db, others = tmp_path / "l.db", [link_local(Mac.parse(mac)) for mac in (ULA, BOTH, LEFT)]
    away = [word for ip in others for word in ("--exclude", ip)]
    before = lab.report()["devices"]
    run = auditor(lab, db, "scan", "fe80::/64", *away, *few)
    assert run.returncode == 0, run.stderr
    after = lab.report()["devices"]
    asked = [r["line"] for r in after["local"]["requests"]]
    assert "GET /description.xml HTTP/1.1" in asked  # where it said, on itself
    camera = listed(lab, db)[LOCAL]
    assert AT in camera["ips"] and camera["maker"] == "Hikvision"
    for name in ("ula", "both", "left alone"):  # the last is where "far" says that it stands
        assert after[name]["connections"] == before[name]["connections"]
    assert after["far"]["connections"] > before["far"]["connections"]


def test_without_frames_the_machines_own_neighbours_are_asked_and_the_rest_is_said(
    lab, tmp_path, few
):
    speak = "import socket; socket.create_connection(('fd00:20::5', 80), 5).close()"
    lab.run([sys.executable, "-c", speak], check=True, timeout=30)
    words = ("scan", "fd00:20::/64", "--engine", "connect", *few)
    run = auditor(lab, tmp_path / "c.db", *words)
    assert "only neighbours that this machine knows already are looked at" in run.stderr
    assert listed(lab, tmp_path / "c.db")[ULA]["standing"] == "confirmed"
    said = auditor(lab, tmp_path / "c.db", "coverage").stdout
    assert "nobody asked its neighbours" in said and "NOT COMPLETE" in said


def test_an_ipv4_mapped_address_is_the_ipv4_address(lab, tmp_path):
    before = lab.report()["devices"]["both"]["connections"]
    words = ("scan", "::ffff:10.20.1.3", "--exclude", "10.20.1.3")
    run = auditor(lab, tmp_path / "m.db", *words)
    assert run.returncode == 2 and "nothing is left to scan" in run.stderr
    assert lab.report()["devices"]["both"]["connections"] == before
