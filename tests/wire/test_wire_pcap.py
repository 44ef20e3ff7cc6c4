"""Captures in every dialect, whole and damaged."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.config import conf

from auditor.errors import DataError
from auditor.wire import pcap
from auditor.wire.sightings import sightings
from tests.drive import capture

conf.route_autoload = False
from scapy.utils import PcapNgWriter, PcapWriter  # noqa: E402

ARP = capture("frame_arp_vlan.bin")
IP_PACKET = capture("frame_sadp_multicast.bin")[14:]
MOMENT = 1_709_543_722.5


def classic(order, magic, packets, link=1):
    raw = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    ticks = 10**9 if magic == 0xA1B23C4D else 10**6
    extra = bytes(8) if magic == 0xA1B2CD34 else b""
    for data in packets:
        raw += (
            struct.pack(order + "IIII", int(MOMENT), ticks // 2, len(data), len(data))
            + extra
            + data
        )
    return raw


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order, link=1, options=b""):
    return block(order, 1, struct.pack(order + "HHI", link, 0, 0) + options)


def enhanced(order, data, which=0, ticks=0):
    head = struct.pack(
        order + "IIIII", which, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)
    )
    return block(order, 6, head + data)


def read(raw):
    return list(pcap.read_captures(io.BytesIO(raw)))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34])
def test_every_classic_dialect_is_read(order, magic):
    raw = classic(order, magic, [ARP, b"", ARP])
    assert pcap.is_capture(raw[:4])
    found = read(raw)
    assert [one.frame for one in found] == [ARP, b"", ARP]
    assert [one.number for one in found] == [1, 2, 3]
    assert {one.moment for one in found} == {MOMENT}


@pytest.mark.parametrize("writer", [PcapWriter, PcapNgWriter])
def test_what_another_implementation_writes_is_read(writer, tmp_path):
    from scapy.layers.l2 import Ether

    path = tmp_path / "x.pcap"
    packet = Ether(ARP)
    packet.time = MOMENT
    with writer(str(path)) as out:
        out.write(packet)
    (found,) = read(path.read_bytes())
    assert (found.frame, found.moment) == (ARP, MOMENT)


@pytest.mark.parametrize("order", "<>")
def test_pcapng_blocks_of_every_kind_are_read_or_stepped_over(order):
    simple = block(order, 3, struct.pack(order + "I", len(ARP)) + ARP)
    old = block(
        order, 2, struct.pack(order + "HHIIII", 0, 0, 0, 1_000_000, len(ARP), len(ARP)) + ARP
    )
    unknown = block(order, 0x0BAD, b"anything")
    nano = interface(order, options=struct.pack(order + "HHB3x", 9, 1, 9))
    raw = section(order) + nano + unknown + simple + old + enhanced(order, ARP, ticks=5 * 10**8)
    found = read(raw)
    assert [one.moment for one in found] == [None, 0.001, 0.5]
    assert [sightings(one.frame)[0].endpoint.ip for one in found] == ["192.0.2.64"] * 3


def test_a_second_section_may_have_the_other_byte_order():
    raw = b"".join(section(o) + interface(o) + enhanced(o, ARP) for o in "<>")
    assert [one.frame for one in read(raw)] == [ARP, ARP]


def test_a_resolution_in_powers_of_two_is_understood():
    raw = section("<") + interface("<", options=struct.pack("<HHB3x", 9, 1, 0x80 | 10))
    assert read(raw + enhanced("<", ARP, ticks=512))[0].moment == 0.5


@pytest.mark.parametrize(
    ("link", "packet"),
    [
        (101, IP_PACKET),
        (12, IP_PACKET),
        (0, b"\x02\0\0\0" + IP_PACKET),
        (113, b"\0\x02\0\x01\0\x06" + bytes.fromhex("c42f900000010000") + b"\x08\0" + IP_PACKET),
        (
            276,
            b"\x08\0\0\0\0\0\0\x02\0\x01\x02\x06" + bytes.fromhex("c42f900000010000") + IP_PACKET,
        ),
    ],
    ids=["raw", "raw (BSD)", "loopback", "cooked", "cooked 2"],
)
def test_other_link_types_tell_the_same_device(link, packet):
    (found,) = read(classic("<", 0xA1B2C3D4, [packet], link))
    (seen,) = sightings(found.frame)
    assert seen.endpoint.ip == "192.0.2.64"


def test_a_link_type_without_ip_has_no_frames():
    (found,) = read(classic("<", 0xA1B2C3D4, [ARP], link=127))
    assert found.frame is None


def read_until_damaged(raw):
    found = []
    try:
        found.extend(one for one in pcap.read_captures(io.BytesIO(raw)))
    except DataError as error:
        return found, error.what
    return found, ""


@pytest.mark.parametrize(
    "whole",
    [
        classic("<", 0xA1B2C3D4, [ARP, ARP]),
        section("<") + interface("<") + enhanced("<", ARP) * 2,
    ],
    ids=["classic", "pcapng"],
)
def test_a_capture_cut_anywhere_gives_what_came_before_and_says_so(whole):
    said = set()
    for end in range(len(whole)):
        stream = pcap.read_captures(io.BytesIO(whole[:end]))
        first = next(stream, None) if end > len(whole) - 40 else None
        assert first is None or first.frame == ARP
        said.add(read_until_damaged(whole[:end])[1])
    assert any("ends in the middle of packet 2" in what for what in said)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"PK\x03\x04" + bytes(60),
        classic("<", 0xA1B2C3D4, [])[:24] + struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 0),
        section("<") + b"\x06\0\0\0\xff\xff\xff\xff",
        section("<") + b"\x06\0\0\0\x0d\0\0\0",
        section("<") + enhanced("<", ARP),
        section("<") + interface("<") + block("<", 6, b"short"),
        section("<") + block("<", 1, b"xx"),
        b"\x0a\x0d\x0d\x0a\x1c\0\0\0\0\0\0\0",
    ],
    ids=[
        "empty",
        "zip",
        "huge packet",
        "huge block",
        "odd block",
        "no interface",
        "short packet",
        "short interface",
        "no order",
    ],
)
def test_what_is_damaged_is_said_to_be(raw):
    with pytest.raises(DataError):
        read(raw)


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", classic("<", 0xA1B2C3D4, []), section(">") + interface(">")]),
)
def test_random_bytes_are_a_data_error_or_packets(rest, start):
    try:
        read(start + rest)
    except DataError:
        return


def test_it_is_known_by_its_first_bytes():
    assert pcap.is_capture(section("<")[:4])
    assert not pcap.is_capture(b"")
    assert not pcap.is_capture(b"%PDF")
