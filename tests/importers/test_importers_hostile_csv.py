"""Hostile and broken lists: each is refused in words, or its good rows are taken; never a crash.

A case is its bytes and how many rows must come out; None where the whole file is refused.
"""

import io
import time
import tracemalloc
from datetime import UTC, datetime

import pytest

from auditor.errors import DataError
from auditor.importers.asset_csv import IMPORTER
from auditor.model.block import Block
from auditor.model.observation import Attempt
from auditor.plugins import Mapped, Noted, Options, Rejected, Sample

MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)
HEAD = b"Asset Tag,IP Address,MAC Address,Serial Number\n"
ROW = b"T%d,10.0.0.%d,44:19:b6:00:00:%02x,SN-%05d-X\n"


def rows(count, first=1):
    return b"".join(ROW % (n, n, n, n) for n in range(first, first + count))


def swap(raw, old, new):
    assert old in raw
    return raw.replace(old, new, 1)


GOOD = HEAD + rows(5)
CASES = {
    "empty": (b"", None),
    "only spaces": (b"   \n \n", None),
    "only a mark": (b"\xef\xbb\xbf", None),
    "only headings": (HEAD, 0),
    "headings without an end": (HEAD.strip(), 0),
    "no headings": (rows(5), None),
    "NULs in a cell": (swap(GOOD, b"SN-00003-X", b"SN\0-0\x000003-X"), 5),
    "NULs everywhere": (HEAD + rows(5).replace(b",", b"\0,\0"), 5),
    "a file of NULs": (b"\0" * 100_000, None),
    "a quote never closed in the middle": (HEAD + rows(2) + b'T9,"10.0.0.9,x,y\n' + rows(300, 10)[:0] + rows(3, 3), 5),
    "a quote never closed at the end": (GOOD + b'T9,"10.0.0.9', 5),
    "a stray quote before a cell in quotes": (HEAD + b'T1,10.0.0.1,,"5 inch\n' + rows(2, 2) + b'T4,10.0.0.4,,"SN-4"\n' + rows(1, 5), 4),
    "a stray quote before an inch mark": (HEAD + b'T1,10.0.0.1,,"5 inch\n' + rows(2, 2) + b'T4,10.0.0.4,,5"\n' + rows(1, 5), 4),
    "a stray quote before a mark inside of a row": (HEAD + b'T1,"10.0.0.1,,5\n' + rows(2, 2) + b'T4,10.0.0.4,,5" dome\n' + rows(1, 5), 4),
    "a stray quote in semicolons": ((HEAD + b'T1,10.0.0.1,,"5 inch\n' + rows(2, 2) + b'T4,10.0.0.4,,"SN-4"\n').replace(b",", b";"), 3),
    "notes of several sentences": (swap(GOOD, b"T3,", b'"T3\nnorth, east, west, and south\n\nsee ""B"", C, D, E",'), 5),
    "every line opens a quote": (HEAD + b'"T1,10.0.0.1\n' * 500, 0),
    "a quote inside of a cell": (swap(GOOD, b"T3,", b'19" rack,'), 5),
    "quotes that are doubled": (swap(GOOD, b"T3,", b'"a ""b"" c",'), 5),
    "a quoted line break": (swap(GOOD, b"T3,", b'"T3\nsecond\nline",'), 5),
    "a quoted CR LF": (swap(GOOD, b"T3,", b'"T3\r\nx",'), 5),
    "text behind a closed quote": (swap(GOOD, b"T3,", b'"T3"x,'), 5),
    "ten thousand columns": (HEAD + b"x," * 10_000 + b"\n" + rows(3), 3),
    "ten thousand headings": (b"Asset Tag," + b",".join(b"h%d" % n for n in range(9_999)) + b"\nT1" + b"," * 9_999 + b"\n", 1),
    "a line of two megabytes": (HEAD + rows(2) + b"x" * 2_000_000 + b"\n" + rows(3, 3), 5),
    "a cell of half a megabyte": (HEAD + rows(2) + b"T9,10.0.0.9,," + b"y" * 500_000 + b"\n" + rows(3, 3), 5),
    "ragged: too short": (HEAD + b"T1,10.0.0.1\nT2\n" + rows(3, 3), 4),
    "ragged: too long": (HEAD + b"T1,10.0.0.1,,,,more\n" + rows(3, 3), 3),
    "ragged: empty cells too many": (HEAD + b"T1,10.0.0.1,,,,,,,\n" + rows(3, 3), 4),
    "UTF-8 with a mark": (b"\xef\xbb\xbf" + GOOD, 5),
    "UTF-16 with a mark": (GOOD.decode().encode("utf-16"), 5),
    "UTF-16 big end first without a mark": (GOOD.decode().encode("utf-16-be"), 5),
    "UTF-16 little end first without a mark": (GOOD.decode().encode("utf-16-le"), 5),
    "UTF-16 cut within a character": (GOOD.decode().encode("utf-16")[:-1], 5),
    "UTF-32": (GOOD.decode().encode("utf-32"), 5),
    "a mark that lies": (b"\xff\xfe" + GOOD, None),
    "two encodings in one file": (swap(swap(GOOD, b"T2", "é".encode()), b"T3", "é".encode("cp1252")), 5),
    "bytes that no encoding has": (swap(GOOD, b"T3", b"\x81\x8d\x8f\x90\x9d\xff"), 5),
    "half a character at the end": (GOOD + b"T9,,,\xc3", 6),
    "lone surrogates": (swap(GOOD, b"T3", b"\xed\xa0\x80"), 5),
    "CR only": (GOOD.replace(b"\n", b"\r"), 5),
    "CR LF": (GOOD.replace(b"\n", b"\r\n"), 5),
    "all line ends at once": (HEAD + rows(1).replace(b"\n", b"\r") + rows(1, 2).replace(b"\n", b"\r\n") + rows(1, 3), 3),
    "separators that Python takes for line ends": (swap(GOOD, b"T3", "a\u2028b\x0bc\x0cd\x85e\x1cf".encode()), 5),
    "headings twice": (HEAD + rows(2) + HEAD + rows(3, 3), 5),
    "the same heading four times": (b"Serial Number," * 4 + b"MAC\n,,X-12345,,44:19:b6:00:00:01\n", 1),
    "no heading over a column": (b"Asset Tag,,MAC\nT1,x,44:19:b6:00:00:01\n", 1),
    "preamble of fifty lines": (b"note\n" * 50 + GOOD, 5),
    "sep= and a strange sign": (b"sep=^\n" + GOOD.replace(b",", b"^"), 5),
    "semicolons": (GOOD.replace(b",", b";"), 5),
    "tabs": (GOOD.replace(b",", b"\t"), 5),
    "bars": (GOOD.replace(b",", b"|"), 5),
    "formulas": (swap(GOOD, b"T3", b'"=cmd|\' /C calc\'!A0"'), 5),
    "escapes of terminals": (swap(GOOD, b"T3", b"\x1b]0;x\x07\x1b[2J"), 5),
    "text that is written backwards": (swap(GOOD, b"T3", "\u202eT3\u2066".encode()), 5),
    "markup": (swap(GOOD, b"T3", b"<script>alert(1)</script>"), 5),
    "addresses that are none": (HEAD + b"T1,999.1.1.1,zz:zz,\nT2,10.0.0.1/99,1,\n,300.0.0.1,xx,\n", 2),
    "digits of other scripts": (swap(GOOD, b"10.0.0.3", "١٠.٠.٠.٣".encode()), 5),
    "empty lines between": (GOOD.replace(b"\n", b"\n\n\n"), 5),
    "rows of commas": (GOOD + b",,,\n" * 1_000, 5),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50, None),
}  # fmt: skip


