"""Looks at a workbook before anything unpacks it: archives that lie, cells that lie far out.

A workbook is a ZIP archive of XML (ECMA-376 part 2; OpenDocument 1.3 part 2). A cell at the
far corner of a sheet makes readers ask for the whole sheet, half a terabyte of it. What is
refused here is refused in words; the child process that reads the rest has hard limits.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from auditor.errors import DataError

MOST_ENTRIES = 200
MOST_BYTES = 200 << 20  # unpacked, all together
MOST_RATIO = 200  # unpacked to packed, of files that are worth unpacking
SMALL_BYTES = 1 << 20  # below it any ratio is harmless
MOST_COLUMNS = 500
MOST_ROWS = 1_048_576
MOST_CELLS = 20_000_000
_CHUNK = 1 << 20
_OVERLAP = 256  # a tag cut by a chunk's end is read again from here
_CELL = re.compile(rb"<(?:\w+:)?c\b[^>]{0,200}?\br=\"([A-Z]{1,4})(\d{1,9})\"")
_REPEATED = re.compile(rb"<table:table-(row|cell)\b([^>]{0,2000}?)(/?)>")
_TIMES = re.compile(rb"table:number-(?:rows|columns)-repeated=\"(\d{1,10})\"")
_HINT = "save the sheet as CSV and import that"


def check(file: BinaryIO, name: str) -> str:
    """Refuse what no list of assets can be; give `xlsx` or `ods`."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_entries(entries, name)
            names = {entry.filename for entry in entries}
            if "content.xml" in names:
                _check_repeats(archive, name)
                return "ods"
            sheets = [
                n for n in names if re.fullmatch(r"/?xl/worksheets/[^/]+\.xml", n, re.IGNORECASE)
            ]
            if not sheets:
                raise DataError(f"{name} is no workbook", why="it holds no sheet", hint=_HINT)
            for sheet in sorted(sheets):
                _check_far_cells(archive, sheet, name)
            return "xlsx"
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:  # fmt: skip
        raise DataError(
            f"{name} is a damaged workbook", why=str(error)[:200], hint="save it anew, or as CSV"
        ) from error


def _check_entries(entries: list[zipfile.ZipInfo], name: str) -> None:
    total = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    wrong = ""
    if len(entries) > MOST_ENTRIES:
        wrong = f"it holds {len(entries)} files, more than {MOST_ENTRIES}"
    elif total > MOST_BYTES:
        wrong = f"it unpacks to {total >> 20} MB, more than {MOST_BYTES >> 20}"
    elif total > SMALL_BYTES and total > MOST_RATIO * max(1, packed):
        wrong = "it unpacks to more than two hundred times its size"
    elif any(entry.flag_bits & 1 for entry in entries):
        wrong = "it is protected by a password"
    elif len({entry.filename for entry in entries}) < len(entries):
        wrong = "two of its files have the same name"
    if wrong:
        raise DataError(f"{name} was refused", why=wrong, hint=_HINT)


def _pieces(archive: zipfile.ZipFile, entry: str) -> Iterator[bytes]:
    """Give an entry in pieces that overlap, unpacking no more than it may be."""
    rest, seen = b"", 0
    with archive.open(entry) as file:
        while piece := file.read(_CHUNK):
            seen += len(piece)
            if seen > MOST_BYTES:
                raise DataError("the workbook was refused", why="it unpacks to more than it says")
            yield rest + piece
            rest = piece[-_OVERLAP:]


def _check_far_cells(archive: zipfile.ZipFile, sheet: str, name: str) -> None:
    columns = rows = 0
    first_row = MOST_ROWS + 1
    for piece in _pieces(archive, sheet):
        for letters, digits in set(_CELL.findall(piece)):
            row = int(digits)
            columns, rows = max(columns, _column(letters)), max(rows, row)
            first_row = min(first_row, row)
        if columns > MOST_COLUMNS or rows > MOST_ROWS:
            raise DataError(
                f"{name} was refused",
                why=f"{sheet} has a cell in column {columns}, row {rows}",
                hint=f"delete what lies beyond column {MOST_COLUMNS}, or {_HINT}",
            )
    used = columns * max(0, rows - first_row + 1)
    if used > MOST_CELLS:
        raise DataError(f"{name} was refused", why=f"{sheet} spans {used} cells", hint=_HINT)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _check_repeats(archive: zipfile.ZipFile, name: str) -> None:
    """OpenDocument says `the same again, N times`: what is not empty may not be said too often."""
    rows_again, cells, columns = 1, 0, 0
    for piece in _pieces(archive, "content.xml"):
        for kind, attributes, _ in _REPEATED.findall(piece):
            found = _TIMES.search(attributes)
            times = int(found[1]) if found else 1
            if kind == b"row":
                rows_again, columns = times, 0
            elif b"office:value" in attributes or b"calcext:value" in attributes:
                columns += times
                cells += times * rows_again
            if columns > MOST_COLUMNS or cells > MOST_CELLS:
                raise DataError(
                    f"{name} was refused",
                    why="its sheets repeat cells more often than a list of assets can need",
                    hint=_HINT,
                )
