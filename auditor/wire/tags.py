"""Markup as devices really send it: the text of each element, in order, whatever is wrong.

Discovery replies carry unescaped ampersands, wrong end tags, undeclared prefixes and broken
encodings, and a strict XML reader (XML 1.0, section 1.2: a fatal error ends processing) would
lose the device. This scanner knows start tags, end tags and text, resolves the five
predefined and numeric references once, never expands anything else, and is linear in its
input, so that no document type, entity or depth can hurt.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from auditor.model.observation import text

MOST_BYTES = 65_536  # the largest datagram
MOST_VALUE_CHARS = 8_192

# `[^<>]*` stops at the next bracket of either kind: linear even for "<<<<…"
_TAG = re.compile(
    r"<(?P<end>/?)(?:[\w.-]{1,40}:)?(?P<name>[A-Za-z_][\w.-]{0,60})[^<>]*>(?P<text>[^<]*)"
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A start or end tag by its local name, with the text up to the next tag."""

    name: str
    is_end: bool
    text: str


def read_tags(raw: bytes) -> Iterator[Tag]:
    """Give the tags of `raw` in order; none where there is no markup."""
    written = text(raw[:MOST_BYTES])
    written = _replace(written, "<!--", "-->", lambda _comment: "")
    written = _replace(written, "<![CDATA[", "]]>", lambda kept: html.escape(kept, quote=False))
    for found in _TAG.finditer(written):
        said = html.unescape(found["text"].strip()[:MOST_VALUE_CHARS]).replace("\x00", "\\x00")
        yield Tag(found["name"], bool(found["end"]), said)


def _replace(written: str, start: str, end: str, by: Callable[[str], str]) -> str:
    """Replace what stands between `start` and `end`; one without an end reaches to the last."""
    before, *pieces = written.split(start)
    split = (piece.partition(end) for piece in pieces)
    return before + "".join(by(inside) + after for inside, _, after in split)


def leaves(raw: bytes) -> dict[str, str]:
    """Give the text of each element by its lower-case local name; the first of a name wins."""
    found: dict[str, str] = {}
    for tag in read_tags(raw):
        if not tag.is_end and tag.text:
            found.setdefault(tag.name.lower(), tag.text)
    return found
