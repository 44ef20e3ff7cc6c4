"""Which devices a decision speaks of, by identifiers that survive re-correlation.

Keys of a subject narrow each other, except that any of the identifiers of the device itself
(`device`, `mac`, `serial`, `ip`, `tag`) suffices, and values of one key are alternatives.
Without an identifier a decision speaks of every device of its site, without a site of all.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.errors import DataError
from auditor.model.address import Mac
from auditor.model.decision import Decision, DecisionKind
from auditor.model.device import Assessed
from auditor.policy.ties import known

COUNT = re.compile("[0-9]{1,6}")  # as a decision carries it; a merged one may carry anything
IDENTIFIERS = ("device", "mac", "serial", "ip", "tag")
KEYS = (*IDENTIFIERS, "site", "pack", "rule")
# these belong to one thing wherever it is; an address or a tag means something at one site only
_ANYWHERE = frozenset({"device", "mac", "serial"})


def standing(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Give the decisions that were not withdrawn, oldest first."""
    all_of_them = sorted(decisions, key=lambda d: (d.at, d.id))
    gone = {d.withdraws for d in all_of_them if d.kind is DecisionKind.WITHDRAWN}
    return tuple(
        d for d in all_of_them if d.kind is not DecisionKind.WITHDRAWN and d.id not in gone
    )


def values_of(decision: Decision, key: str) -> tuple[str, ...]:
    """Give all values that a decision's subject has for a key."""
    return tuple(value for name, value in decision.subject if name == key)


def value_of(decision: Decision, key: str) -> str:
    """Give what a decision sets for a key; empty where it sets nothing."""
    return dict(decision.values).get(key, "")


def speaks_of(decision: Decision, pack: str, rule: str) -> bool:
    """Tell whether a decision that may be limited to packs and rules covers this one."""
    packs, rules = values_of(decision, "pack"), values_of(decision, "rule")
    return (not packs or pack in packs) and (not rules or rule in rules)


def identifiers(assessed: Assessed) -> frozenset[tuple[str, str]]:
    """Give every identifier by which a decision may name this device."""
    device, identity = assessed.device, assessed.identity
    pairs = {("device", device.id)}
    pairs |= {("mac", mac.lower()) for mac in device.macs}
    pairs |= {("ip", ip) for ip in device.ips}
    if serial := known(identity.serial) or device.recorded("asset.serial"):
        pairs.add(("serial", serial.casefold()))
    if tag := device.recorded("asset.tag"):
        pairs.add(("tag", tag.casefold()))
    return frozenset(pairs)


def _mac(text: str) -> str:
    try:
        return str(Mac.parse(text))
    except DataError:
        return text.lower()


def _named(decision: Decision) -> frozenset[tuple[str, str]]:
    fold = {"mac": _mac, "serial": str.casefold, "tag": str.casefold}
    return frozenset(
        (key, fold.get(key, str)(value)) for key, value in decision.subject if key in IDENTIFIERS
    )


@dataclass(frozen=True, slots=True)
class Register:
    """Decisions by what they name, so that a million devices ask cheaply."""

    by_identifier: Mapping[tuple[str, str], tuple[Decision, ...]] = field(default_factory=dict)
    by_site: Mapping[str, tuple[Decision, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, decisions: Sequence[Decision]) -> "Register":
        """Index decisions; those without identifiers by site, `` standing for everywhere."""
        named: dict[tuple[str, str], tuple[Decision, ...]] = {}
        sites: dict[str, tuple[Decision, ...]] = {}
        for decision in decisions:
            keys = _named(decision)
            for key in keys:
                named[key] = (*named.get(key, ()), decision)
            for site in () if keys else values_of(decision, "site") or ("",):
                sites[site] = (*sites.get(site, ()), decision)
        return cls(named, sites)

    def about(self, assessed: Assessed, *, anywhere: bool = False) -> tuple[Decision, ...]:
        """Give the decisions that speak of a device, oldest first.

        anywhere: also those made at another site, as long as they name the thing itself.
        """
        if not self.by_identifier and not self.by_site:
            return ()
        site = assessed.device.site
        found = {d.id: d for key in ("", site) for d in self.by_site.get(key, ())}
        for key in identifiers(assessed):
            for decision in self.by_identifier.get(key, ()):
                sites = values_of(decision, "site")
                if not sites or site in sites or (anywhere and key[0] in _ANYWHERE):
                    found[decision.id] = decision
        return tuple(sorted(found.values(), key=lambda d: (d.at, d.id)))
