"""A large report cut into parts by site, so that no page is too large to open.

A plain table of 100,000 rows takes a browser tens of seconds and gigabytes; one of 2,000 rows
opens at once, can be searched and printed, and needs no script.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.formats.lines import ATTENTION, Line, Tally, tally

WHOLE = 1_000  # devices up to which one page holds everything
PART = 2_000  # rows of a part at most
SHOWN = 200  # rows that the front page shows of a long list


@dataclass(frozen=True, slots=True)
class Shard:
    """One part: devices of one site. name: of its file, without language and ending."""

    number: int
    of: int
    site: str
    name: str
    lines: Sequence[Line]

    @property
    def cards(self) -> tuple[Line, ...]:
        """Give the devices that get a card; the others are a row of the table."""
        return tuple(line for line in self.lines if line.verdict in ATTENTION)

    @property
    def tally(self) -> Tally:
        """Count the verdicts of this part."""
        return tally(self.lines)

    @property
    def first(self) -> str:
        """Name the first device."""
        return self.lines[0].address

    @property
    def last(self) -> str:
        """Name the last device."""
        return self.lines[-1].address

    @property
    def count(self) -> int:
        """Count the rows."""
        return len(self.lines)


def shards(found: Sequence[Line]) -> tuple[Shard, ...]:
    """Cut the lines (sorted by site) into parts; none where one page holds everything."""
    if len(found) <= WHOLE:
        return ()
    pieces = list(_pieces(found))
    return tuple(
        Shard(
            number,
            len(pieces),
            piece[0].assessed.device.site,
            f"parts/part-{number:04d}",
            piece,
        )
        for number, piece in enumerate(pieces, 1)
    )


def _pieces(found: Sequence[Line]) -> Iterator[Sequence[Line]]:
    start = 0
    for at in range(1, len(found) + 1):
        full = at - start >= PART
        if at == len(found) or full or _site(found[at]) != _site(found[start]):
            yield found[start:at]
            start = at


def _site(line: Line) -> str:
    return line.assessed.device.site
