"""A device as the ledger's facts add up to it, and what was and was not looked at.

A device is a view: correlation computes it from attempts and decisions, and may compute it
anew. Nothing here is ever the only place where a fact stands.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from auditor.model.hardware import KnownMac
from auditor.model.identity import Identity
from auditor.model.observation import Endpoint, Observation, Origin, Outcome


@dataclass(frozen=True, slots=True)
class Sighting:
    """One observation and where it came from. seq: ledger sequence number of its attempt.

    doubt: what speaks against it being about this device, as a code; empty where nothing does.
    """

    observation: Observation
    tool: str
    endpoint: Endpoint
    seen: datetime
    origin: Origin
    seq: int = 0
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that was put to a device and its last outcome. ip: where it was put."""

    tool: str
    port: int
    outcome: Outcome
    when: datetime
    detail: str = ""
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Why two attempts are one device: the key that joined them, its weight and reason."""

    key: str  # mac serial sadp_id ip_in_window asset_tag hostname decision
    value: str
    weight: int  # 0 .. 100
    because: str


@dataclass(frozen=True, slots=True)
class Device:
    """One device at one site, with all that was seen of it.

    id: stable under new evidence, unique in a ledger. macs: universally administered first.
    mac_sources: from where each of `macs` is known, in the same order. records: officers' and imported fields (`asset.*`) with their source, newest first.
    """

    id: str
    site: str
    ips: tuple[str, ...]
    macs: tuple[str, ...]
    hostnames: tuple[str, ...]
    sightings: tuple[Sighting, ...]
    asked: tuple[Asked, ...]
    first_seen: datetime
    last_seen: datetime
    sources: tuple[str, ...]
    links: tuple[Link, ...] = ()
    on_wire: bool = True  # False: only in somebody's list
    mac_sources: tuple[KnownMac, ...] = ()

    def recorded(self, field_name: str) -> str | None:
        """Give an officer's value of `asset.…`, else the newest imported one, else None."""
        found = [s for s in self.sightings if s.observation.field == field_name]
        if not found:
            return None
        best = max(found, key=lambda s: (s.origin is Origin.OFFICER, s.seen, s.seq))
        return best.observation.value


class Reach(StrEnum):
    """Why an address of the scope was, or was not, assessed."""

    ASSESSED = "assessed"  # at least one question about what it is was answered or refused
    PRESENT_ONLY = "present_only"  # somebody is there, and told us nothing else
    SILENT = "silent"  # asked in every round, no reply: nobody there, or hidden from us
    EXCLUDED = "excluded"
    REFUSED_BY_SCOPE = "refused_by_scope"
    NOT_REACHED = "not_reached"  # planned and not done: interrupted, out of hours, no way there
    PROXY = "proxy"  # a router answers for it: nothing is known of the address itself


@dataclass(frozen=True, slots=True)
class Gap:
    """Addresses that were not assessed, compressed to ranges, and the one reason for them."""

    ranges: tuple[str, ...]
    reach: Reach
    count: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SubnetCoverage:
    """What was done in one network of the scope.

    tools: per sweep or probe, how many attempts ended in each outcome.
    vantage: `layer 2 by eth0` or `routed`. complete: every address was asked and everyone
    known to be there told us something.
    """

    site: str
    network: str
    addresses: int
    started: datetime | None
    ended: datetime | None
    vantage: str
    assessed: int
    tools: tuple[tuple[str, tuple[tuple[Outcome, int], ...]], ...]
    gaps: tuple[Gap, ...]
    complete: bool
    run: str = ""


@dataclass(frozen=True, slots=True)
class Unheard:
    """A hearing that was not whole: somebody may have been missed.

    dropped: what was heard and could not be kept. off_link: ranges of a listening that lie on no
    link of this machine. deaf: ranges of a segment that was asked, on which no answer from
    another network could be heard.
    """

    site: str
    run: str
    started: datetime
    dropped: int = 0  # frames, and things that they told
    off_link: tuple[str, ...] = ()
    deaf: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a whole report rests on: every network looked at, and what was never looked at.

    unheard: of the newest listening to each network and the newest scan of it, where it was not
    whole.
    """

    subnets: tuple[SubnetCoverage, ...] = ()
    notes: tuple[str, ...] = ()
    unheard: tuple[Unheard, ...] = ()

    @property
    def complete(self) -> bool:
        """Tell whether nothing planned was left undone; nothing planned is not complete."""
        whole = all(subnet.complete for subnet in self.subnets)
        return bool(self.subnets) and whole and not self.unheard

    @property
    def not_assessed(self) -> int:
        """Count the addresses of the scope that were not assessed."""
        return sum(gap.count for subnet in self.subnets for gap in subnet.gaps)


@dataclass(frozen=True, slots=True)
class Assessed:
    """A device together with who made it: what policy judges."""

    device: Device
    identity: Identity
    notes: tuple[str, ...] = field(default=())
