"""Workbooks (XLSX, ODS): every sheet that holds a table, read like a table of text.

The reader of workbooks runs in a child process with limits (`isolated`): a file of 1.4 kB can
make it ask for half a terabyte.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any, BinaryIO

from auditor.errors import DataError
from auditor.importers import preflight
from auditor.importers.header import LOOK_ROWS, head_of
from auditor.importers.headings import shipped
from auditor.importers.merged import Merged
from auditor.importers.plan import plan
from auditor.importers.rows import Rows
from auditor.importers.table import items
from auditor.plugins import Importer, Item, Noted, Options, Sample

ROWS_AT_A_TIME = 1_000
MOST_FILE_BYTES = 100 << 20
_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SHEET_MARK = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_EXACT_BELOW = 1e15  # a spreadsheet keeps fifteen digits of a number


def recognise(sample: Sample) -> int:
    """Tell by the names that stand in the archive."""
    if sample.head.startswith(_OLD):
        return 60
    if not sample.head.startswith(_ZIP):
        return 0
    if _SHEET_MARK in sample.head[:200]:
        return 95
    if b"xl/" in sample.head:
        return 90
    names = (b"[Content_Types].xml", b"_rels/.rels", b"docProps/", b"content.xml")
    return 50 if any(name in sample.head for name in names) else 0


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Read the sheet that was asked for, or every sheet that holds a table."""
    name = options.name or "the workbook"
    raw = file.read(MOST_FILE_BYTES + 1)
    if len(raw) > MOST_FILE_BYTES:
        raise DataError(f"{name} is too large", hint="save the sheet as CSV and import that")
    if raw.startswith(_OLD):
        raise DataError(
            f"{name} is an old or a protected workbook",
            why="such files (.xls, or with a password) are not read here",
            hint="save it as XLSX or CSV without a password",
        )
    preflight.check(BytesIO(raw), name)
    found = False
    sheets = _sheets(raw, name)
    wanted = [s for s in sheets if options.sheet in {"", s}]
    if not wanted:
        names = ", ".join(sheets)[:300]
        raise DataError(f"{name} has no sheet {options.sheet!r}", why=f"its sheets: {names}")
    for sheet in wanted:
        for item in _table(raw, sheet, options, alone=len(sheets) == 1):
            found = found or not isinstance(item, Noted)
            yield item
    if not found:
        raise DataError(
            f"{name} holds no table that can be read",
            why="no sheet has a row of headings that are known",
            hint="put the headings into one row, or name them: --map COLUMN=FIELD",
        )


def _sheets(raw: bytes, name: str) -> dict[str, None]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(BytesIO(raw))
    except (CalamineError, ValueError, OSError) as error:
        raise DataError(
            f"{name} is a damaged workbook", why=str(error)[:200], hint="save it anew, or as CSV"
        ) from error
    return dict.fromkeys(book.sheet_names)


def _table(raw: bytes, sheet: str, options: Options, *, alone: bool) -> Iterator[Item]:
    vocabulary = shipped()
    source = _rows(raw, sheet, options.name)
    first = [row for _, row in zip(range(LOOK_ROWS), source, strict=False)]
    head = head_of(first, vocabulary, options.mapping)
    if head is None:
        yield Noted(0, f"sheet {sheet!r} holds no table with known headings")
        return
    named = replace(options, name=options.name if alone else f"{options.name}:{sheet}")
    behind = [row for row in first if row[0] > head.row]
    planned = plan(head.headings, named, vocabulary, "asset_xlsx", [cells for _, cells in behind])
    if not planned.columns:
        yield Noted(0, f"no column of sheet {sheet!r} is known")
        return
    yield from items(planned, _chunks(behind, source), named, vocabulary)


def _rows(raw: bytes, sheet: str, name: str) -> Iterator[tuple[int, list[str]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        found = CalamineWorkbook.from_filelike(BytesIO(raw)).get_sheet_by_name(sheet)
        left = found.start[1] if found.start else 0  # rows come from the sheet's first on
        filled = Merged(found.merged_cell_ranges or (), left)
        for number, row in enumerate(found.iter_rows()):
            yield number + 1, filled.row(number, [text(cell) for cell in row])
    except (CalamineError, ValueError, OSError) as error:
        raise DataError(
            f"sheet {sheet!r} of {name} is damaged", why=str(error)[:200], hint="save it as CSV"
        ) from error


def _chunks(
    first: Sequence[tuple[int, list[str]]], rest: Iterable[tuple[int, list[str]]]
) -> Iterator[Rows]:
    numbers = [number for number, _ in first]
    cells = [row for _, row in first]
    for number, row in rest:
        numbers.append(number)
        cells.append(row)
        if len(cells) >= ROWS_AT_A_TIME:
            yield Rows(numbers, cells)
            numbers, cells = [], []
    if cells:
        yield Rows(numbers, cells)


def text(cell: Any) -> str:
    """Write a cell as its sheet shows it; a number that has lost digits shows that it has."""
    match cell:
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case int() | float():
            return _number(float(cell))
        case datetime():
            midnight = cell.time() == time(0)
            return cell.date().isoformat() if midnight else cell.isoformat(" ", "seconds")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
        case _:
            return "" if cell is None else str(cell)


def _number(value: float) -> str:
    if value.is_integer():
        return f"{value:.0f}" if abs(value) < _EXACT_BELOW else f"{value:.5E}"
    return repr(value)


IMPORTER = Importer(
    name="asset_xlsx",
    recognise=recognise,
    read=read,
    source="ECMA-376 (Office Open XML), OASIS OpenDocument 1.3",
    isolated=True,
    columns=True,
)
