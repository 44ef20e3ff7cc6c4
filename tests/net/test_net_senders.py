"""Whose frame a reply came in: read from bytes that anybody can send."""

import socket
import struct

import pytest

from auditor.net.senders import MOST, Senders

MAC, IP = bytes.fromhex("02bb00000066"), "10.9.0.66"


def frame(data, mac=MAC, ip=IP, words=5, piece=0, size=None):
    udp = struct.pack("!HHHH", 3702, 4000, 8 + len(data) if size is None else size, 0) + data
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, 0, 0, piece, 1, 17, 0,
                       socket.inet_aton(ip), bytes(4))  # fmt: skip
    options = bytes(4 * max(0, words - 5))
    return bytes(6) + mac + b"\x08\0" + head + options + udp


def told(*frames):
    senders = Senders()
    for raw in frames:
        senders.note(raw)
    return senders


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"short", id="short"),
        pytest.param(b"x" * 1_400, id="long"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_reply_is_found_by_its_address_and_how_it_begins(data):
    senders = told(frame(data).ljust(60, b"\0"))
    assert senders.of(data, IP) == "02:bb:00:00:00:66"
    assert senders.of(data, "10.9.0.67") is None
    assert senders.of(b"another", IP) is None


def test_two_with_one_address_are_told_apart_by_what_they_say():
    senders = told(frame(b"one"), frame(b"other", mac=bytes.fromhex("02cc00000077")))
    assert senders.of(b"one", IP) == "02:bb:00:00:00:66"
    assert senders.of(b"other", IP) == "02:cc:00:00:00:77"


def test_options_of_the_ip_head_are_passed_over():
    assert told(frame(b"one", words=7)).of(b"one", IP) == "02:bb:00:00:00:66"


@pytest.mark.parametrize(
    "raw",
    [
        *(frame(b"one")[:size] for size in range(42)),
        pytest.param(frame(b"one", words=0), id="no-head"),
        pytest.param(frame(b"one", piece=100), id="a-later-piece"),
        pytest.param(frame(b"one", mac=bytes(6)), id="nobody"),
        pytest.param(frame(b"one", mac=b"\xff" * 6), id="everybody"),
    ],
)
def test_what_is_no_datagram_of_anybody_tells_nothing(raw):
    assert told(raw).of(b"one", IP) is None


def test_a_length_that_lies_does_no_harm():
    for size in (0, 7, 65_535):
        told(frame(b"one", size=size))


def test_what_is_remembered_is_bounded():
    senders = told(*(frame(b"%d" % number) for number in range(MOST + 10)))
    assert senders.of(b"%d" % (MOST - 1), IP) and senders.of(b"%d" % (MOST + 1), IP) is None
