"""What a telnet server shows before anybody types; sends nothing and negotiates nothing.

Source: RFC 854 (commands), RFC 855 (options). The device's own offers are left unanswered.
"""

import re

from auditor.model.observation import Observation, text
from auditor.plugins import Conversation, Peer, Probe, Say

LIMIT_BYTES = 4_096
TELLS = ("telnet.banner",)
# IAC SB … IAC SE | IAC WILL/WONT/DO/DONT option | IAC IAC | IAC command, also cut short
_COMMANDS = re.compile(rb"\xff(?:\xfa[^\xff]*(?:\xff\xf0|\xff?$)|[\xfb-\xfe].?|.?)", re.DOTALL)


def shown(raw: bytes) -> bytes:
    """Give the text without commands and without blanks at either end, as Recog compares it."""
    return _COMMANDS.sub(b"", raw).replace(b"\0", b"").strip()


def speak(_peer: Peer) -> Conversation:
    """Listen until nothing more comes."""
    heard = yield Say(b"", _asks, LIMIT_BYTES, tells=TELLS)
    if heard is not None and (banner := shown(heard.data)):
        yield Observation("telnet.banner", text(banner), heard.data)


def _asks(raw: bytes) -> bool:
    """Tell whether the server now waits for a name or a password."""
    return raw.rstrip(b" \0").lower().endswith((b"login:", b"password:", b"username:"))


PROBE = Probe(
    name="telnet",
    transport="tcp",
    ports=("telnet",),
    speak=speak,
    source="RFC 854",
    listens=True,
)
