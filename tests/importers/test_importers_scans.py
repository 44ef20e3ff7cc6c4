"""Scans of other programs: nmap, masscan, arp-scan, runZero, the GLPI agent; whole, cut, hostile."""

import io
import json
import resource
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import DataError
from auditor.importers import arp_scan, glpi_agent_xml, masscan, nmap_xml, runzero_jsonl
from auditor.model.observation import Attempt, Origin
from auditor.plugins import Noted, Options, Rejected, Sample

SAMPLES = Path(__file__).parent / "samples"
MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)
READERS = [arp_scan, glpi_agent_xml, masscan, nmap_xml, runzero_jsonl]


def read(module, raw):
    raw = raw.encode() if isinstance(raw, str) else raw
    return list(module.read(io.BytesIO(raw), Options("hq", MOMENT, name="f")))


def facts(items):
    return [item for item in items if isinstance(item, Attempt)]


def refused(items):
    return [item for item in items if isinstance(item, Rejected)]


def said(attempt):
    return {o.field: o.value for o in attempt.observations}


def sample(name):
    return (SAMPLES / name).read_bytes()


# ---------------------------------------------------------------- nmap


def nmap(hosts):
    return f'<?xml version="1.0"?>\n<!DOCTYPE nmaprun>\n<nmaprun start="1">{hosts}</nmaprun>'


def host(ip="10.0.0.1", more=""):
    return f'<host><status state="up"/><address addr="{ip}" addrtype="ipv4"/>{more}</host>'


def port(script="", service='<service name="http"/>', number=80):
    state = '<state state="open"/>'
    return f'<ports><port protocol="tcp" portid="{number}">{state}{service}{script}</port></ports>'


def test_a_host_and_each_open_port_are_records_of_the_scans_own_time():
    first, *ports = facts(read(nmap_xml, sample("nmap_xml/nmap.xml")))
    assert (first.endpoint.ip, first.endpoint.mac) == ("10.24.0.1", "44:19:b6:00:24:01")
    assert first.started == datetime(2023, 11, 14, 22, 13, 40, tzinfo=UTC)
    assert first.origin is Origin.SIGHTING
    assert said(first)["device.hostname"] == "cam-nmap.example.org"
    assert [p.endpoint.port for p in ports] == [22, 443, 554]  # 81 is closed


def test_what_scripts_read_is_taken_and_the_product_stays_nmaps_opinion():
    ssh, web, rtsp = (said(p) for p in facts(read(nmap_xml, sample("nmap_xml/nmap.xml")))[1:])
    assert ssh["ssh.banner"] == "SSH-2.0-dropbear_2016.74"
    assert web["http.server"] == "Acme-Webs/1.0"
    assert web["http.title"] == "Acme login page"
    assert (web["tls.subject"], web["tls.issuer"]) == ("CN=acme-cam,O=Acme", "CN=Acme CA")
    assert web["nmap.product"] == "Acme-Webs"
    assert rtsp["rtsp.public"] == "OPTIONS, DESCRIBE, SETUP"


def test_a_host_that_was_down_is_no_device():
    (only,) = refused(read(nmap_xml, sample("nmap_xml/nmap.xml")))
    assert (only.reason, only.text) == ("was down", "10.24.0.2")


def test_a_hint_says_a_host_only_once():
    hint = '<hosthint><status state="up"/><address addr="10.0.0.9" addrtype="ipv4"/></hosthint>'
    assert [f.endpoint.ip for f in facts(read(nmap_xml, nmap(hint + host())))] == ["10.0.0.1"]


def test_a_resumed_scan_has_several_roots_and_all_are_read():
    found = {f.endpoint.ip for f in facts(read(nmap_xml, sample("nmap_xml/nmap_resumed.xml")))}
    assert found == {"10.24.0.1", "10.24.0.5"}


def test_a_scan_that_was_killed_and_resumed_loses_nothing_but_the_end_of_its_first_part():
    items = read(nmap_xml, sample("nmap_xml/nmap_killed.xml") + sample("nmap_xml/nmap.xml"))
    assert len(facts(items)) == 3 + 4
    assert [type(item) for item in items if isinstance(item, Noted)] == [Noted]


@pytest.mark.parametrize("cut", range(0, len(sample("nmap_xml/nmap.xml")), 7))
def test_a_scan_may_end_anywhere(cut):
    try:
        found = facts(read(nmap_xml, sample("nmap_xml/nmap.xml")[:cut]))
    except DataError:
        return
    assert {f.endpoint.ip for f in found} <= {"10.24.0.1"}


