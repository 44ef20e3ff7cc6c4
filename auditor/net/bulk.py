"""The guard's questions asked of whole arrays of IPv4 addresses, and the journal of them."""

import numpy as np
from numpy.typing import NDArray

from auditor.errors import ScopeRefusal
from auditor.model.address import AddressSet, Range
from auditor.net.guard import Guard

Numbers = NDArray[np.uint32]


class Fence:
    """The addresses that a scope lets pass, as arrays that thousands are looked up in at once."""

    def __init__(self, guard: Guard) -> None:
        allowed = guard.scope.networks.minus(guard.scope.excluded)
        ranges = [piece for piece in allowed.ranges if piece.version == 4]
        self.firsts = np.array([piece.first for piece in ranges], np.uint32)
        self.lasts = np.array([piece.last for piece in ranges], np.uint32)
        self.doors = np.zeros(1 << 16, np.bool_)
        self.doors[sorted(guard.scope.ports - guard.scope.never)] = True

    def inside(self, numbers: Numbers) -> NDArray[np.bool_]:
        """Tell of each number whether it may be contacted."""
        if not self.firsts.size:
            return np.zeros(len(numbers), np.bool_)
        at = np.searchsorted(self.firsts, numbers, side="right") - 1
        return (at >= 0) & (numbers <= self.lasts[np.maximum(at, 0)])

    def permit(self, guard: Guard, numbers: Numbers, ports: NDArray[np.uint16] | None) -> None:
        """Let frames to these addresses (and ports) pass, all or none."""
        reason = guard.standing()
        if reason is None and not self.inside(numbers).all():
            reason = "outside the authorised networks"
        if reason is None and ports is not None:
            forbidden = ports[~self.doors[ports]]
            reason = f"port {forbidden.min()} is not authorised" if forbidden.size else None
        if reason:
            raise ScopeRefusal(f"nothing was sent to {len(numbers)} addresses", why=reason)


def numbers_of(targets: AddressSet) -> Numbers:
    """List the IPv4 addresses of a set as numbers, in order."""
    ranges = [piece for piece in targets.ranges if piece.version == 4]
    if not ranges:
        return np.zeros(0, np.uint32)
    return np.concatenate([np.arange(r.first, r.last + 1, dtype=np.int64) for r in ranges]).astype(
        np.uint32
    )


def set_of(numbers: Numbers) -> AddressSet:
    """Write numbers as a set of ranges."""
    if not numbers.size:
        return AddressSet()
    ordered = np.sort(numbers).astype(np.int64)
    ordered = ordered[np.concatenate(([True], np.diff(ordered) > 0))]
    breaks = np.flatnonzero(np.diff(ordered) > 1)
    firsts = ordered[np.concatenate(([0], breaks + 1))]
    lasts = ordered[np.concatenate((breaks, [ordered.size - 1]))]
    return AddressSet(tuple(Range(4, int(a), int(b)) for a, b in zip(firsts, lasts, strict=True)))


def written(numbers: Numbers) -> str:
    """Write the addresses of one batch for the journal, in the order in which they were sent."""
    flat = numbers.astype(">u4").view(np.uint8).tolist()
    return ",".join(["%d.%d.%d.%d"] * len(numbers)) % tuple(flat)


def checksum(words: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """Sum rows of 16-bit words to Internet checksums (RFC 1071)."""
    total = words.sum(axis=1, dtype=np.uint32)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    result: NDArray[np.uint16] = (~total & 0xFFFF).astype(np.uint16)
    return result


def hashed(values: NDArray[np.uint64], key: np.uint64) -> NDArray[np.uint64]:
    """Hash numbers so that only who knows the key can tell the result (splitmix64's finaliser)."""
    x = values ^ key
    for multiplier in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(multiplier) + key
    return x


def octets(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Give numbers (of network byte order) as rows of octets."""
    return values.view(np.uint8).reshape(len(values), values.dtype.itemsize)


def words(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Give rows of octets as rows of 16-bit words."""
    found: NDArray[np.uint32] = rows.copy().view(">u2").astype(np.uint32)
    return found
