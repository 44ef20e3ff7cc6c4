"""The truth file describes the department that it promises, and nonsense is refused."""

import tomllib
from collections import Counter
from string import Template

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import DataError
from auditor.lab.reading import checked, load, of, ports, shipped
from auditor.lab.truth import Datagram, Fragile, Trap
from auditor.model.address import Mac

TRUTH = load()


def test_it_has_two_segments_and_more_than_eighty_hosts():
    assert len(TRUTH.segments) == 2
    assert len(TRUTH.devices) > 80
    assert len({Mac.parse(device.mac) for device in TRUTH.devices}) == len(TRUTH.devices)


@pytest.mark.parametrize(
    "words",
    [
        "DVRDVS-Webs",
        "App-webs/",
        "Server: webserver",
        "DNVRS-Webs",
        "Login to Vigor",
        "DS218",
        "Axis2",
        "BC Streaming Media",
        "iPolis",
        "AXIS_$mac_digits",
        "VCS-VideoJet",
        "169.254.169.254",
        "file:///",
    ],
)
def test_the_words_that_matter_are_spoken(words):
    assert words in shipped("personas.toml").read_text()


def test_every_persona_and_certificate_is_played_by_somebody():
    played = {name for device in TRUTH.devices for name in device.persona}
    unplayed = set(TRUTH.personas) - played
    assert unplayed <= {"hostile-flood"}, "a flood would drown the demo; tests play it"
    used = {s.tls for d in TRUTH.devices for s in TRUTH.services(d) if getattr(s, "tls", "")}
    assert set(TRUTH.certificates) - used <= {"plain"}


def test_each_kind_of_trouble_is_there():
    by_seen = Counter(device.seen for device in TRUTH.devices)
    assert by_seen["group"] == 2
    assert sum(device.silent for device in TRUTH.devices) >= 6
    assert sum(device.fragile == Fragile() for device in TRUTH.devices) >= 2
    assert any(Mac.parse(device.mac).is_local for device in TRUTH.devices)
    assert any(device.range and device.range_open for device in TRUTH.devices)
    assert any(device.range and not device.range_open for device in TRUTH.devices)
    traps = {
        p for d in TRUTH.devices for s in TRUTH.services(d) if isinstance(s, Trap) for p in ports(s)
    }
    assert {9100, 515, 502} <= traps


def test_a_listed_device_has_a_maker_and_the_innocent_ones_have_none_of_the_listed():
    listed = {device.maker for device in TRUTH.devices if device.listed}
    assert listed == {"Hikvision", "EZVIZ"}
    assert not [d.name for d in TRUTH.devices if not d.listed and d.maker in listed]


def test_a_device_s_own_variables_win_over_its_persona_s():
    stairs = TRUTH.device("stairs-cam")
    assert TRUTH.words(stairs)["realm"] == "IP Camera(D2959)"
    assert TRUTH.words(TRUTH.device("lobby-cam"))["realm"] == "IP Camera(C1214)"


def test_no_text_of_a_device_leaves_a_variable_unfilled():
    asked = {"cseq", "uuid", "message", "search", "length", "target"}
    for device in TRUTH.devices:
        known = set(TRUTH.words(device)) | asked
        for service in TRUTH.services(device):
            texts = [getattr(service, "reply", ""), getattr(service, "text", "")]
            texts += [
                part
                for route in getattr(service, "routes", ())
                for part in (route.head, route.body)
            ]
            unknown = {n for text in texts for n in Template(text).get_identifiers()} - known
            assert not unknown, f"{device.name}: {unknown}"


def test_a_list_needs_to_say_only_what_matters():
    truth = of([{}, {"ip": "10.9.0.7"}, {"persona": "axis"}], ["10.20.1.0/24", "10.9.0.0/24"])
    assert [(d.ip, d.segment) for d in truth.devices] == [
        ("10.20.1.1", "lan0"),
        ("10.9.0.7", "lan1"),
        ("10.20.1.3", "lan0"),
    ]
    assert {Mac.parse(d.mac).is_local for d in truth.devices} == {True}
    assert truth.segments[1].interface == "10.9.0.254/24"


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ({"services": [{"kind": "http", "port": 80}] * 2}, "port 80 is served twice"),
        ({"services": [{"kind": "http", "port": 443, "tls": "gold"}]}, "no certificate gold"),
        ({"services": [{"kind": "gopher", "port": 70}]}, "gopher"),
        ({"segment": "moon"}, "no segment moon"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_device_that_cannot_be_played_is_refused_with_the_reason(device, reason):
    with pytest.raises(DataError) as caught:
        of([device])
    assert reason in caught.value.why


def test_a_file_that_is_no_toml_is_refused(tmp_path):
    path = tmp_path / "truth.toml"
    path.write_text("[[segments")
    with pytest.raises(DataError, match="cannot be read as TOML"):
        load(path)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["segments", "devices", "personas", "name", "ip"]), inner
            )
        ),
        max_leaves=8,
    )
)
def test_any_other_content_is_refused_and_never_crashes(content):
    with pytest.raises(DataError):
        checked(content, "this")


def test_the_data_files_are_what_the_reader_reads():
    raw = tomllib.loads(shipped("department.toml").read_text())
    assert len(raw["devices"]) == len(TRUTH.devices)
    kinds = Counter(
        s.kind for p in TRUTH.personas.values() for s in p.services if isinstance(s, Datagram)
    )
    assert {"sadp", "dhip", "wsd", "ssdp", "mdns", "snmp", "sip"} <= set(kinds)
