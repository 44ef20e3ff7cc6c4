"""The hardware addresses behind a router, from its own table, where the scope allows SNMP.

Source: RFC 4293 (ipNetToMediaTable, and ipNetToPhysicalTable with the IPv6 neighbours), RFC 3416
section 4.2.3 (GetBulk), RFC 1157 section 4.1.3 (GetNext, for routers that speak version 1). Each answer is kept as
one observation of `ip mac` lines; `wire.snmp.seen` makes endpoints of its raw bytes.
"""

from auditor.errors import DataError
from auditor.model.observation import Observation
from auditor.plugins import Conversation, Peer, Probe, Say
from auditor.wire import snmp

ROWS = 32  # of about 30 octets each: an answer stays within one unfragmented datagram
MOST_ANSWERS = 128


def speak(peer: Peer) -> Conversation:
    """Walk both tables, each until it ends, does not go on, or is longer than we will read."""
    if peer.community is None:
        return
    number, version = 0, snmp.V2C
    told: set[tuple[str, str]] = set()
    for table in (snmp.ARP_TABLE, snmp.NEIGHBOUR_TABLE):
        after = table
        while after and number < MOST_ANSWERS:
            number += 1
            heard = yield Say(
                _question(peer.community, number, after, version),
                done=bool,
                limit_bytes=65_535,
                idle_s=1.0,
            )
            raw = heard.data if heard else b""
            if not raw and number > 1:
                return
            if not raw:  # an old router is asked again in its own version, row by row
                version = snmp.V1
                continue
            yield from _observed(raw, peer.community, told)
            after = _next(raw, table, after, version)


def _question(community: str, number: int, after: str, version: int) -> bytes:
    if version == snmp.V1:
        return snmp.get_next(community, number, after)
    return snmp.get_bulk(community, number, after, ROWS)


def _observed(raw: bytes, community: str, told: set[tuple[str, str]]) -> Conversation:
    if snmp.read_response(raw) is None:
        raise DataError("the answer is no SNMP response")
    lines = snmp.neighbours(raw)
    if not told.issuperset(lines):  # the end of one table is the beginning of the next
        told.update(lines)
        written = "\n".join(f"{ip} {mac}" for ip, mac in lines)
        yield Observation("snmp.neighbours", written, snmp.hushed(raw, community))


def _next(raw: bytes, table: str, after: str, version: int) -> str:
    """Give the last row of an answer, after which the walk goes on; empty where it ends."""
    answer = snmp.read_response(raw)
    pairs = answer.pairs if answer else ()
    inside = [name for name, _ in pairs if name.startswith(f"{table}.")]
    ended = version == snmp.V2C and len(inside) < len(pairs)
    return inside[-1] if inside and not ended and _further(inside[-1], after) else ""


def _further(name: str, after: str) -> bool:
    """Tell whether the walk goes on: an agent that repeats itself would never end."""
    return [int(arc) for arc in name.split(".")] > [int(arc) for arc in after.split(".")]


PROBE = Probe(
    name="router_arp",
    transport="udp",
    ports=("snmp",),
    speak=speak,
    source="RFC 4293, RFC 3416 section 4.2.3",
    order=66,
    needs_community=True,
)
