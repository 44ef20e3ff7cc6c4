"""The reply head that HTTP, RTSP, SIP and SSDP share: a status line and header fields.

Sources: RFC 9112 (HTTP/1.1 messages) sections 2 to 7, RFC 2326 (RTSP) section 7, RFC 3261
(SIP) section 7.2. Order and case of the fields are kept, because small servers are told
apart by them. Embedded servers end lines with LF alone, leave out the reason or stop in the
middle of the head: what came is read as far as it goes.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from auditor.errors import DataError
from auditor.model.observation import text

MOST_FIELDS = 128
MOST_HEAD_BYTES = 65_536

# status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 section 4)
_STATUS = re.compile(rb"([A-Z]{2,5})/(\d\.\d) {1,3}(\d{3})(?: ?([^\r\n]{0,256}))?")
_START = re.compile(rb"([A-Z*-]{2,20}) ([^ \r\n]{1,512}) ([A-Z]{2,5})/(\d\.\d)")
_END = re.compile(rb"\r?\n\r?\n")
_ENDS = (b"\n\r\n", b"\n\n")  # one of them stands wherever _END is found
# chunk = chunk-size [ chunk-ext ] CRLF (RFC 9112 section 7.1)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,128}\r?\n")
_BLANKS = " \t\r\v\f"  # and none of those that only Unicode calls so
_LENGTH = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Message:
    """One message: a reply (status > 0) or a request such as NOTIFY (status 0, `start` its verb).

    headers: name and value in the order and case received. whole: the body came complete as
    far as the head announces a length; without one nobody can tell, and it is False.
    """

    protocol: str
    version: str
    status: int
    start: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool

    def every(self, name: str) -> tuple[str, ...]:
        """Give the values of all fields of that name, which is compared without case."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    def first(self, name: str) -> str | None:
        """Give the value of the first field of that name; None where there is none."""
        return next(iter(self.every(name)), None)


def read_message(raw: bytes, wanted: str = "") -> Message:
    """Read one message; DataError where the bytes do not begin with a status or request line.

    wanted: the protocol that the line must name, e.g. `RTSP`; any when empty.
    """
    message = _read(raw)
    if wanted not in ("", message.protocol):
        line = raw.lstrip(b"\r\n")[:60].split(b"\n", 1)[0]
        raise DataError(f"the reply is {message.protocol} and not {wanted}", why=text(line))
    return message


@lru_cache(maxsize=4)  # whoever asks whether it is whole reads it next
def _read(raw: bytes) -> Message:
    raw = raw.lstrip(b"\r\n")  # blank lines may stand before it (RFC 9112 section 2.2)
    line = raw[:1024].split(b"\n", 1)[0]
    reply, request = _STATUS.match(line), _START.match(line)
    if reply:
        protocol, version, status = text(reply[1]), text(reply[2]), int(reply[3])
        start = text((reply[4] or b"").strip())
    elif request:
        protocol, version, status = text(request[3]), text(request[4]), 0
        start = text(request[1])
    else:
        raise DataError("the reply does not begin with a status line", why=text(line[:60]))
    head, body, ended = _split(raw)
    headers = _fields(head)
    body, whole = _body(headers, body, bodiless=protocol != "HTTP" or status in {204, 304})
    return Message(protocol, version, status, start, headers, body, whole and ended)


def is_whole(raw: bytes) -> bool:
    """Tell whether nothing more belongs to the message; False also where nobody can tell."""
    # asked of all that has come whenever more comes: to look for two strings is far quicker
    if all(raw.find(end, 0, MOST_HEAD_BYTES) < 0 for end in _ENDS):
        return False
    try:
        return read_message(raw).whole
    except DataError:
        return True  # another protocol: what has come is enough to show so


def _split(raw: bytes) -> tuple[bytes, bytes, bool]:
    end = _END.search(raw, 0, MOST_HEAD_BYTES)
    if end is None:
        return raw[:MOST_HEAD_BYTES], b"", False
    return raw[: end.start()], raw[end.end() :], True


def _fields(head: bytes) -> tuple[tuple[str, str], ...]:
    """Read `name: value` lines; a line that begins with a blank continues the one before."""
    found: list[tuple[str, str]] = []
    for line in text(head).split("\n")[1 : MOST_FIELDS + 1]:
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t") and found:  # obs-fold (RFC 9112 section 5.2)
            found[-1] = (found[-1][0], found[-1][1] + " " + line.strip(_BLANKS))
        elif colon:
            found.append((name.strip(_BLANKS), value.strip(_BLANKS)))
    return tuple(found)


def _body(
    headers: tuple[tuple[str, str], ...], body: bytes, *, bodiless: bool
) -> tuple[bytes, bool]:
    """Give the body as far as it came, and whether it is complete.

    bodiless: a message without Content-Length has no body (RTSP, SIP, and HTTP 204 and 304).
    """
    lower = {name.lower(): value for name, value in headers}
    if "chunked" in lower.get("transfer-encoding", "").lower():
        return _unchunk(body)
    length = _LENGTH.fullmatch(lower.get("content-length", ""))
    if length:
        wanted = int(length[0])
        return body[:wanted], len(body) >= wanted
    return body, bodiless


def _unchunk(body: bytes) -> tuple[bytes, bool]:
    pieces: list[bytes] = []
    at = 0
    while size := _CHUNK.match(body, at):
        wanted = int(size[1], 16)
        if not wanted:
            return b"".join(pieces), True
        pieces.append(body[size.end() : size.end() + wanted])
        at = size.end() + wanted
        at += 2 if body[at : at + 1] == b"\r" else 1
    return b"".join(pieces), False
