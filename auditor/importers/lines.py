"""Bytes of any encoding as lines of text, a block at a time, whatever the file holds.

A line that is valid UTF-8 is UTF-8, any other is of the file's older encoding: lists that
were pasted together mix both. UTF-16 is told by its mark, or by every other byte being zero.
Lines end in LF, CR LF or CR. A line longer than a list can need is thrown away unread and
said so; NULs are taken out.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK_BYTES = 1 << 18
MOST_LINE_BYTES = 1 << 20
SNIFF_BYTES = 1 << 18
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OLD = ("cp1252", "mac_roman", "cp850", "latin_1")  # what lists in our languages come in
_LETTERS = frozenset("éèàùâêîôûëïüçœæÉÈÀÙÂÊÎÔÛËÏÜÇŒÆ’«»–—°… ²³€•·®™“”‘ñöäÖÄß")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file is written. mark: bytes of the byte order mark. old: of lines that are no
    UTF-8.
    """

    name: str
    mark: int = 0
    old: str = "cp1252"

    @property
    def wide(self) -> bool:
        """Tell whether characters are not single bytes (UTF-16, UTF-32)."""
        return self.name not in {"utf-8", *_OLD}


@dataclass(frozen=True, slots=True)
class Lines:
    """Consecutive lines with their ends. first: number of the first, from 1.

    long: numbers of lines that were thrown away (their text is empty). nul: numbers of
    lines that held NULs.
    """

    first: int
    texts: list[str]
    long: tuple[int, ...] = ()
    nul: tuple[int, ...] = ()


def encoding_of(head: bytes) -> Encoding:
    """Tell the encoding from the beginning of a file."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name, len(mark), "cp1252")
    if wide := _wide(head):
        return Encoding(wide)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # may be cut within a character
    except UnicodeDecodeError:
        old = _old(head)
        return Encoding(old, old=old)
    return Encoding("utf-8")


def _wide(head: bytes) -> str | None:
    """Tell UTF-16 without a mark: ASCII text has a zero in every other byte."""
    some = head[:2048]
    if len(some) < 4:
        return None
    even, odd = some[::2].count(0), some[1::2].count(0)
    if odd > 0.6 * len(some[1::2]) and even < 0.1 * len(some[::2]):
        return "utf-16-le"
    if even > 0.6 * len(some[::2]) and odd < 0.1 * len(some[1::2]):
        return "utf-16-be"
    return None


def _old(head: bytes) -> str:
    """Tell which older encoding makes letters of our languages out of the high bytes."""
    high = bytes(byte for byte in head[:SNIFF_BYTES] if byte > 0x7F)
    for name in _OLD[:3]:
        read = high.decode(name, "replace")
        if sum(c in _LETTERS for c in read) >= 0.95 * len(read):
            return name
    from charset_normalizer import from_bytes

    best = from_bytes(head[:SNIFF_BYTES], cp_isolation=[*_OLD, "cp1250", "cp1251", "cp1253"]).best()
    return best.encoding if best else "cp1252"


def lines(file: BinaryIO, encoding: Encoding | None = None) -> Iterator[Lines]:
    """Give all lines of a file that stands at its beginning."""
    head = file.read(BLOCK_BYTES)
    encoding = encoding or encoding_of(head[:SNIFF_BYTES])
    blocks = _blocks(file, head[encoding.mark :])
    if encoding.wide:
        blocks = _narrow(blocks, encoding.name)
    number = 1
    for raw, long in _whole_lines(blocks):
        cut = raw.splitlines(keepends=True) if raw else [b"\n"] * bool(long)
        nul: tuple[int, ...] = ()
        if b"\0" in raw:
            nul = tuple(at for at, line in enumerate(cut, number) if b"\0" in line)
            cut = [line.replace(b"\0", b"") for line in cut]
        yield Lines(number, _texts(cut, encoding.old), (number,) if long else (), nul)
        number += len(cut)


def _blocks(file: BinaryIO, head: bytes) -> Iterator[bytes]:
    while head:
        yield head
        head = file.read(BLOCK_BYTES)


def _narrow(blocks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Write wide characters as UTF-8."""
    decoder = codecs.getincrementaldecoder(name)("replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _whole_lines(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut blocks at line ends. True: a line that was too long stood here, nothing is left of it."""
    rest, skipping = b"", False
    for block in blocks:
        rest += block
        if skipping:
            end = _first_end(rest)
            if end is None:
                rest = b""
                continue
            rest, skipping = rest[end:], False
            yield b"", True
        cut = max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, len(rest) - 1)) + 1
        if cut:
            yield from _bounded(rest[:cut])
            rest = rest[cut:]
        elif len(rest) > MOST_LINE_BYTES:
            rest, skipping = b"", True
    if skipping:
        yield b"", True
    if rest:
        yield from _bounded(rest)


def _bounded(raw: bytes) -> Iterator[tuple[bytes, bool]]:
    """Pass whole lines on; a block is shorter than the longest line, so at most one is not."""
    if len(raw) <= MOST_LINE_BYTES:
        yield raw, False
        return
    for line in raw.splitlines(keepends=True):
        long = len(line) > MOST_LINE_BYTES
        yield b"" if long else line, long


def _first_end(raw: bytes) -> int | None:
    """Give where the line after the first line end begins; None when none has come."""
    ends = [at for at in (raw.find(b"\n"), raw.find(b"\r", 0, len(raw) - 1)) if at >= 0]
    if not ends:
        return None
    at = min(ends)
    return at + 2 if raw[at : at + 2] == b"\r\n" else at + 1


def _texts(raw: list[bytes], old: str) -> list[str]:
    try:
        return [line.decode() for line in raw]
    except UnicodeDecodeError:
        return [_text(line, old) for line in raw]


def _text(line: bytes, old: str) -> str:
    for name in ("utf-8", old):
        try:
            return line.decode(name)
        except UnicodeDecodeError:
            continue
    return line.decode("latin_1")
