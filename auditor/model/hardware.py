"""From where a device's hardware address is known; none is ever made up or worked out.

What answered ARP (RFC 826) or as an IPv6 neighbour (RFC 4861) shows it on its own segment. A reply
in which it stands, a router's table and somebody's list tell of it, which is less.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from auditor.model.observation import Attempt, Origin

ROUTER_TABLE_TOOL = "router_arp"  # whose sightings are the rows of a router's own table


class MacSource(StrEnum):
    """Where a hardware address comes from, the nearest to the device first."""

    ARP = "arp"  # it answered ARP, or sent it, on its own segment
    NDP = "ndp"  # the same of an IPv6 neighbour
    OVERHEARD = "overheard"  # it stood in what was heard or captured on its segment
    OWN_REPLY = "own_reply"  # it stood in a reply that the device gave when asked
    ROUTER_TABLE = "router_table"  # a router's address table names it (SNMP)
    IMPORTED = "imported"  # somebody's table or list names it
    OFFICER = "officer"  # a named person entered it


ON_SEGMENT = frozenset({MacSource.ARP, MacSource.NDP, MacSource.OVERHEARD})
_RANK = {source: rank for rank, source in enumerate(MacSource)}


@dataclass(frozen=True, slots=True)
class KnownMac:
    """One hardware address, where it comes from (nearest first) and which tools told it."""

    mac: str
    sources: tuple[MacSource, ...]
    tools: tuple[str, ...]

    @property
    def on_segment(self) -> bool:
        """Tell whether it was seen on the device's own segment, and not only told."""
        return bool(ON_SEGMENT & set(self.sources))


def source_of(attempt: Attempt) -> MacSource:
    """Say from where an attempt that holds a hardware address has it."""
    end = attempt.endpoint
    if attempt.origin is Origin.OFFICER:
        return MacSource.OFFICER
    if attempt.origin is Origin.FILE or end.transport == "file":
        return MacSource.IMPORTED
    if attempt.tool == ROUTER_TABLE_TOOL:
        return MacSource.ROUTER_TABLE
    if end.transport in {"arp", "ndp"}:
        return MacSource(end.transport)
    if attempt.origin is Origin.SIGHTING:
        return MacSource.OVERHEARD
    if end.transport == "udp":
        return MacSource.OWN_REPLY
    # who knocks on ports has it from the kernel's or the sweep's own ARP or neighbour answer
    return MacSource.NDP if ":" in (end.ip or "") else MacSource.ARP


def known_mac(mac: str, told: Iterable[tuple[MacSource, str]]) -> KnownMac:
    """Gather who told one hardware address. told: source and tool of each attempt."""
    pairs = set(told)
    sources = sorted({source for source, _ in pairs}, key=_RANK.__getitem__)
    return KnownMac(mac, tuple(sources), tuple(sorted({tool for _, tool in pairs})))
