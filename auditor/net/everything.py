"""Routers and firewalls that answer for addresses at which nobody is: recognised; pure.

A host gives its own answers: some ports open, some closed, and nobody at the two ends of a
network. A box that answers for a whole network gives one and the same from every address, as
many hops away, at the ends as well. Such answers tell nothing about the address.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from auditor.model.address import AddressSet, Range

SAMPLE = 16  # addresses of a suspect /24 that are asked every port
FEWEST = 16  # addresses asked in a /24 before anything is suspected
SHARE = 0.5  # of them that answer alike; a box under load does not answer every time
ALL_FEWEST = 64  # where neither end of the /24 was asked, all of so many must answer
NOISY = 0.75  # of the sample that must answer alike on a port

REFUSED, OPEN = 1, 2


@dataclass(frozen=True, slots=True)
class Suspect:
    """A /24 from which everybody answers alike. members: who does. whole: all that were asked."""

    members: tuple[int, ...]
    whole: bool
    ends: bool  # the network's two ends were asked, and answered


def suspects(asked: AddressSet, signs: Mapping[int, int]) -> tuple[Suspect, ...]:
    """Give the /24s that may be answered for by one box.

    signs: per address that answered, what its answer has in common with others (time to live).
    """
    blocks: dict[int, list[int]] = defaultdict(list)
    for ip in signs:
        blocks[ip >> 8].append(ip)
    found = []
    for block, ips in sorted(blocks.items()):
        if len(ips) < SHARE * FEWEST:
            continue
        first = block << 8
        size = len(ips) if len(ips) == 256 else _size(asked, first)
        if size < FEWEST or len(ips) < SHARE * size:
            continue
        alike: dict[int, list[int]] = defaultdict(list)
        for ip in ips:
            alike[signs[ip]].append(ip)
        members = max(alike.values(), key=len)
        ends = {end for end in (first, first + 255) if _holds(asked, end)}
        ended = bool(ends) and ends <= set(members)
        whole = len(members) == size
        if len(members) >= SHARE * size and (ended or (not ends and whole and size >= ALL_FEWEST)):
            found.append(Suspect(tuple(sorted(members)), whole, ended))
    return tuple(found)


def noise(
    suspect: Suspect, sample: Sequence[Mapping[int, int]], ports: Iterable[int]
) -> dict[int, int]:
    """Give the ports on which a suspect /24 answers alike everywhere, and how; none: all is well.

    sample: of some members, per port REFUSED or OPEN where it answered.
    """
    found = {}
    for port in ports:
        heard = Counter(answers[port] for answers in sample if port in answers)
        state, count = max(heard.items(), key=lambda pair: pair[1], default=(0, 0))
        # where the ends answer, too, the others are hosts that are there; else nobody is sure
        if count and count >= NOISY * len(sample) and (suspect.ends or len(heard) == 1):
            found[port] = state
    # devices of one kind, in a row, have ports open and ports closed
    mixed = len(set(found.values())) > 1
    return {} if mixed and not (suspect.whole and suspect.ends) else found


def differs(answers: Mapping[int, int], noisy: Mapping[int, int]) -> bool:
    """Tell whether answers (port -> REFUSED or OPEN) are not those of the box alone."""
    return any(noisy.get(port) != state for port, state in answers.items())


def _size(asked: AddressSet, first: int) -> int:
    return asked.meet(AddressSet((Range(4, first, first + 255),))).size


def _holds(asked: AddressSet, number: int) -> bool:
    return bool(asked.meet(AddressSet((Range(4, number, number),))))
