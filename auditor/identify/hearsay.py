"""Whom a discovery reply is about, where what it claims and who sent it do not agree.

A reply states an address and a MAC, and anybody can state somebody else's. What answered ARP
(RFC 826) or as an IPv6 neighbour (RFC 4861) in the same run decides: a claim about another device that stands on the link is
kept as said by the one who sent it. Where the link knows nothing against a claim it stands:
a camera on a foreign subnet, or behind a bridge, is known by nothing else.
"""

from dataclasses import dataclass, field, replace

from auditor.identify.keys import Keys
from auditor.model.observation import Attempt

_SENDERS = frozenset({"sadp.sender", "dhip.sender"})
_Where = tuple[str, str]  # site, run


@dataclass(frozen=True, slots=True)
class Link:
    """Who answered on the link: the MACs at an address, and the addresses of a MAC."""

    macs: dict[tuple[_Where, str], set[str]] = field(default_factory=dict)
    ips: dict[tuple[_Where, str], set[str]] = field(default_factory=dict)

    def saw(self, where: _Where, keys: Keys) -> None:
        """Remember one answer."""
        for mac in keys.hardware if keys.ip else ():
            self.macs.setdefault((where, keys.ip or ""), set()).add(mac)
            self.ips.setdefault((where, mac), set()).add(keys.ip or "")


@dataclass(frozen=True, slots=True)
class Claim:
    """A reply with an address and a MAC, in one run at one site."""

    where: _Where
    keys: Keys
    attempt: Attempt


def placed(claim: Claim, link: Link) -> Keys:
    """Give the keys of a claim: those of its sender where it speaks of somebody else."""
    keys, where = claim.keys, claim.where
    sender = next((o.value for o in claim.attempt.observations if o.field in _SENDERS), keys.ip)
    said, sent = (link.macs.get((where, ip or ""), set()) for ip in (keys.ip, sender))
    if said and sent and not said & sent:
        return replace(keys, ip=sender, macs=(), local_macs=())
    if not said or said & set(keys.hardware):
        return keys
    elsewhere = any(link.ips.get((where, mac)) for mac in keys.hardware)
    return replace(keys, macs=(), local_macs=()) if elsewhere else keys
