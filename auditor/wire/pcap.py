"""Packet captures, read as a stream: the classic format and pcapng.

Sources: draft-ietf-opsawg-pcap (the 24-octet header, five magic numbers in two byte orders),
draft-ietf-opsawg-pcapng (blocks 4.1 section, 4.2 interface, 4.3 enhanced, 4.4 simple; and the
obsolete packet block), LINKTYPE registry of tcpdump.org. Memory holds one packet at a time.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from auditor.errors import DataError

MOST_PACKET_BYTES = 1 << 18  # the largest snapshot length that tcpdump writes
MOST_BLOCK_BYTES = 1 << 24
MOST_INTERFACES = 1024

ETHERNET, RAW_IP, LINUX_COOKED, LINUX_COOKED_2 = 1, 101, 113, 276
_RAW_IPS = frozenset({RAW_IP, 12, 14, 228, 229})
_LOOPBACKS = frozenset({0, 108})

# magic number in the file's own order -> (length of a packet header, ticks a second)
_CLASSIC = {0xA1B2C3D4: (16, 10**6), 0xA1B23C4D: (16, 10**9), 0xA1B2CD34: (24, 10**6)}
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_ORDER_MAGIC = 0x1A2B3C4D
_IF_TSRESOL = 9
HEAD_BYTES = 4


class Captured(NamedTuple):
    """One packet. frame: as Ethernet, or None for link types that carry no IP.

    moment: seconds since 1970 UTC; None where the file does not say.
    """

    number: int
    frame: bytes | None
    moment: float | None


@dataclass(frozen=True, slots=True)
class _Interface:
    link: int
    ticks: int


def is_capture(head: bytes) -> bool:
    """Tell by the first four octets whether this is a capture of either format."""
    numbers = {int.from_bytes(head[:4], "big"), int.from_bytes(head[:4], "little")}
    return bool(numbers & {*_CLASSIC, _SECTION})


def read_captures(stream: BinaryIO) -> Iterator[Captured]:
    """Give the packets in order; DataError where the file is no capture, or from where it is damaged."""
    magic = stream.read(HEAD_BYTES)
    if int.from_bytes(magic, "big") == _SECTION:
        yield from _read_blocks(stream)
        return
    for order in "><":
        number = struct.unpack(order + "I", magic)[0] if len(magic) == HEAD_BYTES else 0
        if number in _CLASSIC:
            yield from _read_classic(stream, order, *_CLASSIC[number])
            return
    raise DataError("this is no packet capture", hint="give a file of tcpdump or Wireshark")


def _exactly(stream: BinaryIO, size: int, number: int) -> bytes:
    """Read `size` octets; DataError where the file ends before."""
    raw = stream.read(size)
    if len(raw) < size:
        raise DataError(
            f"the capture ends in the middle of packet {number}",
            why="the program that wrote it was stopped, or the copy is not whole",
            hint="the packets before it were read; copy the file again for the rest",
        )
    return raw


def _read_classic(stream: BinaryIO, order: str, header: int, ticks: int) -> Iterator[Captured]:
    head = struct.unpack(order + "HHiIII", _exactly(stream, 20, 0))
    link, plain = head[5] & 0xFFFF, head[5] & 0xFFFF == ETHERNET
    unpack, read = struct.Struct(order + "IIII").unpack_from, stream.read
    number = 0
    while raw := read(header):
        number += 1
        if len(raw) < header:
            raw += _exactly(stream, header - len(raw), number)
        seconds, fraction, kept, _ = unpack(raw)
        if kept > MOST_PACKET_BYTES:
            raise DataError(f"packet {number} claims {kept} bytes", why="the capture is damaged")
        frame = read(kept)
        if len(frame) < kept:
            frame += _exactly(stream, kept - len(frame), number)
        moment = seconds + fraction / ticks
        yield Captured(number, frame if plain else as_ethernet(link, frame), moment)


def _read_blocks(stream: BinaryIO) -> Iterator[Captured]:
    order, interfaces, number = "<", list[_Interface](), 0
    raw_kind = _SECTION.to_bytes(4, "big")
    while raw_kind:
        raw_kind += _exactly(stream, HEAD_BYTES - len(raw_kind), number + 1)
        length = _exactly(stream, 4, number + 1)
        body = b""
        if raw_kind == _SECTION.to_bytes(4, "big"):
            body = _exactly(stream, 4, number + 1)
            order, interfaces = _order(body), []
        size = struct.unpack(order + "I", length)[0]
        if size % 4 or not 12 + len(body) <= size <= MOST_BLOCK_BYTES:
            raise DataError(f"a block after packet {number} claims {size} bytes")
        body += _exactly(stream, size - 12 - len(body), number + 1)
        _exactly(stream, 4, number + 1)  # the length again
        kind = struct.unpack(order + "I", raw_kind)[0]
        if kind == _INTERFACE and len(interfaces) < MOST_INTERFACES:
            interfaces.append(_interface(order, body))
        elif kind in (_ENHANCED, _SIMPLE, _OLD_PACKET):
            number += 1
            yield _packet(order, kind, body, interfaces, number)
        raw_kind = stream.read(1)


def _order(magic: bytes) -> str:
    for order in "<>":
        if struct.unpack(order + "I", magic)[0] == _ORDER_MAGIC:
            return order
    raise DataError("this is no packet capture", why="the section header has no byte order")


def _interface(order: str, body: bytes) -> _Interface:
    if len(body) < 8:
        raise DataError("an interface block of the capture is too short")
    at, ticks = 8, 10**6
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        if code == _IF_TSRESOL and size == 1 and at + 4 < len(body):
            power = body[at + 4]
            ticks = 2 ** (power & 0x7F) if power & 0x80 else 10 ** min(power, 18)
        at += 4 + size + -size % 4
    return _Interface(struct.unpack_from(order + "H", body)[0], ticks)


def _packet(
    order: str, kind: int, body: bytes, interfaces: list[_Interface], number: int
) -> Captured:
    """Read an enhanced, simple or obsolete packet block."""
    start = 4 if kind == _SIMPLE else 20
    if len(body) < start:
        raise DataError(f"the block of packet {number} is too short")
    if kind == _SIMPLE:
        which, high, low, kept = 0, 0, 0, len(body) - start
    elif kind == _ENHANCED:
        which, high, low, kept = struct.unpack_from(order + "IIII", body)
    else:
        which, _, high, low, kept = struct.unpack_from(order + "HHIII", body)
    if which >= len(interfaces):
        raise DataError(f"packet {number} names an interface that the capture does not describe")
    here = interfaces[which]
    moment = None if kind == _SIMPLE else (high << 32 | low) / here.ticks
    return Captured(number, as_ethernet(here.link, body[start : start + kept]), moment)


def as_ethernet(link: int, raw: bytes) -> bytes | None:
    """Write a packet of another link type as the Ethernet frame that it stands for.

    Addresses that the capture does not hold are zero and so speak of nobody. None for link
    types that carry no IP.
    """
    if link == ETHERNET:
        return raw
    if link in _RAW_IPS:
        kind = 0x86DD if raw[:1] and raw[0] >> 4 == 6 else 0x0800
        return bytes(12) + kind.to_bytes(2, "big") + raw
    if link in _LOOPBACKS:
        return as_ethernet(RAW_IP, raw[4:])
    if link == LINUX_COOKED and len(raw) >= 16:
        return _cooked(raw[0:2], raw[4:6], raw[6:12], raw[14:16], raw[16:])
    if link == LINUX_COOKED_2 and len(raw) >= 20:
        return _cooked(bytes((0, raw[10])), bytes((0, raw[11])), raw[12:18], raw[0:2], raw[20:])
    return None


def _cooked(sent: bytes, size: bytes, source: bytes, kind: bytes, payload: bytes) -> bytes:
    """sent: 1 is broadcast, 2 multicast, as the group bit of the target stands for them."""
    target = b"\xff" * 6 if sent[1] in (1, 2) else bytes(6)
    return target + (source if size[1] == 6 else bytes(6)) + kind + payload
