"""What a streaming server tells without a login: methods, server name and realm.

Source: RFC 2326 sections 10.1 (OPTIONS), 10.2 (DESCRIBE). No credential is sent, so a 401
counts as no failed login on the device.
"""

from collections.abc import Generator

from auditor.model.observation import Observation, text
from auditor.plugins import Conversation, Heard, Peer, Probe, Say
from auditor.wire import rtsp
from auditor.wire.head import is_whole, read_message
from auditor.wire.http import told_by


def speak(peer: Peer) -> Conversation:
    """Ask OPTIONS and DESCRIBE on one connection, or on a second where the first was closed."""
    answered = yield from _ask(Say(rtsp.options(peer.ip, peer.port), done=is_whole))
    if not answered:
        return
    question = rtsp.describe(peer.ip, peer.port)
    answered = yield from _ask(Say(question, done=is_whole))
    if not answered:
        yield from _ask(Say(question, done=is_whole, fresh=True))


def _ask(say: Say) -> Generator[Say | Observation, Heard | None, bool]:
    """Tell what the reply says; False where none came."""
    heard = yield say
    if heard is None or not heard.data:
        return False
    yield Observation("rtsp.response", text(heard.data), heard.data)
    reply = read_message(heard.data, "RTSP")
    for field, value in told_by(reply):
        yield Observation(field, value, heard.data)
    return True


PROBE = Probe(
    name="rtsp",
    transport="tcp",
    ports=("rtsp",),
    speak=speak,
    source="RFC 2326",
    order=40,
)
