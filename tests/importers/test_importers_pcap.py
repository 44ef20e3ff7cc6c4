"""Captures: devices that somebody overheard; most packets speak of nobody and are passed over."""

import io
import os
import resource
import struct
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.commands.source_file import opened
from auditor.errors import DataError, UsageError
from auditor.importers.pcap import may_tell, read
from auditor.model.observation import Attempt, Origin
from auditor.plugins import Options, Rejected
from auditor.wire.pcap import read_captures
from auditor.wire.sightings import sightings

SAMPLES = Path(__file__).parent / "samples" / "pcap"
MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)
MAC = bytes.fromhex("4419b6002801")
ARP = b"\xff" * 6 + MAC + b"\x08\x06" + struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, MAC, bytes((10, 28, 0, 1)), bytes(6), bytes(4))  # fmt: skip


def capture(*packets, link=1):
    """packets: (seconds, frame)."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, link)
    return head + b"".join(struct.pack("<IIII", s, 0, len(f), len(f)) + f for s, f in packets)


def items(raw):
    return list(read(io.BytesIO(raw), Options("hq", MOMENT, name="f")))


def facts(found):
    return [item for item in found if isinstance(item, Attempt)]


def said(attempt):
    return {o.field: o.value for o in attempt.observations}


@pytest.mark.parametrize("name", ["lan.pcap", "lan.pcapng", "killed.pcap"])
def test_devices_are_told_with_time_tag_and_raw_bytes(name):
    arp, tagged, dhcp, web = facts(items((SAMPLES / name).read_bytes()))
    assert (arp.endpoint.ip, arp.endpoint.mac) == ("10.28.0.1", "44:19:b6:00:28:01")
    assert arp.started == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert tagged.endpoint.vlan == 128
    assert said(dhcp)["dhcp.vendor_class"] == "acme-cam"
    assert said(web)["http.server"] == "Acme-Webs/1.0"
    assert web.endpoint.mac is None  # a router may have passed it on
    assert all(a.origin is Origin.SIGHTING for a in (arp, tagged, dhcp, web))
    assert all(o.raw for o in (*arp.observations, *web.observations))


@pytest.mark.parametrize("name", ["lan.pcap", "lan.pcapng"])
def test_a_capture_may_end_anywhere(name):
    raw = (SAMPLES / name).read_bytes()
    for cut in range(len(raw)):
        try:
            found = items(raw[:cut])
        except DataError:
            continue
        assert len(facts(found)) <= 4
        assert sum(isinstance(item, Rejected) for item in found) <= 1


def test_a_sighting_is_taken_once_an_hour():
    times = (0, 10, 1_000, 3_599, 3_600, 3_700)
    found = facts(items(capture(*((1_700_000_000 + t, ARP) for t in times))))
    assert [int(f.started.timestamp()) - 1_700_000_000 for f in found] == [0, 3_600]


def test_a_time_that_cannot_be_is_not_believed():
    assert facts(items(capture((0, ARP))))[0].started == MOMENT
    assert facts(items(capture((0xFFFFFFFF, ARP))))[0].started == MOMENT


def test_a_link_that_is_not_read_is_said():
    (only,) = items(capture((1, ARP), (2, ARP), link=105))
    assert "2 packets" in only.reason


def test_what_is_no_capture_is_refused():
    with pytest.raises(DataError, match="no packet capture"):
        items(b"hello, this is text")


def test_the_quick_look_passes_nothing_over_that_tells_of_a_device():
    for packet in read_captures(io.BytesIO((SAMPLES / "lan.pcap").read_bytes())):
        assert may_tell(packet.frame) == bool(sightings(packet.frame))


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from([b"\x08\x06", b"\x08\x00", b"\x86\xdd", b"\x81\x00\x00\x05\x08\x00"]),
    rest=st.binary(max_size=120),
)
def test_the_quick_look_agrees_with_the_long_one(kind, rest):
    frame = b"\xff" * 6 + MAC + kind + rest
    if sightings(frame):
        assert may_tell(frame)


@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=300), start=st.sampled_from([b"", capture(), b"\x0a\x0d\x0d\x0a"]))
def test_noise_is_records_or_a_refusal_in_words(raw, start):
    with suppress(DataError):
        items(start + raw)


def test_a_large_capture_needs_no_more_memory_than_a_small_one(tmp_path):
    video = MAC * 2 + b"\x08\x00" + bytes(1_000)
    path = tmp_path / "large.pcap"
    with path.open("wb") as out:
        out.write(capture((1_700_000_000, ARP)))
        for _ in range(100):
            out.write(capture(*((1_700_000_000, video) for _ in range(500)))[24:])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with path.open("rb") as file:
        found = list(read(file, Options("hq", MOMENT, name="f")))
    assert len(found) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000  # kB


def test_a_symbolic_link_is_not_followed(tmp_path):
    link = tmp_path / "capture.pcap"
    os.symlink(SAMPLES / "lan.pcap", link)
    with pytest.raises(UsageError, match="symbolic link"), opened(link):
        pass
