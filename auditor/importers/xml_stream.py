"""XML as a stream of whole elements, whatever the file does: cut off, several roots, hostile.

Sources: XML 1.0. Entities, external ones above all, and document type definitions with an inner
part are refused; a bare DOCTYPE (some tools write one) is passed over. Memory holds one element.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from auditor.errors import DataError

READ_BYTES = 1 << 16
MOST_DEPTH = 64
MOST_NODES = 200_000  # of one element that is kept
MOST_TEXT_CHARS = 16_384  # of the text of one node
MOST_ROOTS = 1_000
_NO_XML = re.compile(
    rb"&#(?:0*(?:[0-8]|1[1245678]|14|2\d|3[01])|x0*(?:[0-8]|[bcefBCEF]|1[0-9a-fA-F]));"
)
_CONTROL = bytes(range(9)) + b"\x0b\x0c" + bytes(range(14, 32))
_BLANKS = bytes.maketrans(_CONTROL, b" " * len(_CONTROL))
_DECLARATION = re.compile(rb"<\?xml\s")
_TRAILING = 16  # bytes that may be the beginning of a reference or a declaration


@dataclass(frozen=True, slots=True)
class Node:
    """One element with what stands in it."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list["Node"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Give the text directly in it."""
        return "".join(self.texts).strip()

    def every(self, *path: str) -> Iterator["Node"]:
        """Give the elements that a path of names leads to."""
        for child in self.children:
            if child.name == path[0]:
                if len(path) == 1:
                    yield child
                else:
                    yield from child.every(*path[1:])

    def first(self, *path: str) -> "Node | None":
        """Give the first of them."""
        return next(self.every(*path), None)

    def said(self, *path: str) -> str:
        """Give the text of the first of them, empty where there is none."""
        found = self.first(*path)
        return found.text if found else ""


@dataclass(frozen=True, slots=True)
class Broken:
    """The file is no XML from here on, or ends within an element. rest: what came of it."""

    line: int
    why: str
    rest: Node | None = None


def elements(file: BinaryIO, wanted: Collection[str], root: str) -> Iterator[Node | Broken]:
    """Give the elements of these names, each whole; DataError where the root is another."""
    base = 0
    parser = _Parser(wanted, root, base)
    for piece, begins in _pieces(file):
        if begins and parser.fed:
            yield from parser.end()
            if parser.roots > MOST_ROOTS:
                raise DataError("the file has too many roots")
            parser = parser.anew()
        yield from parser.feed(piece)
    yield from parser.end()


def _pieces(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Give the file in pieces, cut where an XML declaration begins another document."""
    held = b""
    begins = True
    while block := file.read(READ_BYTES):
        held += block
        keep = max(0, len(held) - _TRAILING)
        at = held.rfind(b"&", keep) if held.rfind(b"&", keep) >= 0 else held.rfind(b"<", keep)
        cut = at if at >= 0 else len(held)
        ready, held = held[:cut], held[cut:]
        for piece, first in _documents(ready):
            yield _mended(piece), begins or first
            begins = False
    for piece, first in _documents(held):
        yield _mended(piece), begins or first
        begins = False


def _documents(raw: bytes) -> Iterator[tuple[bytes, bool]]:
    at = 0
    starts = [found.start() for found in _DECLARATION.finditer(raw)]
    for start in starts:
        if raw[at:start]:
            yield raw[at:start], at in starts
        at = start
    if raw[at:]:
        yield raw[at:], at in starts


def _mended(piece: bytes) -> bytes:
    """Take out what XML cannot say: some scanners write what a device sent as it came."""
    return _NO_XML.sub(b" ", piece).translate(_BLANKS)


class _Parser:
    """One document."""

    def __init__(self, wanted: Collection[str], root: str, base: int, roots: int = 1) -> None:
        self.fed = False
        self.roots = roots
        self._wanted, self._root, self._base = wanted, root, base
        self._depth, self._nodes = 0, 0
        self._open: list[Node] = []
        self._ready: list[Node | Broken] = []
        self._dead = False
        self._lines = 0
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._text
        self._expat.EntityDeclHandler = self._refused
        self._expat.ExternalEntityRefHandler = self._refused
        self._expat.UnparsedEntityDeclHandler = self._refused

    def anew(self) -> "_Parser":
        """Give a parser for the next document of the file."""
        return _Parser(self._wanted, self._root, self._base + self._lines, self.roots + 1)

    def feed(self, piece: bytes) -> Iterator[Node | Broken]:
        """Read a piece and give what became whole."""
        self._lines += piece.count(b"\n")
        if self._dead or (not self.fed and not piece.strip()):
            return
        if not self.fed:
            piece = piece.removeprefix(b"\xef\xbb\xbf").lstrip()
        self.fed = True
        try:
            self._expat.Parse(piece, False)  # noqa: FBT003
        except expat.ExpatError as error:
            self._break(expat.errors.messages.get(error.code, "is no XML"))
        except (ValueError, LookupError) as error:  # an encoding that there is not
            self._break(str(error)[:200])
        yield from self._take()

    def end(self) -> Iterator[Node | Broken]:
        """Say whether the document ended where it ends."""
        if self._dead or not self.fed:
            return
        try:
            self._expat.Parse(b"", True)  # noqa: FBT003
        except expat.ExpatError as error:
            self._break(expat.errors.messages.get(error.code, "is no XML"))
        yield from self._take()

    def _take(self) -> Iterator[Node | Broken]:
        ready, self._ready = self._ready, []
        yield from ready

    def _line(self) -> int:
        return self._base + self._expat.CurrentLineNumber

    def _break(self, why: str) -> None:
        self._dead = True
        self._ready.append(Broken(self._line(), why, self._open[0] if self._open else None))

    def _refused(self, *_: object) -> int:
        raise DataError(
            "the XML defines entities",
            why="no scanner writes them; they are a way to make a small file huge or to read others",
            hint="have the file written anew by its tool",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and name != self._root:
            raise DataError(f"the XML begins with <{name[:40]}> and not <{self._root}>")
        if self._depth > MOST_DEPTH:
            raise DataError("the XML is nested too deeply", why=f"more than {MOST_DEPTH} levels")
        if not self._open and name not in self._wanted:
            return
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise DataError("an element of the XML is too large", why=f"line {self._line()}")
        node = Node(name, attributes, self._line())
        if self._open:
            self._open[-1].children.append(node)
        self._open.append(node)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._open:
            node = self._open.pop()
            if not self._open:
                self._nodes = 0
                self._ready.append(node)

    def _text(self, text: str) -> None:
        if self._open and sum(map(len, self._open[-1].texts)) < MOST_TEXT_CHARS:
            self._open[-1].texts.append(text[:MOST_TEXT_CHARS])
