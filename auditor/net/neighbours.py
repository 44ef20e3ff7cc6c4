"""The kernel's neighbour table: who it knows on our links, and what we may lend it.

Source: rtnetlink(7), linux/neighbour.h. A reader needs no privilege, and so learns hardware
addresses where raw frames are not allowed: the kernel asks ARP for every address we connect to.
"""

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.model.address import Mac
from auditor.net import netlink

REACHABLE = 0x02  # NUD_REACHABLE: answered, or spoke to us, within the last half minute
FAILED = 0x20  # NUD_FAILED: did not answer ARP when it was last asked
NOARP = 0x40  # NUD_NOARP: a group or a point-to-point link; nobody was asked
PERMANENT = 0x80  # NUD_PERMANENT: does not count towards the table's limit, is never asked
STALE = 0x04  # NUD_STALE: answered once; the kernel asks again before it relies on it for long
_HEARD = REACHABLE | STALE | 0x08 | 0x10  # NUD_DELAY, _PROBE
_LEARNED_ELSEWHERE = 0x10  # NTF_EXT_LEARNED: another program of this machine keeps it
_MARK = 171  # NDA_PROTOCOL of entries that we lent, so that a killed run's can be found
_BODY = struct.Struct("=BxxxiHBB")
_DST, _LLADDR, _PROTOCOL = 1, 2, 12


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One entry of the table."""

    ip: str
    mac: str
    index: int  # of the interface
    state: int
    lent: bool = False
    flags: int = 0

    @property
    def used(self) -> bool:
        """Tell whether the kernel sends to this hardware address without asking first."""
        return not self.state & FAILED

    @property
    def kept(self) -> bool:
        """Tell whether somebody wrote the entry who would miss it; the kernel's own it learns again."""
        return bool(self.state & (PERMANENT | NOARP) or self.flags & _LEARNED_ELSEWHERE)


def known() -> tuple[Neighbour, ...]:
    """Read the whole table, entries without a hardware address left out."""
    found = (read(row) for row in netlink.table(netlink.GET_NEIGHBOUR))
    return tuple(neighbour for neighbour in found if neighbour)


def read(row: netlink.Message) -> Neighbour | None:
    """Read one row of the table; None where it has no hardware address."""
    raw, ip = row.attributes.get(_LLADDR, b""), row.ip(_DST)
    if len(raw) != 6 or not ip or not row.fixed:
        return None
    mac = str(Mac(int.from_bytes(raw, "big")))
    lent = row.attributes.get(_PROTOCOL) == bytes([_MARK])
    return Neighbour(ip, mac, row.fixed[1], row.fixed[2], lent, row.fixed[3])


def lend(index: int, entries: Iterable[tuple[str, str]]) -> int:
    """Put (ip, mac) pairs that a sweep has just learned into the table of an interface."""
    mark = netlink.attribute(_PROTOCOL, bytes([_MARK]))
    bodies = [_entry(index, ip, PERMANENT) + _hardware(mac) + mark for ip, mac in entries]
    return netlink.change(netlink.NEW_NEIGHBOUR, bodies)


def put_back(entries: Iterable[Neighbour]) -> int:
    """Write what the kernel had learned before we lent it something else; it will ask again."""
    heard = [n for n in entries if n.state & _HEARD]
    bodies = [_entry(n.index, n.ip, STALE) + _hardware(n.mac) for n in heard]
    return netlink.change(netlink.NEW_NEIGHBOUR, bodies)


def take_back(lent: Iterable[Neighbour] | None = None) -> int:
    """Remove what we lent; without an argument all that carries our mark, of any run."""
    entries = [n for n in known() if n.lent] if lent is None else lent
    return netlink.change(netlink.DEL_NEIGHBOUR, [_entry(n.index, n.ip, 0) for n in entries])


def _entry(index: int, ip: str, state: int) -> bytes:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    target = socket.inet_pton(family, ip)
    return _BODY.pack(family, index, state, 0, 0) + netlink.attribute(_DST, target)


def _hardware(mac: str) -> bytes:
    return netlink.attribute(_LLADDR, bytes.fromhex(mac.replace(":", "")))
