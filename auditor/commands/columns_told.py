"""What a person has to know of how the columns of a list were understood."""

from collections.abc import Iterable, Iterator
from typing import Any

from auditor.commands.terminal import table
from auditor.plugins import Mapped


def column_json(column: Mapped) -> dict[str, Any]:
    """Give one column of the mapping."""
    return {
        "column": column.column,
        "field": column.field,
        "score": column.score,
        "dropped": column.dropped,
        "reason": column.reason,
    }


def told_of_columns(columns: Iterable[Mapped]) -> Iterator[str]:
    """Say what a person has to know of the mapping: secrets, near misses, what is unused."""
    columns = list(columns)
    dropped = [column.column for column in columns if column.dropped]
    if dropped:
        noun = "column" if len(dropped) == 1 else "columns"
        yield f"{len(dropped)} {noun} of secrets dropped, nothing of it kept: {', '.join(dropped)}"
    for column in columns:
        if column.field and column.score < 100:
            yield f"{column.column!r} taken as {column.field} ({column.score}: {column.reason})"
    unused = [column for column in columns if not column.field and not column.dropped]
    hinted = [column for column in unused if column.score]
    for column in hinted:
        yield f"{column.column!r} not used ({column.score}): {column.reason}"
    rest = [column.column for column in unused if not column.score and column.column]
    if rest:
        yield f"not used: {', '.join(rest)}"


def show_mapping(columns: Iterable[Mapped]) -> None:
    """Print the whole mapping as a table."""
    rows = [
        [c.column, "DROPPED" if c.dropped else c.field or "-", c.score or "", c.reason]
        for c in columns
    ]
    if rows:
        table(rows, ("column", "field", "score", ""))
