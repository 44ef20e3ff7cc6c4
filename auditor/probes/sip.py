"""What a door station, intercom or recorder calls itself in SIP.

Source: RFC 3261 section 11 (OPTIONS). One datagram; any answer will do, refusals included.
"""

from auditor.model.observation import Observation
from auditor.plugins import Conversation, Peer, Probe, Say
from auditor.wire import sip
from auditor.wire.head import read_message

FIELDS = (("server", "server"), ("user_agent", "user-agent"))
TELLS = ("sip.server", "sip.user_agent")


def speak(peer: Peer) -> Conversation:
    """Ask OPTIONS."""
    heard = yield Say(sip.options(peer.ip, peer.port), done=bool, tells=TELLS)
    if heard is None or not heard.data:
        return
    reply = read_message(heard.data, "SIP")
    for field, header in FIELDS:
        for value in reply.every(header):
            yield Observation(f"sip.{field}", value, heard.data)


PROBE = Probe(
    name="sip",
    transport="udp",
    ports=("sip",),
    speak=speak,
    source="RFC 3261 section 11",
    order=70,
    late=True,
)
