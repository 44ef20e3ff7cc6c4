"""All that a report format may know. If a format needs more, Report grows.

A Report is frozen, holds no clock and no database, and renders to the same bytes anywhere.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from auditor.model.annex import Annexes
from auditor.model.data_version import DataVersion
from auditor.model.decision import Decision
from auditor.model.device import Assessed, Coverage
from auditor.model.observation import Run
from auditor.model.policy import Finding, PackSummary, Verdict


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The frozen state of the ledger that a report speaks of.

    id: hash over the chain head, the data versions and `as_of`. chain_head: hash of the last
    ledger row; rows: how many.
    """

    id: str
    chain_head: str
    rows: int
    as_of: date
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference to an earlier snapshot: new, gone, re-appeared, verdict or identity changed.

    because: `evidence`, `rules`, `data`, `date`, `decision` or `proof`.
    """

    kind: str
    device: str
    before: str
    after: str
    because: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One line of the reconciliation between the books and the wire.

    kind: matched | not_in_books | not_on_wire | never_looked | brand_differs |
    channels_unaccounted | ghost. task: what a person should do, as a key of the words.
    """

    kind: str
    device: str
    site: str
    detail: tuple[tuple[str, str], ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class RawBytes:
    """The bytes behind evidence, for the cards that show them."""

    sha256: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is said, in an order that does not depend on chance.

    verdicts: per device id, per pack id. generated: the moment given by the caller (a fixed
    one gives the same bytes).
    """

    generated: datetime
    tool_version: str
    snapshot: Snapshot
    organisation: str
    sites: tuple[str, ...]
    runs: tuple[Run, ...]
    coverage: Coverage
    packs: tuple[PackSummary, ...]
    devices: tuple[Assessed, ...]
    findings: tuple[Finding, ...]
    data_versions: tuple[DataVersion, ...]
    decisions: tuple[Decision, ...] = ()
    changes: tuple[Change, ...] = ()
    reconciliation: tuple[Discrepancy, ...] = ()
    raws: tuple[RawBytes, ...] = ()
    marking: str = ""
    prepared_by: str = ""
    warnings: tuple[str, ...] = ()
    history: tuple[tuple[date, tuple[tuple[Verdict, int], ...]], ...] = field(default=())
    annexes: Annexes = field(default_factory=Annexes)