def read(raw, **said):
    file = io.BytesIO(raw) if isinstance(raw, bytes) else raw
    return list(IMPORTER.read(file, Options("hq", MOMENT, name="bad.csv", **said)))


def taken(items):
    attempts = sum(isinstance(item, Attempt) for item in items)
    return attempts + sum(len(item.records) for item in items if isinstance(item, Block))


def test_there_are_forty_of_them():
    assert len(CASES) >= 40


@pytest.mark.parametrize("name", CASES)
def test_a_broken_list_costs_only_what_is_broken(name):
    raw, expected = CASES[name]
    began = time.perf_counter()
    if expected is None:
        with pytest.raises(DataError) as refusal:
            read(raw)
        assert refusal.value.hint
    else:
        items = read(raw)
        assert taken(items) == expected
        for item in items:
            assert isinstance(item, Attempt | Block | Rejected | Noted | Mapped)
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize("name", CASES)
def test_recognising_never_fails(name):
    raw, _ = CASES[name]
    assert 0 <= IMPORTER.recognise(Sample("x.csv", raw[: 64 << 10], len(raw))) <= 100


def test_a_refused_row_is_told_by_its_line():
    items = read(CASES["a line of two megabytes"][0])
    assert [(r.line, r.reason) for r in items if isinstance(r, Rejected)] == [
        (4, "the line is longer than a row can be")
    ]
    items = read(CASES["a quote never closed in the middle"][0])
    assert [r.line for r in items if isinstance(r, Rejected)] == [4]
    items = read(CASES["a stray quote before a cell in quotes"][0])
    assert [(r.line, r.reason) for r in items if isinstance(r, Rejected)] == [
        (2, "a quote is opened and never closed")
    ]
    items = read(CASES["ragged: too long"][0])
    assert [(r.line, r.reason) for r in items if isinstance(r, Rejected)] == [
        (2, "6 cells, but 4 headings")
    ]


