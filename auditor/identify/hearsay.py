"""Whom a discovery reply is about, where what it claims and who sent it do not agree.

A reply states an address and a MAC, and anybody can state somebody else's. What answered ARP
(RFC 826) or as an IPv6 neighbour (RFC 4861) in the same run decides: a claim about another device that stands on the link is
kept as said by the one who sent it. Where the link knows nothing against a claim it stands:
a camera on a foreign subnet, or behind a bridge, is known by nothing else.

What stands may still be doubted, and is then a reason to look and no proof (decision 0019):
nobody answers at the address although everybody was asked for it, another hardware address answers
there than the one stated, the one stated answers at another address, or the frame came from another
device than the one that answers at the sender's address.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from auditor.identify.keys import Keys
from auditor.model.address import AddressSet
from auditor.model.coverage_note import NOTHING, read_note
from auditor.model.observation import Attempt, Origin

NOBODY_THERE, OTHER_MAC, MAC_ELSEWHERE = "nobody_there", "other_mac", "mac_elsewhere"
SENT_BY_OTHER = "sent_by_other"
EARLIER_HOLDER = "earlier_holder"  # heard before anybody knew whose the address is
VISIT = timedelta(days=1)  # what was heard within a day is one visit
FRAME = "link.source"  # who sent the frame that a reply came in
_DISCOVERY = ("sadp.", "dhip.", "onvif.", "ssdp.", "mdns.")  # fields of replies to a group

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

    def elsewhere(self, where: _Where, macs: Iterable[str]) -> str | None:
        """Give an IPv4 address at which one of these MACs answers; IPv6 ones come beside it."""
        found = (ip for mac in macs for ip in self.ips.get((where, mac), ()) if "." in ip)
        return min(found, default=None)


@dataclass(frozen=True, slots=True)
class Claim:
    """A reply with an address and a MAC, in one run at one site."""

    where: _Where
    keys: Keys
    attempt: Attempt


def is_claim(attempt: Attempt) -> bool:
    """Tell whether an attempt is a reply to a group, whose sender anybody can forge."""
    if attempt.origin is not Origin.WIRE or attempt.endpoint.transport != "udp":
        return False
    return any(seen.field.startswith(_DISCOVERY) for seen in attempt.observations)


def nobody(details: Iterable[str]) -> AddressSet:
    """Give the addresses that were silent in the sweeps whose notes these are."""
    told = filter(None, map(read_note, details))
    return AddressSet.of(piece for note in told for piece in note.silent.ranges)


def doubt(claim: Claim, at: Keys, link: Link, silent: AddressSet = NOTHING) -> str:
    """Say what speaks against a claim that stands with the keys `at`; empty where nothing does.

    silent: where nobody answered in the same run.
    """
    if at.ip and at.ip in silent:
        return NOBODY_THERE
    if _borrowed(claim, link):
        return SENT_BY_OTHER
    said, stated = link.macs.get((claim.where, at.ip or ""), set()), set(claim.keys.hardware)
    if said and stated:
        return "" if said & stated else OTHER_MAC
    return MAC_ELSEWHERE if not said and link.elsewhere(claim.where, stated) else ""


def _sender(claim: Claim) -> str | None:
    """Give the address that a reply was sent from."""
    said = (o.value for o in claim.attempt.observations if o.field in _SENDERS)
    return next(said, claim.keys.ip)


def _frames(claim: Claim) -> set[str]:
    return {o.value for o in claim.attempt.observations if o.field == FRAME}


def _borrowed(claim: Claim, link: Link) -> bool:
    """Tell whether the frame of a reply is another device's than that at the sender's address."""
    frames = _frames(claim)
    there = link.macs.get((claim.where, _sender(claim) or ""), set())
    if not frames or frames & there:
        return False
    others = frames - set(claim.keys.hardware)
    return bool(there) or link.elsewhere(claim.where, others) is not None


def placed(claim: Claim, link: Link, silent: AddressSet = NOTHING) -> Keys:
    """Give the keys of a claim: those of who sent it where it speaks of somebody else.

    silent: where nobody answered in the same run; a MAC that answers elsewhere is not there.
    """
    keys, where, sender = claim.keys, claim.where, _sender(claim)
    said, sent = (link.macs.get((where, ip or ""), set()) for ip in (keys.ip, sender))
    if said and sent and not said & sent:
        return replace(keys, ip=sender, macs=(), local_macs=())
    by = link.elsewhere(where, _frames(claim)) if said and _borrowed(claim, link) else None
    if by:
        return replace(keys, ip=by, macs=(), local_macs=())
    if not said and (keys.ip is None or keys.ip not in silent):
        return keys
    if said & set(keys.hardware):
        return keys
    elsewhere = any(link.ips.get((where, mac)) for mac in keys.hardware)
    if not said:
        elsewhere = link.elsewhere(where, keys.hardware) is not None
    return replace(keys, macs=(), local_macs=()) if elsewhere else keys
