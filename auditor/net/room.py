"""How many neighbours may be met at a time: no more than the kernel's table holds.

Where the table is full, the kernel drops our packets without a word, and hosts that are there
seem silent. Source: arp(7); net/core/neighbour.c: at gc_thresh3 only entries go that failed, or
that have not changed for five seconds and wait for nothing. Who has just answered is kept for
half a minute (base_reachable_time): so many live hosts and no more can be met in that time.
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
LEAST_SHARE = 0.125  # however many they have
KEPT_S = 5.5  # an entry stays so long after it changed, whoever else needs the place
LOOK_S = 0.05
_CACHE = 3  # NDA_CACHEINFO: confirmed, used, updated (ticks ago), references
_NO_ARP = 0x40  # NUD_NOARP
_TIMED = 0x01 | REACHABLE | 0x08 | 0x10  # NUD_INCOMPLETE, _DELAY, _PROBE: a timer runs
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
        self.size = table_size()
        self.others: int | None = None  # places that were held before we came
        self.taken = self.fresh = 0  # by the last look; since then
        self.met: dict[tuple[int, str], str] = {}
        self.door = asyncio.Lock()

    async def enter(self) -> None:
        """Wait until one more neighbour finds a place."""
        async with self.door:
            if self.others is None or self.fresh >= self.size // 8:
                self.look()
            while self._full():
                self.look()
                if self._full():
                    await asyncio.sleep(LOOK_S)
            self.fresh += 1

    def _full(self) -> bool:
        others = self.others or 0
        most = max(self.size * LEAST_SHARE, self.size * SHARE - others)
        return self.taken - others + self.fresh >= max(1, most)

    def look(self) -> list[Neighbour]:
        """Count the entries that hold a place, and remember whom the kernel knows."""
        known = []
        self.taken = self.fresh = 0
        for row in netlink.table(netlink.GET_NEIGHBOUR):
            self.taken += holds(row)
            neighbour = read(row)
            if neighbour:
                known.append(neighbour)
                if neighbour.state & REACHABLE:
                    self.met[neighbour.index, neighbour.ip] = neighbour.mac
        self.others = self.taken if self.others is None else self.others
        return known


def holds(row: netlink.Message) -> bool:
    """Tell whether a row of the table keeps its place when somebody else needs it."""
    if not row.fixed or row.fixed[2] & (FAILED | PERMANENT | _NO_ARP):
        return False
    if row.fixed[2] & _TIMED:
        return True
    told = row.attributes.get(_CACHE, b"")
    return len(told) < 12 or struct.unpack_from("=III", told)[2] < KEPT_S * _TICKS
