"""The description of a UPnP device, at the place that it announced itself.

Source: UPnP Device Architecture 1.1 section 2 (description). LOCATION may point anywhere, so
it is fetched only where it names the very server that the door leads to, by plain HTTP and
without following redirects; where nothing was announced, nothing is asked.
"""

from auditor.model.observation import Observation, text
from auditor.plugins import Conversation, Peer, Probe, Say
from auditor.wire.head import is_whole, read_message
from auditor.wire.http import Origin, get, target_on

LIMIT_BYTES = 65_536
MOST_PLACES = 2


def speak(peer: Peer) -> Conversation:
    """Fetch what was announced of this port, at most twice."""
    origin = Origin(peer.ip, peer.port)
    said = (seen.value for seen in peer.known if seen.field == "ssdp.location")
    targets = dict.fromkeys(filter(None, (target_on(origin, place) for place in said)))
    for target in list(targets)[:MOST_PLACES]:
        question = get(origin, target)
        heard = yield Say(question, done=is_whole, limit_bytes=LIMIT_BYTES, fresh=True)
        if heard is None or not heard.data:
            return
        reply = read_message(heard.data, "HTTP")
        if reply.status == 200 and reply.body:
            yield Observation("ssdp.description", text(reply.body), heard.data)


PROBE = Probe(
    name="upnp",
    transport="tcp",
    ports=("upnp", "http"),
    speak=speak,
    source="UPnP Device Architecture 1.1 section 2",
    order=80,
)
