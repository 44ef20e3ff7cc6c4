"""How many neighbours may be met at a time: no more than the kernel's table holds.

Where the table is full, the kernel drops our packets without a word, and hosts that are there
seem silent. Source: arp(7); net/core/neighbour.c: at gc_thresh3 only entries go that failed or
have not changed for five seconds.
"""

import asyncio
import os
import struct
from pathlib import Path

from auditor.net import netlink
from auditor.net.neighbours import FAILED, PERMANENT, REACHABLE, Neighbour, read

NEIGHBOURS_MOST = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
USUAL_MOST = 1_024  # where the kernel does not tell (arp(7))
SHARE = 0.75  # of the table; others on this machine have neighbours, too
KEPT_S = 5.5  # an entry stays so long after it changed, whoever else needs the place
LOOK_S = 0.05
_CACHE = 3  # NDA_CACHEINFO: confirmed, used, updated (ticks ago), references
_NO_ARP = 0x40  # NUD_NOARP
_TICKS = os.sysconf("SC_CLK_TCK")


def table_size() -> int:
    """Tell how many neighbours the kernel's table holds."""
    try:
        return int(NEIGHBOURS_MOST.read_text("ascii"))
    except (OSError, ValueError):
        return USUAL_MOST


class Room:
    """The places in the table. met: the hardware addresses seen in it so far, per interface."""

    def __init__(self) -> None:
        self.most = max(1, int(table_size() * SHARE))
        self.taken = self.most  # a look comes first
        self.fresh = 0  # since the last look
        self.met: dict[tuple[int, str], str] = {}
        self.door = asyncio.Lock()

    async def enter(self) -> None:
        """Wait until one more neighbour finds a place."""
        async with self.door:
            if self.fresh >= self.most // 4:
                self.look()
            while self.taken + self.fresh >= self.most:
                self.look()
                if self.taken < self.most:
                    break
                await asyncio.sleep(LOOK_S)
            self.fresh += 1

    def look(self) -> list[Neighbour]:
        """Count the entries that hold a place, and remember whom the kernel knows."""
        known = []
        self.taken = self.fresh = 0
        for row in netlink.table(netlink.GET_NEIGHBOUR):
            self.taken += _holds(row)
            neighbour = read(row)
            if neighbour:
                known.append(neighbour)
                if neighbour.state & REACHABLE:
                    self.met[neighbour.index, neighbour.ip] = neighbour.mac
        return known


def _holds(row: netlink.Message) -> bool:
    if not row.fixed or row.fixed[2] & (FAILED | PERMANENT | _NO_ARP):
        return False
    told = row.attributes.get(_CACHE, b"")
    return len(told) < 12 or struct.unpack_from("=III", told)[2] < KEPT_S * _TICKS
