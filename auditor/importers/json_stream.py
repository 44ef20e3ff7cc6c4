"""Objects of JSON one after another: a line each, or an array that somebody cut off.

Sources: RFC 8259; NDJSON. An object may stand on a line, several on one, or one over several
(then its first line alone begins with a brace). Memory holds one object at a time.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from auditor.importers.lines import lines
from auditor.importers.sighted import shown
from auditor.plugins import Rejected

MOST_OBJECT_CHARS = 1 << 20
MOST_OBJECT_LINES = 20_000
MOST_DEPTH = 64
# a string never holds a line end (RFC 8259 section 7)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]')
_CUT = "is no whole record"

Found = tuple[int, dict[str, Any]] | Rejected


def json_objects(file: BinaryIO) -> Iterator[Found]:
    """Give (number of the line it begins in, object), and what is none."""
    reader = _Reader()
    for chunk in lines(file):
        for number, line in enumerate(chunk.texts, chunk.first):
            if number in chunk.long:
                yield Rejected(number, "the line is too long")
            yield from reader.line(number, line)
    yield from reader.end()


class _Reader:
    """The state of reading: how deep, and what was held of the object so far."""

    def __init__(self) -> None:
        self.depth = self.first = self.size = 0
        self.pieces: list[str] = []

    def line(self, number: int, line: str) -> Iterator[Found]:
        """Read one line."""
        if self.depth and line.startswith("{"):
            yield from self.end()  # the one before was never ended
        if not self.depth and line.strip(" \t\r\n,[]") and "{" not in line:
            yield Rejected(number, "is no record", shown(line))
            return
        at = 0
        for token in _TOKEN.finditer(line):
            if token[0] == "{":
                if not self.depth:
                    at, self.first = token.start(), number
                self.depth += 1
            elif token[0] == "}" and self.depth:
                self.depth -= 1
                if not self.depth:
                    yield self._whole(line[at : token.end()])
                    at = token.end()
        if self.depth:
            self.pieces.append(line[at:])
            self.size += len(line) - at
            if self.size > MOST_OBJECT_CHARS or number - self.first > MOST_OBJECT_LINES:
                yield from self.end()

    def end(self) -> Iterator[Found]:
        """Say what of an object was left without an end."""
        if self.depth:
            text = shown("".join(self.pieces[:5]))
            self._forget()
            yield Rejected(self.first, _CUT, text)

    def _whole(self, rest: str) -> Found:
        text = "".join([*self.pieces, rest])
        self._forget()
        try:
            found = json.loads(text) if text.count("{") < MOST_DEPTH * 1_000 else None
        except (ValueError, RecursionError):
            found = None
        return (self.first, found) if isinstance(found, dict) else Rejected(
            self.first, _CUT, shown(text)
        )  # fmt: skip

    def _forget(self) -> None:
        self.depth, self.size, self.pieces = 0, 0, []
