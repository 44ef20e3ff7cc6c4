"""Listens on the management port of one recorder platform, which speaks first; sends nothing.

Source: nmap's service probe file, which keeps the sixteen octets of that greeting. A silent
port tells nothing: other makers use the same number for other protocols.
"""

from auditor.model.observation import Observation
from auditor.plugins import Conversation, Peer, Probe, Say

GREETING_BYTES = 16
LIMIT_BYTES = 256
TELLS = ("sdk.greeting",)
IDLE_S = 0.6  # who speaks first does so at once


def speak(_peer: Peer) -> Conversation:
    """Listen, and tell the octets in hexadecimal."""
    whole = Say(
        b"", lambda raw: len(raw) >= GREETING_BYTES, LIMIT_BYTES, idle_s=IDLE_S, tells=TELLS
    )
    heard = yield whole
    if heard is not None and heard.data:
        yield Observation("sdk.greeting", heard.data.hex(), heard.data)


PROBE = Probe(
    name="sdk",
    transport="tcp",
    ports=("sdk",),
    speak=speak,
    source="nmap-service-probes, NULL probe",
    order=30,
    listens=True,
)
