"""Other departments than the shipped one: forgers, clones, impostors, and who is left alone.

Devices here speak as real ones do, but none of them comes from the shipped personas.
"""

import json
import os
import sys
from pathlib import Path

import pytest

from auditor.errors import EnvironmentLack
from auditor.lab.department import Department
from auditor.model.address import AddressSet

ROOT = Path(__file__).parent.parent
GC = "ca-gc-hikvision-2025"
ACCUSED = {"nonconforming", "review"}
EXCLUDED = "10.20.1.29"
GHOST = "44:19:b6:77:00:27"  # of which a forger says that it is at 10.20.1.27

pytestmark = [pytest.mark.network, pytest.mark.slow]


def web(port=80, head="Server: nginx", body="<html></html>", status="200 OK", **more):
    head = f"HTTP/1.1 {status}\n{head}\nContent-Length: $length\nConnection: close\n"
    return {"kind": "http", "port": port, "routes": [{"head": head, "body": body}], **more}


def rtsp(realm, port=554):
    head = f'RTSP/1.0 401 Unauthorized\nCSeq: $cseq\nWWW-Authenticate: Digest realm="{realm}"\n'
    return {"kind": "rtsp", "port": port, "routes": [{"head": head}]}


def sadp(serial, mac="$mac_dashes", ip="$ip", to="group"):
    said = (
        f"<DeviceDescription>DS-2CD2143G0-I</DeviceDescription><MAC>{mac}</MAC>"
        f"<DeviceSN>DS-2CD2143G0-I20190910AAWRD{serial}</DeviceSN><IPv4Address>{ip}</IPv4Address>"
        "<SoftwareVersion>V5.5.82build 190910</SoftwareVersion>"
    )
    text = f"<ProbeMatch><Uuid>$uuid</Uuid><Types>inquiry</Types>{said}</ProbeMatch>"
    return {"kind": "sadp", "to": to, "reply": text}


def onvif(name, hardware, more=""):
    scopes = f"onvif://www.onvif.org/name/{name} onvif://www.onvif.org/hardware/{hardware} {more}"
    return {
        "kind": "wsd",
        "reply": '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><e:Body><d:ProbeMatches>'
        "<d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1b2c-$mac_digits</a:Address>"
        f"</a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>{scopes}"
        "</d:Scopes><d:XAddrs>http://$ip/onvif</d:XAddrs></d:ProbeMatch></d:ProbeMatches>"
        "</e:Body></e:Envelope>",
    }


def at(last, name, mac, *services, **more):
    return {"name": name, "ip": f"10.20.1.{last}", "mac": mac, "services": services, **more}


LISTED = [
    at(1, "recorder on 8080 only", "02:11:22:00:00:01", web(8080, "Server: DNVRS-Webs")),
    at(2, "RTSP only", "02:11:22:00:00:02", rtsp("Hikvision")),
    at(3, "TLS only", "02:11:22:00:00:03",
       web(443, "X: y", status="403 Forbidden", tls="hik-door")),
    at(4, "silent", "bc:ad:28:00:00:04", silent=True),
    at(5, "with a bridge's MAC", "02:11:22:00:00:05",
       onvif("HIKVISION", "DS-2CD2143G0-I", "onvif://www.onvif.org/MAC/44:19:b6:aa:00:09")),
    at(6, "flapping", "44:19:b6:00:00:06", web(head="Server: App-webs/"),
       flap=("02:00:5e:00:00:01", "44:19:b6:00:00:06")),
    at(7, "resets in the middle", "a4:14:37:00:00:07",
       web(head="Server: App-webs/", manner="reset")),
    at(8, "writes without end", "02:14:37:00:00:08",
       web(head="Server: DNVRS-Webs", manner="endless")),
    at(9, "a clone of an address", "44:19:b6:00:00:09", web(head="Server: App-webs/")),
    {**at(0, "factory address", "44:19:b6:00:00:10", sadp("10000010"), on_link=True),
     "ip": "192.168.1.64"},
]  # fmt: skip
INNOCENT = [
    at(11, "camera that one forger claims to be", "ac:cc:8e:00:00:11",
       web(head='WWW-Authenticate: Digest realm="AXIS_ACCC8E000011"', status="401 No")),
    at(12, "camera that another claims to be", "00:09:18:00:00:12", rtsp("iPolis")),
    at(13, "printer whose MAC is claimed", "00:1b:a9:00:00:13", web(head="Server: debut/1.20"),
       {"kind": "trap", "port": 9100}),
    at(14, "restreamer", "dc:a6:32:00:00:14", onvif("HIKVISION%20DS-2CD2143G0-I", "go2rtc")),
    at(15, "portal on every port", "00:0c:29:00:00:15",
       *(web(port, "Location: http://10.20.1.1:8080/doc/page/login.asp", status="302 Found")
         for port in (80, 88, 554, 8000, 8080, 8443, 10554))),
    at(16, "page about cameras", "00:0c:29:00:00:16",
       web(body="<title>Why Hikvision is banned</title> Server: DNVRS-Webs /doc/page/login.asp")),
    at(17, "proxy with a realm", "00:0c:29:00:00:17",
       web(head='WWW-Authenticate: Basic realm="Hikvision cameras"', status="401 No")),
    at(18, "router", "50:c7:bf:00:00:18", web(head="Server: Webs\nLocation: /index.asp")),
]  # fmt: skip
FORGERS = [
    at(21, "forger of both", "00:1b:21:00:00:21", sadp("20000021", "ac-cc-8e-00-00-11", "10.20.1.11")),
    at(22, "forger in a scope", "00:1b:21:00:00:22",
       onvif("HIKVISION", "DS-2CD2143G0-I", "onvif://www.onvif.org/MAC/00:09:18:00:00:12")),
    at(23, "forger of a MAC", "00:1b:21:00:00:23", sadp("20000023", "00-1b-a9-00-00-13")),
    at(24, "forger of the Internet", "00:1b:21:00:00:24",
       sadp("20000024", "44-19-b6-11-22-33", "8.8.8.8", to="sender")),
    at(25, "forger of nobody", "00:1b:21:00:00:25",
       sadp("20000025", GHOST.replace(":", "-"), "10.20.1.27")),
    at(26, "forger of a MAC at an empty address", "00:1b:21:00:00:26",
       sadp("20000026", "dc-a6-32-00-00-14", "10.20.1.28")),
    {**at(9, "who was there first", "00:08:c4:00:00:09", web())},
]  # fmt: skip
LEFT_ALONE = [at(29, "excluded", "44:19:b6:00:00:29", web(head="Server: App-webs/"))]
EVERYBODY = [*LISTED, *INNOCENT, *FORGERS, *LEFT_ALONE]


