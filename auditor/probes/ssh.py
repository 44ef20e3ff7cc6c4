"""The identification line of an SSH server, which speaks first; sends nothing.

Source: RFC 4253 section 4.2: the line may stand behind others and ends with CR LF.
"""

from auditor.errors import DataError
from auditor.model.observation import Observation, text
from auditor.plugins import Conversation, Peer, Probe, Say

LIMIT_BYTES = 4_096
TELLS = ("ssh.banner",)
MOST_LINE_BYTES = 255


def identification(raw: bytes) -> bytes | None:
    """Give the line that begins with SSH-, as far as it came; None where none does."""
    lines = (line for line in raw.split(b"\n") if line.startswith(b"SSH-"))
    return next((line.rstrip(b"\r")[:MOST_LINE_BYTES] for line in lines), None)


def speak(_peer: Peer) -> Conversation:
    """Listen until the identification line is whole."""
    heard = yield Say(b"", _is_whole, LIMIT_BYTES, tells=TELLS)
    if heard is None or not heard.data:
        return
    line = identification(heard.data)
    yield Observation("ssh.banner", text(line or heard.data[:MOST_LINE_BYTES]), heard.data)
    if line is None:
        raise DataError("the server names no SSH version")


def _is_whole(raw: bytes) -> bool:
    at = 0 if raw.startswith(b"SSH-") else raw.find(b"\nSSH-") + 1
    return raw.startswith(b"SSH-", at) and b"\n" in raw[at:]


PROBE = Probe(
    name="ssh",
    transport="tcp",
    ports=("ssh",),
    speak=speak,
    source="RFC 4253 section 4.2",
    listens=True,
)
