"""The hardware addresses behind a router, from its own table, where the scope allows SNMP.

Source: RFC 4293 (ipNetToMediaTable), RFC 3416 section 4.2.3 (GetBulk). Each answer is kept as
one observation of `ip mac` lines; `wire.snmp.seen` makes endpoints of its raw bytes.
"""

from auditor.errors import DataError
from auditor.model.observation import Observation
from auditor.plugins import Conversation, Peer, Probe, Say
from auditor.wire import snmp

ROWS = 32  # of about 30 octets each: an answer stays within one unfragmented datagram
MOST_ANSWERS = 128


def speak(peer: Peer) -> Conversation:
    """Walk the table until it ends, does not go on, or is longer than we will read."""
    if peer.community is None:
        return
    after = snmp.ARP_TABLE
    for number in range(1, MOST_ANSWERS + 1):
        question = snmp.get_bulk(peer.community, number, after, ROWS)
        heard = yield Say(question, done=bool, limit_bytes=65_535, idle_s=1.0)
        if heard is None or not heard.data:
            return
        answer = snmp.read_response(heard.data)
        if answer is None:
            raise DataError("the answer is no SNMP response")
        if lines := snmp.neighbours(heard.data):
            written = "\n".join(f"{ip} {mac}" for ip, mac in lines)
            kept = snmp.hushed(heard.data, peer.community)
            yield Observation("snmp.neighbours", written, kept)
        inside = [name for name, _ in answer.pairs if name.startswith(f"{snmp.ARP_TABLE}.")]
        if not inside or len(inside) < len(answer.pairs) or not _further(inside[-1], after):
            return
        after = inside[-1]


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
