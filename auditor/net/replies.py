"""The replies to a group's question while they come: bounded, and read in an order that is fair.

Anybody on a segment can pour in replies, under any name. So each sender has a small share; who
stands on the segment comes before who does not, a sender's first reply before anybody's second, a
short one before a long one; and what there was no room or no time for is counted, never silent.
"""

import asyncio
import heapq
from collections import Counter
from dataclasses import replace

from auditor.model.address import AddressSet
from auditor.model.observation import Observation
from auditor.plugins import Found, Sweep

MOST_REPLIES = 20_000  # distinct ones from senders on the segment, in one round of one sweep
MOST_FAR = 2_000  # from senders elsewhere: cameras that still have their factory address
MOST_BYTES = 48 << 20  # of distinct replies
MOST_BESIDE = 2_000  # replies beyond the share of an IP address, of other hardware addresses there
LONG_BYTES = 8_192  # devices say what they are in less
MOST_LONG_BYTES = 16 << 20  # of the longer ones together
MOST_OF_ONE_SENDER = 16  # distinct replies; a recorder may speak for its cameras
MOST_AT_ONE_IP = 512  # distinct replies of all hardware addresses that answer from one IP address
MOST_DEVICES_OF_ONE_SENDER = 256  # that its replies speak of
MOST_DEVICES = 20_000
SLICE_S = 0.01  # for so long others wait while replies are read
IDLE_S = 0.1  # between two looks when nothing waits: a segment may be listened to for a minute
READ_MORE_S = 2.0  # how long replies are still read after the listening


class Replies:
    """What came and is not read yet. counts: came, dropped, devices dropped."""

    def __init__(self, near: AddressSet) -> None:
        self.near = near
        self.counts: Counter[str] = Counter()
        self._known: set[tuple[str, bytes]] = set()
        self._senders: Counter[str | tuple[str, str]] = Counter()  # IP, and IP with MAC
        self._held: Counter[str] = Counter()
        self._waiting: list[tuple[bool, int, bool, int, str, bytes, str]] = []
        self._found: dict[Found, None] = {}
        self._told: Counter[str | tuple[str, str]] = Counter()

    @property
    def dropped(self) -> int:
        """Count the replies that were neither read nor the same as one that was."""
        return self.counts["dropped"] + len(self._waiting)

    @property
    def found(self) -> list[Found]:
        """Give each device that was spoken of so far, once, in the order in which they were read."""
        return list(self._found)

    def add(self, data: bytes, sender: str, mac: str | None = None) -> None:
        """Keep one reply where there is room for it. mac: by which it came, where that is known.

        All cameras of a delivery may still have the same factory address. So whoever finds the
        share of an IP address taken by others has one of its own MAC, out of room that no one else
        is kept from by it: anybody can forge a MAC, too.
        """
        self.counts["came"] += 1
        if (sender, data) in self._known:
            return
        long, nth = len(data) > LONG_BYTES, self._senders[sender]
        if nth >= MOST_OF_ONE_SENDER and (long or not self._has_room_beside(sender, mac)):
            self.counts["dropped"] += 1
            return
        far = sender not in self.near
        if nth < MOST_OF_ONE_SENDER:
            kind, most = ("far", MOST_FAR) if far else ("near", MOST_REPLIES)
            full = self._held[kind] >= most or self._held["bytes"] + len(data) > MOST_BYTES
            full |= long and self._held["long"] + len(data) > MOST_LONG_BYTES
            room = {kind: 1, "bytes": len(data), "long": len(data) * long}
        else:
            full, room = False, {"beside": 1}
        if full:
            self.counts["dropped"] += 1
            return
        self._known.add((sender, data))
        self._senders.update((sender, (sender, mac or "")))
        self._held.update(room)
        heapq.heappush(
            self._waiting, (far, nth, long, self.counts["came"], sender, data, mac or "")
        )

    def _has_room_beside(self, sender: str, mac: str | None) -> bool:
        """Tell whether a MAC has a share left that is its own, beside others at one IP address."""
        if not mac or self._held["beside"] >= MOST_BESIDE:
            return False
        many = self._senders[sender] >= MOST_AT_ONE_IP
        return not many and self._senders[sender, mac] < MOST_OF_ONE_SENDER

    async def read(self, sweep: Sweep) -> None:
        """Read what comes until cancelled, in short slices."""
        while True:
            self._read_some(sweep)
            await asyncio.sleep(SLICE_S if self._waiting else IDLE_S)

    async def read_rest(self, sweep: Sweep) -> None:
        """Read what is left, for a limited time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + READ_MORE_S
        while self._waiting and loop.time() < until:
            self._read_some(sweep)
            await asyncio.sleep(0)

    def _read_some(self, sweep: Sweep) -> None:
        assert sweep.read, f"sweep {sweep.name} reads nothing"
        loop = asyncio.get_running_loop()
        until = loop.time() + SLICE_S
        while self._waiting and loop.time() < until:
            *_, sender, data, mac = heapq.heappop(self._waiting)
            source = (Observation("link.source", mac),) if mac else ()
            for one in sweep.read(data, sender):
                self._keep(replace(one, observations=(*one.observations, *source)), sender, mac)

    def _keep(self, one: Found, sender: str, mac: str) -> None:
        if one in self._found:
            return
        many = self._told[sender] >= MOST_DEVICES_OF_ONE_SENDER
        if many and mac and self._told["beside"] < MOST_BESIDE:
            many = self._told[sender, mac] >= MOST_OF_ONE_SENDER
            self._told["beside"] += not many
        if many or len(self._found) >= MOST_DEVICES:
            self.counts["dropped"] += 1
            return
        self._found[one] = None
        self._told.update((sender, (sender, mac)))
