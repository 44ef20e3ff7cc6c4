"""What we ask a web server, and what its reply tells.

Sources: RFC 9112 (HTTP/1.1), RFC 9110 section 10.2.2 (Location), WHATWG HTML (title,
link rel=icon). A request carries no credential, no cookie and no verb but GET.
"""

import html
import ipaddress
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from auditor.errors import DataError
from auditor.model.observation import text
from auditor.wire.head import Message, read_message

USER_AGENT = "Mozilla/5.0 (compatible; equipment-inventory)"
STANDARD_PORTS = {"http": 80, "https": 443}
MOST_TITLE_CHARS = 512
MOST_TARGET_CHARS = 512
MOST_COOKIE_CHARS = 512
MOST_UNPACKED_BYTES = 16_384

_PACKED = {"gzip": 31, "x-gzip": 31, "deflate": 47}  # zlib's name for each: with which head
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_TITLE = re.compile(rb"<title(?:\s[^<>]{0,200})?>([^<]{0,2048})", re.IGNORECASE)
_LINK = re.compile(rb"<link\s([^<>]{1,1024})", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    rb"(?i:([a-z-]{1,20}))\s{0,8}=\s{0,8}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))"
)
_CHARSET = re.compile(r"charset\s?=\s?\"?([A-Za-z0-9_-]{2,20})", re.IGNORECASE)
# origin-form of a request target (RFC 9112 section 3.2.1), printable ASCII only
_TARGET = re.compile(r"/[!-~]*")
# encodings that small devices declare; any other name is read as UTF-8
_CHARSETS = {"gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5",
             "euc-kr": "euc-kr", "shift_jis": "shift_jis", "iso-8859-1": "cp1252",
             "windows-1252": "cp1252"}  # fmt: skip

_TELLING = {
    "http": (("server", "server"), ("wwwauth", "www-authenticate"), ("location", "location"),
             ("cookie", "set-cookie")),
    "rtsp": (("server", "server"), ("public", "public"), ("wwwauth", "www-authenticate")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """The one server that may be asked: nothing that it says leads to another."""

    ip: str
    port: int
    tls: bool = False

    @property
    def scheme(self) -> str:
        """Give `https` inside TLS, else `http`."""
        return "https" if self.tls else "http"

    @property
    def host(self) -> str:
        """Write the Host field: IPv6 in brackets and without zone (RFC 6874 section 3)."""
        bare = self.ip.split("%", 1)[0]
        name = f"[{bare}]" if ":" in bare else bare
        return name if self.port == STANDARD_PORTS[self.scheme] else f"{name}:{self.port}"


def get(origin: Origin, target: str = "/") -> bytes:
    """Write the one request that we make; `target` comes from `target_on` or is a constant."""
    return (
        f"GET {target} HTTP/1.1\r\nHost: {origin.host}\r\nUser-Agent: {USER_AGENT}\r\n"
        "Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def target_on(origin: Origin, reference: str, base: str = "/") -> str | None:
    """Give the request target that `reference` names on this very server; None elsewhere.

    Another host (by name, too: it could resolve to anything), port or scheme, a user part,
    and anything that is no clean path are not followed.
    """
    if len(reference) > MOST_TARGET_CHARS:
        return None
    try:
        parts = urlsplit(urljoin(f"{origin.scheme}://{origin.host}{base}", reference.strip()))
        port = parts.port or STANDARD_PORTS.get(parts.scheme)
        named = (parts.hostname or "").split("%", 1)[0]  # a zone is the device's own business
        same_host = ipaddress.ip_address(named) == ipaddress.ip_address(origin.ip.split("%", 1)[0])
    except ValueError:
        return None
    if not same_host or "@" in parts.netloc or (parts.scheme, port) != (origin.scheme, origin.port):
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return target if len(target) <= MOST_TARGET_CHARS and _TARGET.fullmatch(target) else None


def unpacked(message: Message) -> Message:
    """Give a reply with its body unpacked, where the server packed it unasked; else as it came.

    At most MOST_UNPACKED_BYTES come out, whatever the body promises (RFC 9110 section 8.4.1).
    """
    how = (message.first("content-encoding") or "").strip().lower()
    if how not in _PACKED or not message.body:
        return message
    try:
        body = zlib.decompressobj(_PACKED[how]).decompress(message.body, MOST_UNPACKED_BYTES)
    except zlib.error:
        return message
    return replace(message, body=body)


def readable(raw: bytes) -> bytes:
    """Give a reply as it came, but its body as `unpacked` gives it."""
    try:
        message = read_message(raw)
    except DataError:
        return raw
    plain, end = unpacked(message), _HEAD_END.search(raw)
    return raw if plain is message or end is None else raw[: end.end()] + plain.body


def title(message: Message) -> str | None:
    """Give the page's title on one line, character references resolved; None without one."""
    found = _TITLE.search(message.body)
    if not found:
        return None
    charset = _CHARSET.search(message.first("content-type") or "")
    codec = _CHARSETS.get(charset[1].lower() if charset else "")
    written = found[1].decode(codec, "backslashreplace") if codec else text(found[1])
    words = html.unescape(written).replace("\x00", "\\x00").split()
    return " ".join(words)[:MOST_TITLE_CHARS] or None


def icon_reference(message: Message) -> str | None:
    """Give what the page names as its icon; None where it names none."""
    for link in _LINK.finditer(message.body):
        pairs = {a[1].lower(): a[2] or a[3] or a[4] or b"" for a in _ATTRIBUTE.finditer(link[1])}
        if b"icon" in pairs.get(b"rel", b"").lower().split():
            return html.unescape(text(pairs.get(b"href", b""))) or None
    return None


def told_by(message: Message) -> Iterator[tuple[str, str]]:
    """Give (field, value) of all that a reply of HTTP or RTSP tells, one for each header line."""
    kind = message.protocol.lower()
    told: dict[str, list[str]] = {}
    for name, value in message.headers:
        told.setdefault(name.lower(), []).append(value)
    for field, header in _TELLING.get(kind, ()):
        for value in told.get(header, ()):
            yield f"{kind}.{field}", value[:MOST_COOKIE_CHARS] if field == "cookie" else value
    if kind == "http" and (words := title(message)):
        yield "http.title", words
