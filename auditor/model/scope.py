"""The authority under which a network may be looked at, and the plan that follows from it.

Everything that sends requires a Scope; there is no default network.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time

from auditor.errors import DataError
from auditor.model.address import AddressSet, carried

GENTLE = "gentle"
HALF_OPEN_PPS = 10_000.0
FEWEST_QUESTIONS = 3.0  # to groups in thirty seconds, however slow the pace
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard we may knock. Rates are caps for any one second, not averages.

    The defaults are the profile `gentle`: Dynamic ARP Inspection shuts a switch port above
    15 ARP packets a second (Cisco, Dell and others), and small cameras reset under more
    than a handful of connections.
    """

    profile: str = "gentle"
    arp_per_s: float = 10.0
    packets_per_s: float = 200.0  # all frames and datagrams that we build ourselves
    connects_per_s: float = 200.0  # TCP connections, all hosts together
    host_connects_per_s: float = 4.0
    host_open: int = 2  # connections open to one host at a time
    host_total: int = 25  # connections to one host in a run
    rounds: int = 2  # how often a silent address is asked
    # questions to groups (all protocols, the echo to all IPv6 nodes too) that a segment hears
    # in any thirty seconds
    discovery_per_30s: float = 3.0
    frames_per_s: float = math.inf  # all that leaves us, with what the kernel adds of itself

    @property
    def half_opens(self) -> bool:
        """Tell whether connections may be left half open, which ends them with an RST.

        Fragile equipment may not survive that: under the profile made for it only a pace says
        that nothing of the kind is there (docs/decisions/0011).
        """
        return self.profile != GENTLE or self.packets_per_s >= HALF_OPEN_PPS

    @property
    def delicate(self) -> bool:
        """Tell whether every host has to be taken for a fragile one."""
        return not self.half_opens

    def faster(self, per_s: float) -> "Pace":
        """Give this pace at so many packets a second, as a person named it.

        That is what leaves this machine in all, whatever it is for. What protects a single host
        stays. Questions to groups grow with the ARP rate, which
        everybody on the segment hears as well, and never fall below three in thirty seconds.
        """
        groups = max(
            min(self.discovery_per_30s, FEWEST_QUESTIONS),
            math.floor(self.discovery_per_30s * per_s / self.arp_per_s),
        )
        return replace(
            self,
            arp_per_s=per_s,
            packets_per_s=per_s,
            connects_per_s=per_s,
            frames_per_s=per_s,
            discovery_per_30s=float(groups),
        )


@dataclass(frozen=True, slots=True)
class Hours:
    """When sending is allowed: local time of `zone`, from `start` until `end` (may pass midnight)."""

    start: time
    end: time
    days: tuple[str, ...] = WEEK
    zone: str = "UTC"

    def __post_init__(self) -> None:
        from zoneinfo import ZoneInfo  # slow to import, and few scopes name hours

        if unknown := set(self.days) - set(WEEK):
            raise DataError(f"unknown weekday {sorted(unknown)}", hint=f"use {' '.join(WEEK)}")
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError) as error:
            raise DataError(
                f"{self.zone!r} is no time zone", hint="write it as America/Toronto"
            ) from error

    def allow(self, moment: datetime) -> bool:
        """Tell whether `moment` (with a zone) lies in the window; a window past midnight
        belongs to the day on which it began.
        """
        from zoneinfo import ZoneInfo

        local = moment.astimezone(ZoneInfo(self.zone))
        now, today = local.time(), WEEK[local.weekday()]
        if self.start <= self.end:
            return today in self.days and self.start <= now < self.end
        yesterday = WEEK[(local.weekday() - 1) % 7]
        return (now >= self.start and today in self.days) or (
            now < self.end and yesterday in self.days
        )


@dataclass(frozen=True, slots=True)
class Authority:
    """Who allowed this, how we know, and until when.

    source: `command line` or the path of the scope file. sha256: of that file's bytes.
    signed_by: fingerprint of the Ed25519 key that signed it; None when unsigned.
    """

    operator: str
    recorded: datetime
    source: str = "command line"
    approver: str = ""
    ticket: str = ""
    contacts: tuple[str, ...] = ()
    expires: datetime | None = None
    sha256: str = ""
    signed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be asked, where, how fast, when, and on whose authority.

    ports: the only TCP/UDP ports that may be contacted. never: ports that are not touched
    even if somebody lists them (raw printing, industrial control). community: SNMP read
    community, None when SNMP is not authorised.
    """

    site: str
    networks: AddressSet
    excluded: AddressSet
    ports: frozenset[int]
    never: frozenset[int]
    pace: Pace
    authority: Authority
    hours: Hours | None = None
    interface: str | None = None
    community: str | None = field(default=None, repr=False)
    router_communities: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def may_ask(self, port: int) -> bool:
        """Tell whether a port may be contacted at all; 0 stands for transports without ports."""
        return port not in self.never and (not port or port in self.ports)

    def refusal(self, ip: str, port: int, moment: datetime) -> str | None:
        """Give the reason why `ip`:`port` may not be contacted now; None where it may.

        port 0 stands for transports without ports (ARP, NDP, ICMP).
        """
        if self.authority.expires and moment >= self.authority.expires:
            return f"the authority expired at {self.authority.expires.isoformat()}"
        if ip in self.excluded or ((behind := carried(ip)) and behind in self.excluded):
            return "excluded by the scope"
        if ip not in self.networks:
            return "outside the authorised networks"
        if port in self.never:
            return f"port {port} is never touched"
        if port and port not in self.ports:
            return f"port {port} is not among the authorised ports"
        if self.hours and not self.hours.allow(moment):
            return "outside the authorised hours"
        return None


ALSO_EXCLUDED = "also excluded since a part was interrupted: "


def exclusion_note(excluded: AddressSet) -> str:
    """Write what was excluded later than the scope of a run, as one of the run's notes."""
    return ALSO_EXCLUDED + ", ".join(excluded.texts())


def excluded_later(notes: Iterable[str]) -> AddressSet:
    """Read from a run's notes what was excluded later than its scope."""
    said = (note.removeprefix(ALSO_EXCLUDED) for note in notes if note.startswith(ALSO_EXCLUDED))
    return AddressSet.parse(part for text in said for part in text.split(", "))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something asked for and not planned: the addresses (as text) and the reason."""

    addresses: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scan will do before it does anything; pure.

    targets: addresses that will be asked. packets: upper bound of frames and datagrams that
    we send plus connections. duration_s: at the pace's caps. behind: connections more to each
    address for which one hardware address answers that answers for many (decision 0034).
    """

    scope: Scope
    targets: AddressSet
    sweeps: tuple[str, ...]
    probes: tuple[str, ...]
    refused: tuple[Refusal, ...]
    packets: int
    duration_s: float
    made: date | None = None
    behind: int = 0