def test_a_row_that_may_have_swallowed_others_is_told():
    items = read(
        HEAD + b'T1,10.0.0.1,,"5 inch\n' + rows(2, 2) + b'T4,10.0.0.4,,lobby"\n' + rows(1, 5)
    )
    assert [n.line for n in items if isinstance(n, Noted) and "quote" in n.reason] == [2]
    items = read(CASES["notes of several sentences"][0])
    assert not [n for n in items if isinstance(n, Noted)]


class Stream(io.RawIOBase):
    """A file that is too long to keep: its beginning, `count` times a block, its end."""

    def __init__(self, first, block, count, last):
        self._first, self._block, self._count, self._last = first, block, count, last
        self._rest = b""

    def _more(self):
        if self._first:
            piece, self._first = self._first, b""
        elif self._count:
            piece, self._count = self._block, self._count - 1
        else:
            piece, self._last = self._last, b""
        return piece

    def read(self, size=-1):
        while len(self._rest) < size:
            piece = self._more()
            if not piece:
                break
            self._rest += piece
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


def peak_mb(stream):
    tracemalloc.start()
    counted = 0
    refused = []
    for item in IMPORTER.read(stream, Options("hq", MOMENT, name="long.csv")):
        counted += len(item.records) if isinstance(item, Block) else 0
        refused += [item] if isinstance(item, Rejected) else []
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak, counted, refused


def test_a_line_of_a_gigabyte_is_one_refused_row():
    stream = Stream(HEAD + rows(2) + b"x", b"y" * (1 << 20), 1024, b"\n" + rows(3, 3))
    peak, counted, refused = peak_mb(stream)
    assert (counted, len(refused)) == (5, 1)
    assert peak < 50


def test_a_quote_that_is_never_closed_costs_one_row_of_a_long_list():
    body = b"".join(b"T%d,10.1.%d.%d,,\n" % (n, n >> 8, n & 255) for n in range(20_000))
    stream = Stream(HEAD + b'T0,"10.0.0.1,,\n', body, 1, b"")
    peak, counted, refused = peak_mb(stream)
    assert (counted, [r.line for r in refused]) == (20_000, [2])
    assert peak < 50


def test_memory_does_not_grow_with_the_list():
    def stream(blocks):
        block = b"".join(b"T%d,10.1.%d.%d,,S-%d\n" % (n, n >> 8, n & 255, n) for n in range(9_000))
        return Stream(HEAD, block, blocks, b"")

    short, _, _ = peak_mb(stream(2))
    long, counted, _ = peak_mb(stream(12))
    assert counted == 108_000
    assert long < short * 1.5 + 2
