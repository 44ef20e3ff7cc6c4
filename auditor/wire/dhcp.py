"""DHCP as it is overheard: who asks for an address, and what it calls itself.

Sources: RFC 2131 section 2 (the message), RFC 2132 (options 12 host name, 53 message type, 60
vendor class). Nothing is ever sent.
"""

import struct
from dataclasses import dataclass

from auditor.model.observation import Endpoint, text
from auditor.wire.addresses import ip_text, mac_text
from auditor.wire.seen import Seen, told

PORTS = frozenset({67, 68})
PAD, END, HOST_NAME, MESSAGE_TYPE, VENDOR_CLASS = 0, 255, 12, 53, 60
ASKS, ANSWERS, ACK = 1, 2, 5
COOKIE = b"\x63\x82\x53\x63"

_FIXED = struct.Struct("!BBBB4x4x4s4s4x4x16s192x4s")


@dataclass(frozen=True, slots=True)
class Message:
    """One message. kind: option 53, 0 where absent. own: the client's address, if it has one."""

    asks: bool
    kind: int
    mac: str | None
    own: str | None
    given: str | None
    options: dict[int, bytes]


def read_message(raw: bytes) -> Message | None:
    """Read a message about an Ethernet client; None for anything else."""
    if len(raw) < _FIXED.size:
        return None
    op, hardware, size, _, own, given, address, cookie = _FIXED.unpack_from(raw)
    if op not in (ASKS, ANSWERS) or (hardware, size) != (1, 6) or cookie != COOKIE:
        return None
    options = _options(raw[_FIXED.size :])
    kind = options.get(MESSAGE_TYPE, b"\0")[:1] or b"\0"
    mac = mac_text(address[:6])
    return Message(op == ASKS, kind[0], mac, ip_text(own), ip_text(given), options)


def _options(raw: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + 1 < len(raw) and raw[at] != END:
        if raw[at] == PAD:
            at += 1
            continue
        value = raw[at + 2 : at + 2 + raw[at + 1]]
        found[raw[at]] = found.get(raw[at], b"") + value  # long options are split (RFC 3396)
        at += 2 + raw[at + 1]
    return found


def seen(raw: bytes) -> tuple[Seen, ...]:
    """Tell of the client that a message speaks of; an offer is no address yet."""
    said = read_message(raw)
    if said is None or said.mac is None:
        return ()
    granted = said.given if not said.asks and said.kind == ACK else None
    described = said.options if said.asks else {}  # a server repeats its own names
    observations = told(
        raw,
        ("mac", said.mac),
        ("dhcp.vendor_class", _word(described.get(VENDOR_CLASS, b""))),
        ("dhcp.hostname", _word(described.get(HOST_NAME, b""))),
    )
    endpoint = Endpoint(said.own or granted, said.mac, 68, "udp")
    return (Seen("dhcp", endpoint, observations),)


def _word(raw: bytes) -> str:
    return text(raw.rstrip(b"\0"))
