"""Datagrams in frames: what the kernel would give to a socket is read, all else is for others."""

import random
import socket
import struct

import pytest

from auditor.net.delivered import Receiver, delivered
from auditor.net.link import Frame

OURS, ITS = bytes.fromhex("02aa00000001"), bytes.fromhex("02bb00000066")
GROUP = b"\x01\0\x5e\x7f\xff\xfa"
HERE, CAMERA = "10.9.0.1", "192.168.1.64"
TO = Receiver(
    OURS,
    frozenset([socket.inet_aton(HERE), socket.inet_pton(socket.AF_INET6, "fe80::1")]),
    socket.inet_aton("239.255.255.250"),
    frozenset([37_020, 40_000]),
)
TO6 = Receiver(OURS, TO.own, socket.inet_pton(socket.AF_INET6, "ff02::c"), TO.ports)


def summed(raw):
    total = sum(
        struct.unpack(f"!{len(raw + bytes(len(raw) % 2)) // 2}H", raw + bytes(len(raw) % 2))
    )
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def frame(said=b"CAMERA", ip=HERE, sender=CAMERA, port=40_000, mac=OURS, pieces=0, check=None,
          size=None, words=5, wrong=0):  # fmt: skip
    source, target = socket.inet_aton(sender), socket.inet_aton(ip)
    long = 8 + len(said)
    head = struct.pack("!HHH", 3702, port, long if size is None else size)
    if check is None:
        check = summed(source + target + struct.pack("!HH", 17, long) + head + b"\0\0" + said)
    udp = head + struct.pack("!H", check) + said
    more = bytes(4 * (words - 5))
    top = struct.pack("!BBHHHBB", 0x40 | words, 0, 4 * words + long, 1, pieces, 1, 17)
    top += struct.pack("!H", summed(top + b"\0\0" + source + target + more) ^ wrong)
    return mac + ITS + b"\x08\0" + top + source + target + more + udp


def frame6(said=b"CAMERA", ip="fe80::1", sender="fe80::66", piece=None, check=None):
    source, target = (socket.inet_pton(socket.AF_INET6, each) for each in (sender, ip))
    head = struct.pack("!HHH", 1900, 40_000, 8 + len(said))
    if check is None:
        pseudo = source + target + struct.pack("!II", 8 + len(said), 17)
        check = summed(pseudo + head + b"\0\0" + said)
    udp = head + struct.pack("!H", check) + said
    if piece is not None:
        udp = struct.pack("!BBHI", 17, 0, piece, 7) + udp
    top = struct.pack("!IHBB", 6 << 28, len(udp), 17 if piece is None else 44, 255)
    return OURS + ITS + b"\x86\xdd" + top + source + target + udp


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(frame(), id="to-us"),
        pytest.param(frame(b"CAMERAS"[:5]), id="of-odd-length"),
        pytest.param(frame(ip="239.255.255.250", mac=GROUP, port=37_020), id="to-the-group"),
        pytest.param(frame(ip="255.255.255.255", mac=b"\xff" * 6), id="to-everybody"),
        pytest.param(frame(ip="192.168.1.255", mac=b"\xff" * 6), id="to-everybody-of-its-network"),
        pytest.param(frame(check=0), id="without-a-checksum"),
        pytest.param(frame(words=7), id="with-options"),
        pytest.param(frame() + bytes(18), id="padded"),
    ],
)
def test_what_is_for_us_is_read_whatever_network_it_comes_from(raw):
    found = delivered(Frame(raw), TO)
    assert found.whole and found.payload in {b"CAMERA", b"CAMER"}
    assert (found.sender, found.mac) == (CAMERA, "02:bb:00:00:00:66")
    assert delivered(Frame(raw, vlan=0), TO) == found  # a tag that tells a priority only


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(frame(mac=b"\2\xcc\0\0\0\1"), id="another-machine"),
        pytest.param(frame(ip="10.9.0.2"), id="another-address"),
        pytest.param(frame(ip="239.255.255.251", mac=GROUP), id="another-group"),
        pytest.param(frame(port=40_001), id="another-port"),
        pytest.param(frame(sender=HERE), id="our-own-question"),
        pytest.param(frame(pieces=100), id="a-later-piece"),
        pytest.param(frame6(piece=100 << 3), id="a-later-piece-of-ipv6"),
        pytest.param(frame()[:23] + b"\6" + frame()[24:], id="no-datagram"),
        *(pytest.param(frame()[:size], id=f"cut-at-{size}") for size in range(42)),
    ],
)
def test_what_is_for_others_is_nothing_to_us(raw):
    assert delivered(Frame(raw), TO) is None


def test_what_belongs_to_another_segment_is_nothing_to_us():
    assert delivered(Frame(frame(), vlan=20), TO) is None


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(frame(check=1), id="a-wrong-checksum"),
        pytest.param(frame(wrong=1), id="a-wrong-checksum-of-the-head"),
        pytest.param(frame(pieces=0x2000), id="the-first-of-several-pieces"),
        pytest.param(frame(b"C" * 100)[:100], id="cut-short"),
        pytest.param(frame(size=500, check=0), id="longer-than-its-packet"),
        pytest.param(frame(size=7, check=0), id="shorter-than-its-head"),
        pytest.param(frame(sender="0.0.0.0"), id="from-no-address"),
        pytest.param(frame(sender="127.0.0.9"), id="from-our-own-loopback"),
        pytest.param(frame(sender="239.255.255.250"), id="from-a-group"),
        pytest.param(frame6(check=0), id="ipv6-without-a-checksum"),
        pytest.param(frame6(check=1), id="ipv6-with-a-wrong-checksum"),
        pytest.param(frame6(piece=1), id="ipv6-the-first-of-several-pieces"),
        pytest.param(frame6(sender="ff02::c"), id="ipv6-from-a-group"),
    ],
)
def test_what_came_for_us_and_cannot_be_read_is_told_as_such(raw):
    assert delivered(Frame(raw), TO).whole is False


def test_a_checksum_that_is_not_filled_in_yet_is_not_looked_at():
    assert delivered(Frame(frame(check=1), summed=False), TO).whole
    assert delivered(Frame(frame6(check=0), summed=False), TO6).whole


def test_ipv6_is_read_too_also_behind_a_fragment_header_of_one_piece():
    for raw in (frame6(), frame6(piece=0), frame6(ip="ff02::c")):
        found = delivered(Frame(raw), TO6)
        assert found.whole and (found.sender, found.payload) == ("fe80::66", b"CAMERA")


def test_no_frame_whatever_does_harm():
    dice = random.Random(1)
    for raw in (frame(b"x" * 40), frame6(b"x" * 40), frame6(b"x" * 40, piece=1)):
        for _ in range(3_000):
            broken = bytearray(raw[: dice.randrange(len(raw) + 1)])
            for _ in range(dice.randrange(4)):
                if broken:
                    broken[dice.randrange(len(broken))] = dice.randrange(256)
            delivered(Frame(bytes(broken)), TO6 if dice.random() < 0.5 else TO)
