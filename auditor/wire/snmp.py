"""SNMP: three standard questions to a device, and a router's table of neighbours.

Sources: RFC 1157 (version 1), RFC 1901 and 3416 (version 2c), RFC 3418 (system group), RFC
4293 (ipNetToMediaTable, ipNetToPhysicalTable; InetAddress in RFC 4001). Only reading requests are written, and only with the community
that the scope gives.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from auditor.model.observation import Endpoint, text
from auditor.wire import ber
from auditor.wire.addresses import ip_text, mac_text
from auditor.wire.seen import Seen, told

PORT = 161
V1, V2C = 0, 1
SYS_DESCR, SYS_OBJECT_ID, SYS_NAME = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.5.0"
ARP_TABLE = "1.3.6.1.2.1.4.22.1.2"  # ipNetToMediaPhysAddress, indexed by interface and address
# ipNetToPhysicalPhysAddress, indexed by interface, kind, length and octets of the address: IPv6, too
NEIGHBOUR_TABLE = "1.3.6.1.2.1.4.35.1.4"
GET, GET_NEXT, RESPONSE, GET_BULK = 0xA0, 0xA1, 0xA2, 0xA5
IP_ADDRESS = 0x40
MOST_PAIRS = 256
_NUMBERS = frozenset({ber.INTEGER, 0x41, 0x42, 0x43, 0x46})  # Counter, Gauge, TimeTicks, Counter64


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. error: 0, or why not (RFC 3416 section 3). pairs: object id and value."""

    request_id: int
    error: int
    pairs: tuple[tuple[str, ber.Item], ...]

    def value(self, object_id: str) -> str | None:
        """Give the value of an object as text; None where it is absent or empty."""
        return next((value_text(item) for name, item in self.pairs if name == object_id), None)


def get(community: str, request_id: int, object_ids: Iterable[str], version: int = V2C) -> bytes:
    """Ask for the values of these objects."""
    return _message(community, version, _pdu(GET, request_id, 0, 0, object_ids))


def get_bulk(community: str, request_id: int, after: str, rows: int) -> bytes:
    """Ask for the `rows` objects that follow `after` (version 2c)."""
    return _message(community, V2C, _pdu(GET_BULK, request_id, 0, rows, (after,)))


def get_next(community: str, request_id: int, after: str) -> bytes:
    """Ask for the object that follows `after` (version 1)."""
    return _message(community, V1, _pdu(GET_NEXT, request_id, 0, 0, (after,)))


def hushed(raw: bytes, community: str) -> bytes:
    """Give an answer without the community that it repeats; its length stays, so it still reads.

    The community is the first string of a message (RFC 1157, 4; RFC 3416).
    """
    secret = community.encode()
    return raw.replace(secret, b"*" * len(secret), 1) if secret else raw


def _message(community: str, version: int, pdu: bytes) -> bytes:
    body = ber.write_integer(version) + ber.write_item(ber.OCTETS, community.encode()) + pdu
    return ber.write_item(ber.SEQUENCE, body)


def _pdu(kind: int, request_id: int, second: int, third: int, object_ids: Iterable[str]) -> bytes:
    """Write a PDU; second and third: error fields, or non-repeaters and max-repetitions."""
    null = ber.write_item(ber.NULL, b"")
    pairs = (ber.write_item(ber.SEQUENCE, ber.write_object_id(o) + null) for o in object_ids)
    numbers = b"".join(map(ber.write_integer, (request_id, second, third)))
    return ber.write_item(kind, numbers + ber.write_item(ber.SEQUENCE, b"".join(pairs)))


def read_response(raw: bytes) -> Response | None:
    """Read an answer of either version; None for anything else."""
    outer = next(ber.read_items(raw), None)
    parts = tuple(ber.read_items(outer.body)) if outer and outer.tag == ber.SEQUENCE else ()
    if len(parts) < 3 or parts[2].tag != RESPONSE:
        return None
    inner = tuple(ber.read_items(parts[2].body))
    if len(inner) < 4 or inner[3].tag != ber.SEQUENCE:
        return None
    pairs: list[tuple[str, ber.Item]] = []
    for pair in ber.read_items(inner[3].body):
        halves = tuple(ber.read_items(pair.body))
        name = ber.read_object_id(halves[0].body) if len(halves) == 2 else None
        if name and len(pairs) < MOST_PAIRS:
            pairs.append((name, halves[1]))
    number, error = (ber.read_integer(part.body) for part in inner[:2])
    return Response(number, error, tuple(pairs))


def value_text(item: ber.Item) -> str | None:
    """Write a value as text; None for NULL, `no such object` and what is empty."""
    if item.tag == ber.OCTETS:
        return text(item.body) or None
    if item.tag == ber.OBJECT_ID:
        return ber.read_object_id(item.body)
    if item.tag in _NUMBERS:
        return str(ber.read_integer(item.body))
    return ip_text(item.body) if item.tag == IP_ADDRESS and len(item.body) == 4 else None


def neighbours(raw: bytes) -> tuple[tuple[str, str], ...]:
    """Read (IP, hardware address) pairs from one answer about either table of neighbours."""
    answer = read_response(raw)
    found: list[tuple[str, str]] = []
    for name, item in answer.pairs if answer else ():
        mac = mac_text(item.body) if item.tag == ber.OCTETS else None
        ip = _indexed(name) if mac else None
        if mac and ip:
            found.append((ip, mac))
    return tuple(found)


def _indexed(name: str) -> str | None:
    """Give the address in the index of a row; None for rows of other tables."""
    if name.startswith(f"{ARP_TABLE}."):
        return ip_text(".".join(name.split(".")[-4:]))
    if not name.startswith(f"{NEIGHBOUR_TABLE}."):
        return None
    index = name.removeprefix(f"{NEIGHBOUR_TABLE}.").split(".")
    kind, size, octets = index[1:2], index[2:3], [int(arc) for arc in index[3:]]
    # InetAddressType: ipv4 1, ipv6 2, ipv6z 4 (its last four octets are the zone)
    if (*kind, *size) not in {("1", "4"), ("2", "16"), ("4", "20")}:
        return None
    if len(octets) != int(size[0]) or max(octets) > 255:
        return None
    return ip_text(bytes(octets[:16]))


def seen(raw: bytes) -> tuple[Seen, ...]:
    """Tell of the hosts that a router lists, from one answer about its tables."""
    return tuple(
        Seen("router_arp", Endpoint(ip, mac, transport="arp"), told(raw, ("mac", mac)))
        for ip, mac in neighbours(raw)
    )