def department(devices):
    try:
        return Department.of(devices, ["10.20.1.0/27"])
    except EnvironmentLack as lack:
        pytest.skip(f"skipped, because {lack.what}")


def run(lab, db, *words):
    command = [sys.executable, "-m", "auditor", "--db", f"sqlite:///{db}", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return lab.run(command, capture_output=True, text=True, env=env, timeout=120)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """The report of one audit, and what the devices witnessed."""
    out = tmp_path_factory.mktemp("scenarios")
    with department(EVERYBODY) as lab:
        ended = run(lab, out / "ledger.db", "audit", *lab.networks, "--exclude", EXCLUDED,
                    "--pack", GC, "--pace", "300", "--out", str(out / "report"))  # fmt: skip
        witnessed = lab.report()
    assert ended.returncode in {1, 3}, ended.stderr[-2000:]
    return json.loads((out / "report" / "report.json").read_text()), witnessed


def found(report, device):
    return [d for d in report["devices"] if device["mac"] in d["macs"]]


@pytest.mark.parametrize("device", LISTED, ids=[d["name"] for d in LISTED])
def test_a_listed_device_is_found(seen, device):
    (one,) = found(seen[0], device) or [None]
    assert one and one["verdicts"][GC] in ACCUSED


@pytest.mark.parametrize("device", INNOCENT, ids=[d["name"] for d in INNOCENT])
def test_an_innocent_device_is_not_accused(seen, device):
    (one,) = found(seen[0], device)
    assert one["maker"] != "Hikvision" and one["verdicts"][GC] not in ACCUSED


def test_who_shares_an_address_with_a_listed_device_is_not_it(seen):
    (one,) = found(seen[0], FORGERS[-1])
    assert one["verdicts"][GC] not in ACCUSED


def test_who_is_only_claimed_is_looked_at_and_not_condemned(seen):
    for ip in ("10.20.1.27", "10.20.1.28"):
        (one,) = [d for d in seen[0]["devices"] if ip in d["ips"]]
        assert one["verdicts"][GC] == "review" and one["standing"] == "probable"
        assert "nobody_there" in {clash["code"] for clash in one["contradictions"]}
        assert {e["doubt"] for e in one["evidence"]} == {"nobody_there"}
    (one,) = [d for d in seen[0]["devices"] if GHOST in d["macs"]]
    assert one["mac_sources"][0]["sources"] == ["own_reply"]


def test_what_is_only_claimed_covers_no_address(seen):
    gaps = [g for g in seen[0]["coverage"]["not_assessed"] if g["reason"] == "silent"]
    silent = AddressSet.parse(part for gap in gaps for part in gap["ranges"])
    assert "10.20.1.27" in silent and "10.20.1.28" in silent


def test_nobody_is_condemned_on_the_word_of_a_forger(seen):
    condemned = [d for d in seen[0]["devices"] if d["verdicts"][GC] == "nonconforming"]
    listed = {device["mac"] for device in LISTED}
    assert condemned and all(set(d["macs"]) & listed for d in condemned)


def test_a_factory_address_is_condemned_although_no_route_leads_there(seen):
    (one,) = found(seen[0], LISTED[-1])
    assert one["verdicts"][GC] == "nonconforming" and one["contradictions"] == []


def test_nobody_is_placed_where_this_segment_cannot_be(seen):
    ips = {ip for d in seen[0]["devices"] for ip in d["ips"]}
    assert not any(ip.startswith("8.") for ip in ips)


def test_what_is_excluded_hears_nothing_and_nobody_is_hurt(seen):
    _, witnessed = seen
    assert EXCLUDED not in witnessed["sent"]["targets"]
    assert witnessed["violations"] == [] and witnessed["dead"] == {}
    outside = {ip for ip in witnessed["sent"]["targets"] if not ip.startswith("10.20.1.")}
    assert all(ip.startswith(("22", "23", "ff02:")) for ip in outside), "groups only"
