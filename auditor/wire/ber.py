"""Tag, length, value: the encoding under SNMP messages and X.509 certificates.

Source: ITU-T X.690 (BER and DER), sections 8.1, 8.3, 8.19. Only what those two need: low tag
numbers, definite lengths, no recursion (callers open one level at a time).
"""

from collections.abc import Iterator
from dataclasses import dataclass

INTEGER, OCTETS, NULL, OBJECT_ID, SEQUENCE, SET = 0x02, 0x04, 0x05, 0x06, 0x30, 0x31
MOST_OBJECT_ID_OCTETS = 128


@dataclass(frozen=True, slots=True)
class Item:
    """One element: its identifier octet, its contents, and the octets that it came from."""

    tag: int
    body: bytes
    whole: bytes


def read_items(raw: bytes) -> Iterator[Item]:
    """Give the elements that stand side by side in `raw`; stop before the first damaged one."""
    at = 0
    while at + 2 <= len(raw):
        tag, length, start = raw[at], raw[at + 1], at + 2
        if tag & 0x1F == 0x1F or length == 0x80:
            return  # high tag numbers and indefinite lengths: in neither of the two formats
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(raw[start : start + count], "big")
            start += count
        end = start + length
        if end > len(raw):
            return
        yield Item(tag, raw[start:end], raw[at:end])
        at = end


def write_item(tag: int, body: bytes) -> bytes:
    """Encode one element with a definite length (X.690 section 8.1.3)."""
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + body


def write_integer(value: int) -> bytes:
    """Encode an INTEGER in the fewest octets of two's complement."""
    return write_item(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def read_integer(body: bytes) -> int:
    """Read the contents of an INTEGER; no octets read as 0."""
    return int.from_bytes(body[:16], "big", signed=True)


def write_object_id(dotted: str) -> bytes:
    """Encode an OBJECT IDENTIFIER (X.690 section 8.19) from its dotted form, `1.3.…`."""
    first, second, *rest = (int(part) for part in dotted.strip(".").split("."))
    return write_item(OBJECT_ID, b"".join(_arc(arc) for arc in (first * 40 + second, *rest)))


def _arc(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.append(0x80 | value & 0x7F)
    return bytes(reversed(octets))


def read_object_id(body: bytes) -> str | None:
    """Write the contents of an OBJECT IDENTIFIER dotted; None where they end inside an arc."""
    if not body or body[-1] & 0x80 or len(body) > MOST_OBJECT_ID_OCTETS:
        return None
    arcs: list[int] = []
    value = 0
    for octet in body:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    top = min(arcs[0] // 40, 2)
    return ".".join(map(str, (top, arcs[0] - top * 40, *arcs[1:])))
