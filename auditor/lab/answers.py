"""Binary answers of the lab's devices: SNMP (RFC 3416) and multicast DNS (RFC 6762, 6763)."""

import ipaddress
import struct
from collections.abc import Iterator, Mapping
from string import Template

from auditor.lab.truth import Datagram
from auditor.wire.ber import (
    NULL,
    OBJECT_ID,
    OCTETS,
    SEQUENCE,
    Item,
    read_integer,
    read_items,
    read_object_id,
    write_integer,
    write_item,
    write_object_id,
)

_GET, _GET_NEXT, _RESPONSE, _GET_BULK = 0xA0, 0xA1, 0xA2, 0xA5
MOST_ROWS = 50
_NO_SUCH_OBJECT, _END_OF_VIEW = 0x80, 0x82
_A, _PTR, _TXT, _AAAA, _SRV = 1, 12, 16, 28, 33
_IN, _FLUSH = 0x0001, 0x8000
_TTL_S = 120
_ALL_SERVICES = "_services._dns-sd._udp.local"


def snmp_answer(service: Datagram, words: Mapping[str, str], question: bytes) -> tuple[bytes, str]:
    """Give the answer (empty: none) and what the asker did wrong (empty: nothing)."""
    parts = [part for item in read_items(question) for part in read_items(item.body)]
    if len(parts) != 3:
        return b"", "not SNMP"
    version, community, request = parts
    if community.body.decode("latin-1") != service.community:
        return b"", f"SNMP with community {community.body!r}"
    if request.tag not in {_GET, _GET_NEXT, _GET_BULK}:
        return b"", f"SNMP request {request.tag:#x}"
    fields = list(read_items(request.body))
    if len(fields) != 4:
        return b"", "not SNMP"
    number, _, rows, bindings = fields
    values = {oid: _value(Template(text).safe_substitute(words)) for oid, text in service.values}
    asked = [_asked(binding) for binding in read_items(bindings.body)]
    if request.tag == _GET:
        missing = write_item(_NO_SUCH_OBJECT, b"")
        found = [(oid, values.get(oid, missing)) for oid in asked]
    else:
        most = read_integer(rows.body) if request.tag == _GET_BULK else 1
        found = [pair for oid in asked for pair in _following(values, oid, min(most, MOST_ROWS))]
    answers = b"".join(write_item(SEQUENCE, write_object_id(oid) + value) for oid, value in found)
    body = number.whole + write_integer(0) * 2 + write_item(SEQUENCE, answers)
    return write_item(SEQUENCE, version.whole + community.whole + write_item(_RESPONSE, body)), ""


def _value(text: str) -> bytes:
    """Write a value as the truth file gives it: text, `oid:1.3.6…` or `hex:00aabb…`."""
    kind, _, rest = text.partition(":")
    match kind:
        case "oid":
            return write_object_id(rest)
        case "hex":
            return write_item(OCTETS, bytes.fromhex(rest))
        case _:
            return write_item(OCTETS, text.encode())


def _asked(binding: Item) -> str:
    asked = next(read_items(binding.body), Item(NULL, b"", b""))
    return (read_object_id(asked.body) if asked.tag == OBJECT_ID else None) or "0.0"


def _following(values: Mapping[str, bytes], oid: str, most: int) -> list[tuple[str, bytes]]:
    """Give the next values in lexicographic order of their identifiers (RFC 3416, 4.2.3)."""
    later = sorted((known for known in values if _arcs(known) > _arcs(oid)), key=_arcs)[:most]
    end = [] if len(later) == most else [(oid, write_item(_END_OF_VIEW, b""))]
    return [(known, values[known]) for known in later] + end


def _arcs(oid: str) -> tuple[int, ...]:
    return tuple(int(arc) for arc in oid.split("."))


def mdns_answer(service: Datagram, words: Mapping[str, str], question: bytes) -> bytes:
    """Announce the service where it (or every service) is asked for; else nothing."""
    if len(question) < 12 or question[2] & 0x80:  # a response is no question
        return b""
    asked = {name.lower() for name in _questions(question)}
    if not asked & {service.service.lower(), _ALL_SERVICES}:
        return b""
    host, instance = f"{words['name']}.local", f"{words['name']}.{service.service}"
    texts = [Template(text).safe_substitute(words).encode() for text in service.txt]
    txt = b"".join(bytes([len(text)]) + text for text in texts) or b"\0"
    address = ipaddress.ip_address(words["ip"]).packed
    records = [
        _record(service.service, _PTR, _IN, _name(instance)),
        _record(instance, _SRV, _IN | _FLUSH, struct.pack("!HHH", 0, 0, 80) + _name(host)),
        _record(instance, _TXT, _IN | _FLUSH, txt),
        _record(host, _A if len(address) == 4 else _AAAA, _IN | _FLUSH, address),
    ]
    if _ALL_SERVICES in asked:
        records.insert(0, _record(_ALL_SERVICES, _PTR, _IN, _name(service.service)))
    head = question[:2] + struct.pack("!HHHHH", 0x8400, 0, len(records), 0, 0)
    return head + b"".join(records)


def _questions(message: bytes) -> Iterator[str]:
    at = 12
    for _ in range(min(int.from_bytes(message[4:6], "big"), 32)):
        labels = []
        while at < len(message) and 0 < message[at] < 64:
            labels.append(message[at + 1 : at + 1 + message[at]].decode("latin-1"))
            at += 1 + message[at]
        yield ".".join(labels)
        at += 5  # the root label, type, class


def _record(name: str, kind: int, family: int, value: bytes) -> bytes:
    return _name(name) + struct.pack("!HHIH", kind, family, _TTL_S, len(value)) + value


def _name(name: str) -> bytes:
    labels = [label.encode() for label in name.strip(".").split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