@pytest.mark.parametrize(
    ("script", "field", "value"),
    [
        ('<script id="http-title" output="Did not follow redirect to http://10.0.0.1/x"/>', "http.title", None),
        ('<script id="http-title" output="Site doesn\'t have a title."/>', "http.title", None),
        ('<script id="http-title" output="Web Service"/>', "http.title", "Web Service"),
        ('<script id="http-auth" output="&#xa;HTTP/1.1 401&#xa;  Digest realm=IP Camera"/>', "http.wwwauth", "Digest realm=IP Camera"),
        ('<script id="http-headers" output="&#xa;  Server: x/1&#xa;  Location: /doc"/>', "http.location", "/doc"),
        ('<script id="http-favicon" output="Unknown favicon MD5: 89B932FCC47CF4CA3FAADB0CFDEF89CF"/>', "http.favicon_md5", "89b932fcc47cf4ca3faadb0cfdef89cf"),
    ],
)  # fmt: skip
def test_a_script_tells_what_the_device_sent_or_nothing(script, field, value):
    found = facts(read(nmap_xml, nmap(host(more=port(script)))))[-1]
    assert said(found).get(field) == value


def test_characters_that_xml_cannot_hold_cost_nothing():
    script = '<script id="http-title" output="a&#0;b\x01c&#x1b;d"/>'
    assert said(facts(read(nmap_xml, nmap(host(more=port(script)))))[-1])["http.title"] == "a b c d"


BOMB = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))


@pytest.mark.parametrize("module", [nmap_xml, glpi_agent_xml])
@pytest.mark.parametrize(
    "definitions",
    [
        f'<!ENTITY a0 "lol">{BOMB}',
        '<!ENTITY a0 SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a0 SYSTEM "http://10.0.0.1/x.dtd"> %a0;',
        f'<!ENTITY a0 "{"x" * 100_000}">',
    ],
)
def test_entities_are_refused_before_they_grow(module, definitions):
    root = "nmaprun" if module is nmap_xml else "REQUEST"
    with pytest.raises(DataError, match="entities"):
        read(module, f"<!DOCTYPE {root} [{definitions}]><{root}>&a0;</{root}>")


@pytest.mark.parametrize(
    "body",
    ["<a>" * 100_000, "<host>" + "<a/>" * 300_000, "<host>" * 70],
    ids=["deep", "wide", "nested"],
)
def test_a_hostile_shape_is_refused(body):
    with pytest.raises(DataError):
        read(nmap_xml, f"<nmaprun>{body}")


def test_a_long_scan_needs_no_more_memory_than_a_short_one():
    class Endless(io.RawIOBase):
        def __init__(self):
            self.left = 40_000

        def read(self, size=-1):
            self.left -= 100
            return host(more=port()).encode() * 100 if self.left >= 0 else b""

    class Scan(Endless):
        begun = False

        def read(self, size=-1):
            if not self.begun:
                self.begun = True
                return b"<nmaprun>"
            return super().read(size)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = sum(1 for _ in nmap_xml.read(Scan(), Options("hq", MOMENT, name="f")))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert count > 79_000
    assert grown < 30_000  # kB


def test_another_xml_is_no_scan():
    with pytest.raises(DataError, match="begins with <html>"):
        read(nmap_xml, "<html></html>")


# ---------------------------------------------------------------- masscan


def test_ports_and_banners_are_records():
    state, banner = facts(read(masscan, sample("masscan/masscan.json")))
    assert (state.endpoint.ip, state.endpoint.port) == ("10.20.0.1", 80)
    assert said(state) == {"device.port_state": "open"}
    assert said(banner)["http.server"] == "Acme-Webs/1.0"
    assert banner.started == datetime(2023, 11, 14, 22, 13, 21, tzinfo=UTC)


def test_lines_of_json_say_the_same():
    state, banner = facts(read(masscan, sample("masscan/masscan.ndjson")))
    assert said(state) == {"device.port_state": "open"}
    assert said(banner) == {"ssh.banner": "SSH-2.0-dropbear_2016.74"}


def one(n):
    return {"ip": f"10.0.0.{n}", "timestamp": "1700000000",
            "ports": [{"port": 80, "proto": "tcp", "status": "open"}]}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([one(1), one(2)]),
        json.dumps([one(1), one(2)], indent=2),
        f"[\n{json.dumps(one(1))}\n,\n{json.dumps(one(2))}\n",
        f"[\n{json.dumps(one(1))},\n{json.dumps(one(2))},\n{{finished: 1}}\n]",
        f"{json.dumps(one(1))}\n{json.dumps(one(3))[:40]}\n{json.dumps(one(2))}\n",
    ],
    ids=["one-line", "indented", "killed", "old-version", "a-torn-line"],
)
def test_records_are_found_however_they_are_laid_out(text):
    assert [f.endpoint.ip for f in facts(read(masscan, text))] == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize("cut", range(len(sample("masscan/masscan.json"))))
