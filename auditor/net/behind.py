"""Who is behind one hardware address that answers for many: a bridge's hosts, or nobody.

A router that does proxy ARP (RFC 1027) answers for addresses at which nobody is. A wireless
bridge or a second segment behind such a router has hosts of their own there, under the same
hardware address. So some of the addresses are knocked on before all of them are written off.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

from auditor.model.address import AddressSet, Range
from auditor.net.everything import ALL_FEWEST, SAMPLE, Suspect, differs, noise

# Addresses behind one hardware address that are asked one by one; what is more stays unasked,
# and the note of the sweep says so.
MOST_ASKED = 1_024
FULL = 0.9  # of a network: hosts leave its two ends free, and do not fill it by chance

States = Mapping[int, Mapping[int, int]]  # address -> port -> REFUSED or OPEN
Again = Callable[[Sequence[int], Sequence[int]], Awaitable[States]]  # addresses, ports
# asked, all that one hardware address answers for, those for which nobody else does
Look = Callable[[AddressSet, Sequence[int], Sequence[int]], Awaitable[frozenset[int]]]


async def hosts_behind(
    asked: AddressSet,
    answered_for: Sequence[int],
    alone: Sequence[int],
    ports: Sequence[int],
    again: Again,
) -> frozenset[int]:
    """Give those of `alone` at which hosts plainly give answers of their own.

    answered_for: what one hardware address answers ARP for. alone: those of them for which
    nobody else does. again: asks addresses on ports.
    """
    some = random.sample(alone, min(SAMPLE, len(alone)))
    if not some:
        return frozenset()
    told = await again(some, ports)
    if len(alone) > MOST_ASKED or not any(told.values()):
        return frozenset()
    noisy = common(asked, answered_for, [told[ip] for ip in some], ports)
    if noisy:
        told = await again(alone, ports)
        return frozenset(ip for ip, answers in told.items() if differs(answers, noisy))
    found = {ip for ip, answers in told.items() if answers}
    for port in ports:  # one answer is enough of each: what they are, is asked later
        left = [ip for ip in alone if ip not in found]
        told = await again(left, (port,))
        found |= {ip for ip, answers in told.items() if answers}
    return frozenset(found)


def common(
    asked: AddressSet,
    answered_for: Sequence[int],
    sample: Sequence[Mapping[int, int]],
    ports: Sequence[int],
) -> dict[int, int]:
    """Give the ports on which a router alone answers, and how; none: hosts give the answers."""
    return noise(_suspect(asked, answered_for), sample, ports)


def _suspect(asked: AddressSet, members: Sequence[int]) -> Suspect:
    """Say what one hardware address has in common with a box that answers for all.

    As many as that, with no gap, behind one hardware address are a box as much as where the
    two ends of a network answer; so are networks that are full from end to end.
    """
    blocks = {ip >> 8 for ip in members}
    area = AddressSet.of(Range(4, b << 8, (b << 8) + 255) for b in blocks).meet(asked)
    edges = AddressSet.of(Range(4, at, at) for b in blocks for at in (b << 8, (b << 8) + 255))
    asked_ends = {end for p in area.meet(edges).ranges for end in (p.first, p.last)}
    whole = len(members) == area.size
    answered = bool(asked_ends) and asked_ends <= set(members)
    rows = Counter(ip >> 4 for ip in members)  # networks of sixteen
    full = sum(n for n in rows.values() if n >= FULL * 16) >= FULL * len(members)
    ends = answered or full or (whole and len(members) >= ALL_FEWEST)
    return Suspect(tuple(members), whole or full, ends)
