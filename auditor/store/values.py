"""What the ledger answers with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the chain holds. rows: facts checked. first_broken: `attempt 17`, None when ok.

    head: hash of the last link, in hexadecimal; compare it with the one in a signed report.
    """

    ok: bool
    rows: int
    first_broken: str | None = None
    reason: str = ""
    head: str = ""


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """The summary of a report that was made, for later comparison. summary: as it was given."""

    id: str
    made: datetime
    chain_head: str
    rows: int
    summary: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signature:
    """A person's signature under a snapshot. signature, key: as the signing program wrote them."""

    snapshot: str
    by: str
    at: datetime
    signature: str
    key: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """A derived answer on one device. facts: what it was derived from, in the caller's words."""

    device: str
    facts: str
    doc: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A file that was imported for a site, by its content."""

    site: str
    sha256: str
    run: str
    name: str = ""
