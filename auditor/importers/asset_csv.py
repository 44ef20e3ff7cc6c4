"""Asset lists and tables of any origin as text: rows of cells under headings (RFC 4180).

Which tool wrote a list is told by its headings (data/headings.toml), never by its name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from itertools import chain
from typing import BinaryIO

from auditor.errors import DataError
from auditor.importers.header import LOOK_ROWS, Head, find_head
from auditor.importers.headings import shipped
from auditor.importers.lines import lines
from auditor.importers.plan import plan
from auditor.importers.rows import Rows, consistency, evenly, rows, split
from auditor.importers.secrets import REMOVED, clean
from auditor.importers.table import items
from auditor.plugins import Importer, Item, Options, Sample

LOOK_LINES = 200
_BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b", b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a", b"SQLite format 3", b"\x89PNG", b"\x7fELF")  # fmt: skip


def recognise(sample: Sample) -> int:
    """Tell how much a file looks like a table with known headings."""
    head = sample.head
    if head.startswith(_BINARY) or not head.strip():
        return 0
    texts = _first_texts(head)
    if texts and texts[0].lstrip()[:1] in {"<", "{", "["}:
        return 0
    found = find_head(texts, shipped())
    if found is None or len(found.headings) < 2:
        return 0
    first = split(texts[found.row - 1 : LOOK_ROWS], found.delimiter)
    dialect = shipped().dialect(found.headings, rows=[cells for _, cells in first[1:]])
    _, share = consistency(first)
    known = min(6, found.score)
    return min(95, 10 + 8 * known + int(20 * share) + (15 if dialect else 0))


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Read a table; DataError where no row of headings is found."""
    vocabulary = shipped()
    chunks = lines(file)
    first = next(chunks, None)
    head = find_head(first.texts[:LOOK_LINES], vocabulary, options.mapping) if first else None
    name = options.name or "the file"
    if first is None or head is None:
        empty = first is None or not any(text.strip() for text in first.texts)
        raise DataError(
            f"{name} holds no table that can be read",
            why="it is empty" if empty else "none of its first rows holds headings that are known",
            hint="put the headings into one row, or name them: --map COLUMN=FIELD",
        )
    some = split(first.texts[head.row : head.row + LOOK_ROWS], head.delimiter)
    planned = plan(head.headings, options, vocabulary, "asset_csv", [cells for _, cells in some])
    if not planned.columns:
        raise DataError(
            f"no column of {name} is known",
            why=f"its headings are: {_shown(head.headings)}",
            hint="say what they hold: --map COLUMN=FIELD",
        )
    body = rows(chain([first], chunks), head.delimiter, len(head.headings))
    yield from items(planned, evenly(_behind(body, head)), options, vocabulary)


def _shown(headings: Iterable[str]) -> str:
    """Repeat headings; one that may be a password, in a list without headings, is not."""
    return ", ".join(REMOVED if shipped().is_secret(h) else clean(h) for h in headings)[:300]


def _first_texts(head: bytes) -> list[str]:
    found = next(lines(BytesIO(head)), None)
    return found.texts[:LOOK_LINES] if found else []


def _behind(chunks: Iterable[Rows], head: Head) -> Iterator[Rows]:
    """Give the rows behind the headings."""
    for chunk in chunks:
        if chunk.numbers and chunk.numbers[0] <= head.row:
            at = sum(1 for number in chunk.numbers if number <= head.row)
            refused = tuple(r for r in chunk.refused if r.line > head.row)
            yield replace(
                chunk, numbers=chunk.numbers[at:], cells=chunk.cells[at:], refused=refused
            )
        else:
            yield chunk


IMPORTER = Importer(
    name="asset_csv",
    recognise=recognise,
    read=read,
    source="RFC 4180; headings of the tools named in data/headings.toml",
    columns=True,
)
