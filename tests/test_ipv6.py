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
        department = Department.of(DEVICES, [LAN])
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


def spoken_to(lab):
    """Who was sent TCP or UDP, without groups."""
    targets = lab.report()["sent"]["targets"]
    talk = {ip for ip, kinds in targets.items() if set(kinds) - {"icmp6", "ip6", "arp", "igmp"}}
    return {ip for ip in talk if not ip.startswith(("ff02:", "239.", "224."))}


def test_a(lab, tmp_path):
    import time
    t=time.time()
    run = auditor(lab, tmp_path / "a.db", "audit", "10.20.1.0/29", "fd00:20::/64", "--exclude", "fd00:20::9", "--out", str(tmp_path / "out"), "--pace", "400")
    print(time.time()-t, run.returncode, run.stdout, run.stderr)
    for mac, d in listed(lab, tmp_path / "a.db").items():
        print(mac, {k: d[k] for k in ("ips", "maker", "model", "standing", "verdicts", "sources")})
    r = lab.report()
    print({ip:k for ip,k in r["sent"]["targets"].items()})
    print(r["violations"], r["dead"])
    print({n:(d["connections"], d["ports"], d["requests"]) for n, d in r["devices"].items()})
    print(auditor(lab, tmp_path / "a.db", "coverage").stdout)
    print(auditor(lab, tmp_path / "a.db", "plan", "10.20.1.0/29", "fd00:20::/64").stdout)
    assert 0
