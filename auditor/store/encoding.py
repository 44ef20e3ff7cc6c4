"""Values as text that every database keeps whole, and the hash chain over them.

Text outside of JSON documents holds no control characters and no lone surrogates (which
PostgreSQL and UTF-8 cannot say): each is written as U+001A and four hexadecimal digits.
Inside of documents JSON's own escapes serve (RFC 8259), and the same for lone surrogates.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

GENESIS = bytes(32)  # the hash before the first row
_MARK = "\x1a"
_UNSAFE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_MARKED = re.compile("\x1a([0-9a-f]{4})")
_ascii: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":")).encode


def pack(text: str) -> str:
    """Write text so that any database takes it; ordinary text stays as it is."""
    if _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(lambda found: f"{_MARK}{ord(found[0]):04x}", text)


def unpack(text: str) -> str:
    """Undo `pack`."""
    if _MARK not in text:
        return text
    return _MARKED.sub(lambda found: chr(int(found[1], 16)), text)


def dumps(value: Any) -> str:
    """Write nested lists and mappings of text and numbers as compact JSON."""
    try:
        written = to_json(value)
    except PydanticSerializationError:  # a lone surrogate, or two that would read as one
        return to_json(_walk(value, pack)).decode()
    if b"\\u001a" in written:
        return to_json(_walk(value, pack)).decode()
    return written.decode()


def loads(text: str) -> Any:
    """Read what `dumps` wrote."""
    value = from_json(text)
    return _walk(value, unpack) if "\\u001a" in text else value


def _walk(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case list() | tuple():
            return [_walk(item, change) for item in value]
        case dict():
            return {change(key): _walk(item, change) for key, item in value.items()}
        case _:
            return value


def moment_text(moment: datetime) -> str:
    """Write a moment in UTC (RFC 3339), which also sorts by time."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()


def chained(before: bytes, rows: Iterable[Sequence[Any]]) -> tuple[list[tuple[Any, ...]], bytes]:
    """Put behind each row its hash: SHA-256 of the hash before and the row's canonical text.

    The last value of a row is its JSON document. Returns the rows and the last hash.
    """
    sealed = []
    for row in rows:
        before = hashlib.sha256(before + canonical(row)).digest()
        sealed.append((*row, before))
    return sealed, before


def canonical(row: Sequence[Any]) -> bytes:
    """Give the bytes of a row that are hashed: its columns as a JSON array, a line feed, its
    document as it stands (JSON holds no bare line feed, so the two cannot be confused).
    """
    return f"{_ascii(row[:-1])}\n{row[-1]}".encode()


def sealed_link(link: Sequence[Any], last: bytes) -> bytes:
    """Give the hash of a link: over its own columns and the last hash of the rows it covers."""
    return hashlib.sha256(_ascii(link).encode() + last).digest()
