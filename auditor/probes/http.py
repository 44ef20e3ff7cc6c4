"""What a web server tells everybody: its head, title, redirect and icon.

Source: RFC 9112, RFC 9110. At most three requests a port: GET /, one redirect on the same
server, and the icon that the page names (or /favicon.ico).
"""

from collections.abc import Generator

from auditor.errors import DataError
from auditor.model.observation import Observation, text
from auditor.plugins import Conversation, Heard, Peer, Probe, Say
from auditor.wire import x509
from auditor.wire.favicon import is_complete, is_icon, md5, mmh3
from auditor.wire.head import Message, is_whole, read_message
from auditor.wire.http import Origin, get, icon_reference, readable, target_on, told_by, unpacked

FRONT = "/"
LIMIT_BYTES = 16_384
ICON_LIMIT_BYTES = 65_536 + 2_048  # an icon of 64 KiB and a head before it
ICON = ("http.favicon_md5", "http.favicon_mmh3")
REDIRECTS = frozenset({301, 302, 303, 307, 308})

Reply = Generator[Say | Observation, Heard | None, Message | None]


def speak(peer: Peer) -> Conversation:
    """Ask for the front page, follow one redirect that stays here, then ask for the icon."""
    origin, target = Origin(peer.ip, peer.port, peer.tls), FRONT
    page = yield from _page(origin, target)
    if page and page.status in REDIRECTS:
        onward = target_on(origin, page.first("location") or "", target)
        if onward and onward != target:
            target, page = onward, (yield from _page(origin, onward)) or page
    if page and page.status < 500:
        yield from _icon(origin, page, target)


def _page(origin: Origin, target: str) -> Reply:
    """Ask for one page and tell all that its reply says; None where nothing came."""
    heard = yield Say(get(origin, target), done=is_whole, limit_bytes=LIMIT_BYTES, fresh=True)
    if heard is None:
        return None
    if target == FRONT:  # the others are on the same server
        yield from certificate_facts(heard)
    if not heard.data:
        return None
    yield Observation("http.response", text(readable(heard.data)), heard.data)
    page = unpacked(read_message(heard.data, "HTTP"))
    for field, value in told_by(page):
        yield Observation(field, value, heard.data)
    return page


def certificate_facts(heard: Heard) -> Generator[Observation, None, None]:
    """Tell whom the peer's certificate names, if it showed one."""
    if not heard.certificate:
        return
    names = x509.read_certificate(heard.certificate)
    version = heard.detail if heard.detail.startswith(("TLSv", "SSLv")) else ""
    told = (
        ("subject", names.subject),
        ("issuer", names.issuer),
        ("sha256", names.sha256),
        ("version", version),
    )
    for field, value in told:
        if value:
            yield Observation(f"tls.{field}", value, heard.certificate)


def _icon(origin: Origin, page: Message, base: str) -> Conversation:
    """Ask for the icon; only a whole image has a hash, a cut one would have a wrong one."""
    named = icon_reference(page)
    target = target_on(origin, named, base) if named else "/favicon.ico"
    if target is None:
        return
    heard = yield Say(
        get(origin, target), done=is_whole, limit_bytes=ICON_LIMIT_BYTES, fresh=True, tells=ICON
    )
    try:
        reply = read_message(heard.data if heard else b"", "HTTP")
    except DataError:
        return  # the page was answered: a strange icon does not spoil that
    unmeasured = reply.first("content-length") is None
    whole = reply.whole or (unmeasured and is_complete(reply.body))
    if heard and reply.status == 200 and whole and is_icon(reply.body):
        for field, value in zip(ICON, (md5(reply.body), mmh3(reply.body)), strict=True):
            yield Observation(field, value, heard.data)


PROBE = Probe(
    name="http",
    transport="tcp",
    ports=("http",),
    speak=speak,
    source="RFC 9112, RFC 9110",
    order=50,
)
