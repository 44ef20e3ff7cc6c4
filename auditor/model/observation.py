"""What was asked, how it ended, and what was seen: the facts that everything else rests on.

An observation is never changed. What it means is decided elsewhere, and again whenever the
knowledge grows (docs/decisions/0001: facts are stored, opinions are derived).
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from auditor.errors import DataError


class Outcome(StrEnum):
    """How an attempt ended. Only ANSWERED and REFUSED are knowledge: silence is not absence."""

    ANSWERED = "answered"
    REFUSED = "refused"  # an RST, or ICMP port unreachable: somebody is there and said no
    SILENT = "silent"
    GARBLED = "garbled"  # bytes came, but not those of the protocol; they are kept
    CRASHED = "crashed"  # our own failure, or the machine's
    NOT_TRIED = "not_tried"  # planned, and then not done; `detail` says why

    @property
    def is_knowledge(self) -> bool:
        """Tell whether something was learned, from where we stood."""
        return self is Outcome.ANSWERED or self is Outcome.REFUSED


class Origin(StrEnum):
    """Where a fact comes from."""

    WIRE = "wire"  # an active question of ours, or its absence
    SIGHTING = "sighting"  # heard passively, or read in a capture
    FILE = "file"  # imported from somebody else's list or table
    OFFICER = "officer"  # said by a named person


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What was asked. At least one of `ip` and `mac` is known, except for a whole file.

    ip: canonical text. mac: `aa:bb:cc:dd:ee:ff`. port: 0 where the transport has none.
    transport: arp ndp icmp tcp udp link file. vlan: 802.1Q tag, None when untagged/unknown.
    """

    ip: str | None = None
    mac: str | None = None
    port: int = 0
    transport: str = "tcp"
    vlan: int | None = None


@lru_cache(maxsize=32)
def _named(raw: bytes) -> str:
    """Give the SHA-256 of what several observations in a row were read from."""
    return hashlib.sha256(raw).hexdigest()


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing seen: `field` stands in data/fields.toml, `raw` is what was received.

    value: text (bytes that are no UTF-8 as backslash escapes, NUL as `\\x00`).
    """

    field: str
    value: str
    raw: bytes = b""

    @property
    def raw_sha256(self) -> str | None:
        """Give the name under which the raw bytes are kept; None where none were."""
        return _named(self.raw) if self.raw else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One question (or one imported record, or one officer's statement) and how it ended.

    tool: the plug-in's name, e.g. `arp`, `http`, `asset_csv`. started: UTC.
    detail: for people: why it ended so, or `file.csv:17`.
    """

    tool: str
    endpoint: Endpoint
    outcome: Outcome
    observations: tuple[Observation, ...]
    started: datetime
    elapsed_s: float = 0.0
    detail: str = ""
    origin: Origin = Origin.WIRE

    def __post_init__(self) -> None:
        if self.started.tzinfo is None:
            raise DataError(f"attempt {self.tool} carries a time without a zone")


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """An attempt as the ledger keeps it: where it stands in the chain, and in which run."""

    seq: int
    run: str
    site: str
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Run:
    """One visit of the auditor to a site: a scan, an import or an officer's entry.

    kind: scan | import | decision. scope: the authority as JSON text (empty for imports).
    vantage: from where we looked, e.g. `eth0 10.1.0.5/24 aa:bb:…` (layer 2) or `routed`.
    ended: None while running or when it was killed.
    """

    id: str
    site: str
    kind: str
    started: datetime
    operator: str = ""
    scope: str = ""
    vantage: str = ""
    tool_version: str = ""
    ended: datetime | None = None
    status: str = "running"  # running | complete | interrupted | crashed
    notes: tuple[str, ...] = field(default=())


def text(raw: bytes) -> str:
    """Turn received bytes into text that any database, JSON and person can take.

    Bytes that are no UTF-8 become `\\xNN`, NUL becomes `\\x00`; nothing is lost silently
    because `raw` keeps the bytes themselves.
    """
    return raw.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
