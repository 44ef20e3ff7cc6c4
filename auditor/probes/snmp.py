"""What a device calls itself in SNMP, where the scope gives a community to read with.

Source: RFC 3418 (sysDescr, sysObjectID, sysName), RFC 3416, RFC 1157 for devices that know
version 1 only. Without a community nothing is sent; none is ever guessed.
"""

from auditor.errors import DataError
from auditor.model.observation import Observation
from auditor.plugins import Conversation, Peer, Probe, Say
from auditor.wire import snmp

FIELDS = (
    ("snmp.sysdescr", snmp.SYS_DESCR),
    ("snmp.sysobjectid", snmp.SYS_OBJECT_ID),
    ("snmp.sysname", snmp.SYS_NAME),
)


def speak(peer: Peer) -> Conversation:
    """Ask for the three by version 2c, and by version 1 where that stays unanswered."""
    if peer.community is None:
        return
    wanted = [object_id for _, object_id in FIELDS]
    for number, version in enumerate((snmp.V2C, snmp.V1), start=1):
        question = snmp.get(peer.community, number, wanted, version)
        heard = yield Say(question, done=bool, limit_bytes=65_535, idle_s=1.0)
        if heard is None or not heard.data:
            continue
        answer = snmp.read_response(heard.data)
        if answer is None:
            raise DataError("the answer is no SNMP response")
        kept = snmp.hushed(heard.data, peer.community)
        for field, object_id in FIELDS:
            if value := answer.value(object_id):
                yield Observation(field, value, kept)
        return


PROBE = Probe(
    name="snmp",
    transport="udp",
    ports=("snmp",),
    speak=speak,
    source="RFC 3418, RFC 3416, RFC 1157",
    order=65,
    needs_community=True,
)
