"""Bundles in three verbs: a site's facts out, in, and checked.

`archive` says what stands in a bundle, `merge` what the ledger does with it.
"""

from pathlib import Path

from auditor.errors import AuditorError
from auditor.store import archive
from auditor.store.ledger import Ledger
from auditor.store.merge import merge


def export_bundle(ledger: Ledger, site: str, out: Path, after: int = 0) -> int:
    """Write one site's facts as one file; gives how many. The same facts, the same bytes.

    after: leave out attempts up to that number (they went with an earlier bundle).
    """
    return sum(archive.export(ledger, site, out, after).rows.values())


def merge_bundle(ledger: Ledger, path: Path) -> int:
    """Take a bundle in, whole or not at all; gives how many facts were new to the ledger."""
    before = ledger.head()[0]
    merge(ledger, path)
    return ledger.head()[0] - before


def verify_bundle(path: Path) -> tuple[str, ...]:
    """Check a bundle with nothing but itself; gives what is wrong with it, nothing if it holds."""
    try:
        archive.check(path)
    except AuditorError as error:
        return (f"{error.what}: {error.why}",)
    return ()
