"""The registry for many addresses at once: one sorted array of boundaries, searched by numpy.

Blocks nest (a 36-bit block lies in a 24-bit one), so the address line is cut at the start and
the end of every block; between two cuts there is one answer, the longest prefix's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditor.identify.registry import NOBODY, PREFIX_BITS

Numbers = NDArray[np.int64]
_LOCAL_OR_GROUP = 0b11 << 40


@dataclass(frozen=True, slots=True)
class BulkTable:
    """cuts: first addresses of stretches; owners: index into `names` of each stretch."""

    cuts: Numbers
    owners: Numbers
    names: NDArray[Any]  # objects: registrant or None

    @classmethod
    def of(cls, text: bytes) -> "BulkTable":
        """Read vendors.tsv."""
        cells = text.decode("utf-8", "replace").replace("\n", "\t").split("\t")
        widths = np.array(cells[0:-1:3], dtype="U2").astype(np.int64)
        prefixes = np.array([int(cell, 16) for cell in cells[1::3]], dtype=np.int64)
        free = 48 - widths
        starts = prefixes << free
        cuts = np.unique(np.concatenate([[0], starts, starts + (np.int64(1) << free)]))
        owners = np.full(len(cuts), -1, dtype=np.int64)
        for bits in sorted(PREFIX_BITS):  # a longer prefix overwrites a shorter one
            rows = np.flatnonzero(widths == bits)
            if len(rows):
                _claim(owners, cuts >> 48 - bits, prefixes[rows], rows)
        owners[cuts & _LOCAL_OR_GROUP != 0] = -1
        said = [None if name in NOBODY else name for name in cells[2::3]]
        names = np.array([*said, None], dtype=object)
        return cls(cuts, owners, names)

    def names_of(self, values: Sequence[int]) -> list[str | None]:
        """Name the registrant of each address."""
        asked = np.fromiter(values, dtype=np.int64, count=len(values))
        owners = self.owners[np.searchsorted(self.cuts, asked, side="right") - 1]
        owners[asked & _LOCAL_OR_GROUP != 0] = -1
        named: list[str | None] = self.names[owners].tolist()
        return named


def _claim(owners: Numbers, cuts: Numbers, prefixes: Numbers, rows: Numbers) -> None:
    """Give every stretch that begins inside one of these blocks to it."""
    at = np.minimum(np.searchsorted(prefixes, cuts), len(prefixes) - 1)
    inside = prefixes[at] == cuts
    owners[inside] = rows[at[inside]]