def test_a_masscan_may_end_anywhere(cut):
    try:
        items = read(masscan, sample("masscan/masscan.json")[:cut])
    except DataError:
        return
    assert {f.endpoint.ip for f in facts(items)} <= {"10.20.0.1"}


def test_what_names_no_device_or_port_is_told_with_its_line():
    lines = [json.dumps({"ip": "224.0.0.1", "ports": []}), json.dumps({"ip": "10.0.0.1", "port": 99_999}), json.dumps(one(1))]  # fmt: skip
    assert [(r.line, r.reason) for r in refused(read(masscan, "\n".join(lines)))] == [
        (1, "names no address of a device"),
        (2, "names no port"),
    ]


def test_an_endless_object_is_let_go():
    raw = b'{"ip": "10.0.0.1", "x": "' + b"a\n" * 2_000_000 + json.dumps(one(2)).encode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with suppress(DataError):
        read(masscan, raw)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000


# ---------------------------------------------------------------- arp-scan


def test_an_answer_is_taken_once_with_its_tag():
    first, second = facts(read(arp_scan, sample("arp_scan/arp_scan.txt")))
    assert (first.endpoint.ip, first.endpoint.mac) == ("10.21.0.1", "44:19:b6:00:21:01")
    assert (second.endpoint.vlan, first.endpoint.vlan) == (120, None)


def test_three_cameras_at_one_factory_address_are_three_sightings():
    text = (
        "192.168.1.64\t44:19:b6:0b:00:01\tAcme\n192.168.1.64\t44:19:b6:0b:00:02\tAcme (DUP: 2)\n"
        "192.168.1.64\t44:19:b6:0b:00:03\tAcme (DUP: 3)\n192.168.1.64\t44:19:b6:0b:00:02\tAcme (DUP: 4)\n"
    )
    items = read(arp_scan, text)
    assert [(f.endpoint.ip, f.endpoint.mac[-2:]) for f in facts(items)] == [
        ("192.168.1.64", "01"),
        ("192.168.1.64", "02"),
        ("192.168.1.64", "03"),
    ]
    assert not refused(items)


def test_columns_may_stand_in_any_order():
    (found,) = facts(read(arp_scan, "Acme\t44:19:b6:00:21:07\t10.21.0.7\n"))
    assert (found.endpoint.ip, found.endpoint.mac) == ("10.21.0.7", "44:19:b6:00:21:07")


def test_a_scan_that_nobody_answered_is_whole():
    text = "Starting arp-scan 1.9.7 with 256 hosts\n\n0 packets received by filter\n"
    assert read(arp_scan, text) == []


# ---------------------------------------------------------------- GLPI agent


def test_devices_of_both_tasks_are_read():
    first, second = facts(read(glpi_agent_xml, sample("glpi_agent_xml/netdiscovery.xml")))
    assert said(first)["device.serial"] == "ACME2501X"
    assert said(first)["snmp.sysdescr"] == "Acme Camera AC-9 V1.2"
    assert (second.endpoint.ip, second.endpoint.mac) == ("10.25.0.2", "44:19:b6:00:25:02")


def test_a_community_is_never_taken():
    text = "<REQUEST><CONTENT><DEVICE><IP>10.0.0.1</IP><COMMUNITY>Tr0ub4dor</COMMUNITY><AUTHSNMP>Tr0ub4dor</AUTHSNMP></DEVICE></CONTENT></REQUEST>"  # fmt: skip
    assert "Tr0ub4dor" not in repr(read(glpi_agent_xml, text))


# ---------------------------------------------------------------- runZero


@pytest.mark.parametrize("name", ["assets.json", "assets.jsonl"])
def test_assets_of_runzero_are_read_alike_as_array_and_as_lines(name):
    found = facts(read(runzero_jsonl, sample(f"runzero_jsonl/{name}")))
    assert len(found) == 2
    assert said(found[0])["http.server"] == "Acme-Webs/1.0"
    assert found[0].started.year == 2023


def test_an_asset_that_is_too_large_is_refused_and_not_held():
    raw = b'[{"names": ["a"]}, {"names": ["' + b"x" * (40 << 20) + b'"]}]'
    items = read(runzero_jsonl, raw)
    assert len(facts(items)) == 1
    assert "too large" in refused(items)[0].reason


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize("module", READERS, ids=lambda m: m.IMPORTER.name)
@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=400), start=st.sampled_from([b"", b"<nmaprun>", b"<REQUEST>", b"{", b'[{"ip":', b"10.0.0.1\t"]))  # fmt: skip
def test_noise_is_records_or_a_refusal_in_words(module, raw, start):
    found = module.recognise(Sample("x", start + raw, len(start + raw)))
    assert 0 <= found <= 100
    with suppress(DataError):
        items = read(module, start + raw)
        assert all(isinstance(item, Attempt | Rejected | Noted) for item in items)
