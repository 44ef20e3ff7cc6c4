"""Multicast DNS: which services a host announces, under which names.

Sources: RFC 1035 sections 4.1 (messages) and 4.1.4 (compression), RFC 6762 (multicast DNS),
RFC 6763 (service discovery). A compression pointer may only point further back than the
last one did, so that no loop is possible, and a name holds at most 255 octets.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.model.observation import Endpoint, text
from auditor.wire.addresses import ip_text, mac_text
from auditor.wire.seen import Seen, told

GROUP, PORT = "224.0.0.251", 5353
GROUP6 = "ff02::fb"  # RFC 6762, 3
A, PTR, TXT, AAAA, SRV = 1, 12, 16, 28, 33
ALL_SERVICES = "_services._dns-sd._udp.local"
# asked by name as well, because small responders do not answer the question for all
ASKED = (ALL_SERVICES, "_http._tcp.local", "_rtsp._tcp.local", "_psia._tcp.local")
MOST_RECORDS, MOST_NAME_OCTETS, MOST_LABELS, MOST_VALUES = 256, 255, 64, 32
RESPONSE = 0x8000
UNICAST_REPLY = 0x8000  # RFC 6762 section 5.4
MAC_KEYS = frozenset({"mac", "macaddress"})

_HEADER = struct.Struct("!6H")


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record. target: the name inside PTR and SRV data, else empty."""

    name: str
    kind: int
    data: bytes
    target: str = ""


def question(_message_id: int = 0) -> bytes:
    """Ask for the services of everybody in one datagram; the id is zero (RFC 6762 18.1)."""
    asked = (write_name(name) + struct.pack("!HH", PTR, UNICAST_REPLY | 1) for name in ASKED)
    return _HEADER.pack(0, 0, len(ASKED), 0, 0, 0) + b"".join(asked)


def write_name(name: str) -> bytes:
    """Encode a name of plain labels without compression."""
    labels = (label.encode() for label in name.strip(".").split("."))
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def read_records(raw: bytes) -> tuple[Record, ...]:
    """Read the records of a response as far as they are sound; none in a question."""
    if len(raw) < _HEADER.size:
        return ()
    _, flags, questions, *counts = _HEADER.unpack_from(raw)
    at = _HEADER.size
    if not flags & RESPONSE:
        return ()
    for _ in range(min(questions, MOST_RECORDS)):
        _, end = read_name(raw, at)
        if end is None:
            return ()
        at = end + 4
    found: list[Record] = []
    for _ in range(min(sum(counts), MOST_RECORDS)):
        record, at = _read_record(raw, at)
        if record is None:
            break
        found.append(record)
    return tuple(found)


def _read_record(raw: bytes, at: int) -> tuple[Record | None, int]:
    name, start = read_name(raw, at)
    if start is None or start + 10 > len(raw):
        return None, at
    kind, _, _, length = struct.unpack_from("!HHIH", raw, start)
    data, end = raw[start + 10 : start + 10 + length], start + 10 + length
    if end > len(raw):
        return None, at
    inside = {PTR: 0, SRV: 6}.get(kind)
    target = read_name(raw, start + 10 + inside)[0] if inside is not None else ""
    return Record(name, kind, data, target), end


def read_name(raw: bytes, at: int) -> tuple[str, int | None]:
    """Read a name; gives it and where the reading goes on, None where it is damaged."""
    labels: list[str] = []
    after: int | None = None
    lowest, octets = at, 0
    while at < len(raw) and len(labels) <= MOST_LABELS and octets <= MOST_NAME_OCTETS:
        size = raw[at]
        if size >= 0xC0:
            after = at + 2 if after is None else after
            at = int.from_bytes(raw[at : at + 2], "big") & 0x3FFF
            if at >= lowest:
                return "", None
            lowest = at
        elif size > 63:
            return "", None
        elif not size:
            return ".".join(labels), at + 1 if after is None else after
        else:
            labels.append(text(raw[at + 1 : at + 1 + size]).replace(".", "\\."))
            octets += size + 1
            at += size + 1
    return "", None


def read_strings(data: bytes) -> tuple[str, ...]:
    """Read the character strings of TXT data (RFC 6763 section 6.1)."""
    found: list[str] = []
    at = 0
    while at < len(data):
        found.append(text(data[at + 1 : at + 1 + data[at]]))
        at += 1 + data[at]
    return tuple(string for string in found if string)


def service_of(name: str) -> str | None:
    """Give the service type in a name, e.g. `_rtsp._tcp`; None where there is none."""
    labels = name.removesuffix(".local").split(".")
    kind = labels[-2:]
    typed = len(kind) == 2 and kind[0].startswith("_") and kind[1] in ("_tcp", "_udp")
    return ".".join(kind) if typed and kind != ["_dns-sd", "_udp"] else None


def seen(raw: bytes, sender: str) -> tuple[Seen, ...]:
    """Tell what the sender announces, all at its own address; a question tells of nobody."""
    records = read_records(raw)
    named = [n for r in records for n in (r.name, r.target)]
    services = _distinct(service_of(name) for name in named)
    strings = _distinct(s for r in records if r.kind == TXT for s in read_strings(r.data))
    instances = _distinct(_instance(r.name) for r in records if r.kind in (SRV, TXT))
    hosts = _distinct(
        (r.target if r.kind == SRV else r.name).removesuffix(".local")
        for r in records
        if r.kind in (SRV, A, AAAA)
    )
    keyed = (string.partition("=") for string in strings)
    mac = next((mac_text(value) for key, _, value in keyed if key.lower() in MAC_KEYS), None)
    observations = told(
        raw,
        *(("mdns.service", service) for service in services),
        *(("mdns.instance", instance) for instance in instances),
        *(("mdns.txt", string) for string in strings),
        *(("mdns.hostname", host) for host in hosts),
        ("mac", mac),
    )
    endpoint = Endpoint(ip_text(sender), mac, PORT, "udp")
    return (Seen("mdns", endpoint, observations),) if observations else ()


def _instance(name: str) -> str | None:
    service = service_of(name)
    before = name.removesuffix(".local").removesuffix(service or "").rstrip(".")
    return before.replace("\\.", ".") if service and not before.startswith("_") else None


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    """Drop what is missing or repeated, keep the order, and not too much of it."""
    return tuple(dict.fromkeys(filter(None, values)))[:MOST_VALUES]
