"""Whom the certificate of a TLS server names; asked where no other probe has shown it yet.

Source: RFC 8446 and RFC 5246 (the handshake, which the door makes), RFC 5280 (certificates).
"""

from auditor.plugins import Conversation, Peer, Probe, Say
from auditor.probes.http import certificate_facts


def speak(peer: Peer) -> Conversation:
    """Shake hands, say nothing inside, and go: the certificate is all that is wanted."""
    if any(known.field == "tls.sha256" for known in peer.known):
        return
    heard = yield Say(b"", done=lambda _: True, limit_bytes=1, idle_s=0.0)
    if heard is not None:
        yield from certificate_facts(heard)


PROBE = Probe(
    name="tls",
    transport="tcp",
    ports=("tls",),
    speak=speak,
    source="RFC 8446, RFC 5246, RFC 5280",
    order=60,
    tls=True,
)
