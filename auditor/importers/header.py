"""Where a table begins: its delimiter, the row of its headings, what stands before it.

Exports put titles, dates and `#TYPE …` above the headings, name the delimiter (`sep=;`), and
spread headings over two rows (a merged cell above several columns).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from auditor.importers.headings import Headings, folded
from auditor.importers.rows import DELIMITERS, consistency, split

LOOK_ROWS = 60
MOST_HEADING_COLUMNS = 20_000
_SEPARATOR = re.compile(r"""\s*"?sep=(?P<mark>.)"?\s*""", re.IGNORECASE)
_ADDRESS = re.compile(
    r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?|[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}|[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){2}"
)
_MOSTLY_DIGITS = re.compile(r"[\d\s.,:/+\-]+")


@dataclass(frozen=True, slots=True)
class Head:
    """The headings of a table. row: the line that they stand in, from 1; 0 for none found.

    score: how many headings are known. delimiter: between cells.
    """

    delimiter: str
    row: int
    headings: tuple[str, ...]
    score: int


def find_head(
    texts: Sequence[str], vocabulary: Headings, wanted: Collection[str] = ()
) -> Head | None:
    """Find the headings among the first lines of a file. wanted: headings that the user named."""
    named = _named_delimiter(texts)
    best: tuple[tuple[int, float, int], Head] | None = None
    for delimiter in [named] if named else DELIMITERS:
        found = split(texts[:LOOK_ROWS], delimiter)
        head = head_of(found, vocabulary, wanted, delimiter)
        if head is None:
            continue
        width, share = consistency(found)
        rank = (head.score, share, width)
        if best is None or rank > best[0]:
            best = rank, head
    return best[1] if best else None


def _named_delimiter(texts: Sequence[str]) -> str | None:
    found = _SEPARATOR.fullmatch(texts[0]) if texts else None
    return found["mark"] if found else None


def head_of(
    found: Sequence[tuple[int, Sequence[str]]],
    vocabulary: Headings,
    wanted: Collection[str] = (),
    delimiter: str = "",
) -> Head | None:
    """Find the headings among the first rows: the row with the most known ones."""
    asked = set(map(folded, wanted))
    best: Head | None = None
    for at, (number, cells) in enumerate(found[:LOOK_ROWS]):
        if len(cells) > MOST_HEADING_COLUMNS:
            continue
        made = _headings(cells, found[at - 1][1] if at else (), vocabulary)
        score = _score(made, asked, vocabulary)
        if score > (best.score if best else 0) and not _is_record(cells):
            best = Head(delimiter, number, made, score)
    return best


def _score(headings: Sequence[str], asked: Collection[str], vocabulary: Headings) -> int:
    """Count the known headings; one of secrets alone may well be a password in a row without any."""
    known = [text for text in headings if text and vocabulary.known(text)]
    named = sum(2 for text in headings if text and folded(text) in asked)
    if not named and all(vocabulary.is_secret(text) for text in known):
        return 0
    return len(known) + named


def _is_record(cells: Sequence[str]) -> bool:
    """Tell whether a row holds values and no headings: headings are hardly ever numbers."""
    filled = [cell for cell in cells if cell.strip()]
    numbers = sum(bool(_MOSTLY_DIGITS.fullmatch(cell)) for cell in filled)
    if any(_ADDRESS.fullmatch(cell.strip()) for cell in filled):
        return True
    return len(filled) > 1 and numbers * 3 > len(filled)


def _headings(cells: Sequence[str], above: Sequence[str], vocabulary: Headings) -> tuple[str, ...]:
    """Give the headings; where a merged cell above says more, both together."""
    own = [" ".join(cell.split()) for cell in cells]
    if len(above) != len(cells) or not any(above) or all(above):
        return tuple(own)
    groups: list[str] = []
    for group in (" ".join(cell.split()) for cell in above):
        groups.append(group or (groups[-1] if groups else ""))
    return tuple(_joined(group, cell, vocabulary) for group, cell in zip(groups, own, strict=True))


def _joined(group: str, cell: str, vocabulary: Headings) -> str:
    both = f"{group} {cell}".strip()
    if not cell:
        return group
    return both if vocabulary.known(both) and not vocabulary.known(cell) else cell
