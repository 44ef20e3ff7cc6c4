"""Asked of every sweep: one question, no harm, and any answer is read or ignored."""

import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import auditor
from auditor.plugins import Medium, Sweep, load
from tests.drive import CAPTURES

SWEEPS = load("auditor.sweeps", "SWEEP", Sweep)
GROUPS = [sweep for sweep in SWEEPS if sweep.medium is Medium.GROUP]
READERS = [sweep for sweep in SWEEPS if sweep.read]
DATA = Path(auditor.__file__).parent / "data"
CORPUS = {path.name: path.read_bytes() for path in sorted(CAPTURES.iterdir()) if path.is_file()}
ROOMS = tomllib.loads((DATA / "fields.toml").read_text("utf-8"))
FIELDS = {"mac"} | {f"{room}.{name}" for room, of in ROOMS.items() for name in of.get("fields", ())}
SENDER = "192.0.2.64"
ETHERNET = bytes.fromhex("01005e7ffffac42f900000010800")

every_group = pytest.mark.parametrize("sweep", GROUPS, ids=lambda sweep: sweep.name)
every_reader = pytest.mark.parametrize("sweep", READERS, ids=lambda sweep: sweep.name)


def read(sweep, raw):
    found = sweep.read(raw, SENDER)
    for one in found:
        assert one.endpoint.ip or one.endpoint.mac
        assert {seen.field for seen in one.observations} <= FIELDS
        for seen in one.observations:
            assert "\x00" not in seen.value
            seen.value.encode("utf-8")
    return found


def framed(sweep, payload, port):
    """Give what the sweep is handed: a datagram's payload, or a whole frame."""
    if sweep.medium is Medium.GROUP:
        return payload
    udp = port.to_bytes(2, "big") * 2 + (len(payload) + 8).to_bytes(2, "big") + bytes(2)
    ip = b"\x45\0" + (len(payload) + 28).to_bytes(2, "big") + bytes(4) + b"\x01\x11\0\0"
    return ETHERNET + ip + bytes.fromhex("c0000240effffffa") + udp + payload


def test_the_names_are_those_of_the_design():
    assert {sweep.name for sweep in SWEEPS} == {
        "arp", "connect", "dhip", "icmp", "knock", "mdns", "mdns6", "ndp", "onvif", "onvif6",
        "passive", "sadp", "ssdp", "ssdp6", "syn",
    }  # fmt: skip


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_it_says_on_whose_authority_and_by_which_engine(sweep):
    assert sweep.source
    assert bool(sweep.group and sweep.port and sweep.request) == (sweep.medium is Medium.GROUP)
    assert bool(sweep.kind) == (sweep.medium is Medium.FRAME)
    assert sweep.kind in {"", "arp", "syn", "knock", "icmp", "ndp"}


@every_group
def test_it_asks_in_one_unfragmented_datagram_and_hears_no_echo(sweep):
    question = sweep.request(0xFEDCBA98765432100123456789ABCDEF)
    assert len(question) <= 1400
    assert sweep.read(question, SENDER) == ()


@every_group
def test_its_port_is_not_among_those_that_are_never_touched(sweep):
    never = tomllib.loads((DATA / "ports.toml").read_text("utf-8"))["never"]
    assert sweep.port not in {port for ports in never.values() for port in ports}


@every_group
@settings(max_examples=30, deadline=None)
@given(number=st.integers(0, 2**128 - 1))
def test_any_message_id_makes_a_question(sweep, number):
    question = sweep.request(number)
    assert sweep.read(question, SENDER) == ()
    assert len(question) == len(sweep.request(0))


@every_reader
def test_every_capture_cut_short_at_any_length_is_read_or_ignored(sweep):
    for raw in CORPUS.values():
        for port in (sweep.port,) if sweep.port else (5353, 1900, 3702, 37020, 37810, 5050, 67):
            for end in range(0, len(raw) + 1, 1 if len(raw) < 300 else 11):
                read(sweep, framed(sweep, raw[:end], port))


@every_reader
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    raw=st.binary(max_size=300), port=st.sampled_from([67, 1900, 3702, 5050, 5353, 37020, 37810])
)
def test_random_bytes_tell_nothing_or_something_sound(sweep, raw, port):
    read(sweep, raw)
    read(sweep, framed(sweep, raw, port))


@every_reader
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_captures_with_bytes_changed_are_read_or_ignored(sweep, data):
    raw = bytearray(data.draw(st.sampled_from(list(CORPUS.values()))))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    read(sweep, framed(sweep, bytes(raw), sweep.port or 5353))


HOSTILE = {
    "brackets": b"<" * 65_000,
    "open tags": b"<ProbeMatch>" * 5_000,
    "comments": b"<!--" * 16_000,
    "cdata": b"<![CDATA[" * 7_000,
    "deep json": b'{"a":' * 12_000,
    "deep list": b'{"method":' + b"[" * 60_000,
    "big number": b'{"method":"client.notifyDevInfo","n":' + b"9" * 60_000 + b"}",
    "pointers": b"\0\0\x84\0\0\0\xff\xff\0\0\0\0" + b"\xc0\x0c" * 30_000,
    "far pointers": b"\0\0\x84\0\0\0\xff\xff\0\0\0\0"
    + (b"\x3f" + b"a" * 63) * 250
    + b"\xc0\x0c" * 20_000,
    "headers": b"HTTP/1.1 200 OK\r\n" + b"A:b\r\n" * 12_000,
    "entities": b'<!DOCTYPE x [<!ENTITY a "&a;&a;">]><ProbeMatch><MAC>&a;&a;</MAC></ProbeMatch>'
    * 500,
    "options": b"\xb3" + b"\xff" * 60_000,
}


@every_reader
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_datagram_costs_little_time(sweep, name):
    raw = HOSTILE[name]
    began = time.process_time()
    read(sweep, framed(sweep, raw[:65_000], sweep.port or 5353))
    assert time.process_time() - began < 0.5
