"""The greeting of an FTP server, which speaks first; sends nothing.

Source: RFC 959 sections 4.2 (replies over several lines) and 5.4 (220 at the start).
"""

import re

from auditor.errors import DataError
from auditor.model.observation import Observation, text
from auditor.plugins import Conversation, Peer, Probe, Say

LIMIT_BYTES = 4_096
TELLS = ("ftp.banner",)
_CODE = re.compile(rb"^\d{3}[ -]", re.MULTILINE)
_LAST_LINE = re.compile(rb"^\d{3} [^\n]*\n", re.MULTILINE)


def greeting(raw: bytes) -> bytes:
    """Give the text without the reply codes, as Recog compares it."""
    return _CODE.sub(b"", raw).strip()


def speak(_peer: Peer) -> Conversation:
    """Listen until the last line of the greeting has come."""
    heard = yield Say(b"", lambda raw: bool(_LAST_LINE.search(raw)), LIMIT_BYTES, tells=TELLS)
    if heard is None or not heard.data:
        return
    yield Observation("ftp.banner", text(greeting(heard.data)), heard.data)
    if not _CODE.match(heard.data):
        raise DataError("the server greets without a reply code")


PROBE = Probe(
    name="ftp",
    transport="tcp",
    ports=("ftp",),
    speak=speak,
    source="RFC 959",
    listens=True,
)
