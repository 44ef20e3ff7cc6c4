"""The books against the wire, gathered so that a long list of one kind reads as one line."""

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.model.report import Discrepancy, Report

# what a person has to see about comes first
ORDER = (
    "brand_differs", "not_on_wire", "never_looked", "channels_unaccounted", "ghost", "not_in_books", "matched",
)  # fmt: skip
_FROM_BOOKS = frozenset({"matched", "not_on_wire", "never_looked", "brand_differs"})


@dataclass(frozen=True, slots=True)
class Compared:
    """All discrepancies of one kind at one site. count: as the comparison counted them."""

    kind: str
    site: str
    count: int
    rows: tuple[Discrepancy, ...]


def compared(report: Report, place: Mapping[str, int]) -> tuple[Compared, ...]:
    """Gather the comparison by kind and site. place: the order of the devices in the report."""
    grouped: dict[tuple[str, str], list[Discrepancy]] = {}
    nothing = without_books(report)
    for one in report.reconciliation:
        if nothing and one.kind == "not_in_books":
            continue
        grouped.setdefault((one.kind, one.site), []).append(one)
    told = [
        Compared(
            kind,
            site,
            sum(row.count for row in rows),
            tuple(sorted(rows, key=lambda row: (place.get(row.device, len(place)), row.detail))),
        )
        for (kind, site), rows in grouped.items()
    ]
    return tuple(sorted(told, key=lambda one: (_rank(one.kind), one.kind, one.site)))


def without_books(report: Report) -> bool:
    """Tell whether no records were there to compare with: then every device is a stranger."""
    kinds = {one.kind for one in report.reconciliation}
    return "not_in_books" in kinds and not kinds & _FROM_BOOKS


def _rank(kind: str) -> int:
    return ORDER.index(kind) if kind in ORDER else len(ORDER)
