"""What an officer decided, and about what."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class DecisionKind(StrEnum):
    """The acts of an officer that the ledger records."""

    EXEMPTION = "exemption"
    IDENTITY = "identity"  # overrides a trait
    VERDICT = "verdict"  # overrides a verdict under one pack
    MERGE = "merge"
    SPLIT = "split"
    RECORD = "record"  # sets an asset.* field
    REMOVAL = "removal"  # a step of the remediation life cycle
    REPORTED = "reported"  # a duty was fulfilled
    WITHDRAWN = "withdrawn"  # takes an earlier decision back


@dataclass(frozen=True, slots=True)
class Decision:
    """One act of a named person; never edited, only withdrawn by a later one.

    subject: what it is about, as identifiers that survive re-correlation
    (`site=…`, `mac=…`, `serial=…`, `ip=…`, `device=…`, `pack=…`). values: what it sets.
    expires: last day on which it holds (until the end of that day in `zone`).
    """

    id: str
    kind: DecisionKind
    by: str
    at: datetime
    reason: str
    subject: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, str], ...] = ()
    requested_by: str = ""
    expires: date | None = None
    zone: str = "UTC"
    controls: tuple[str, ...] = ()
    document_sha256: str = ""
    withdraws: str | None = None
    notes: tuple[str, ...] = field(default=())
