"""Listens on a link: everything that passes, or the answers to one question to all IPv6 nodes.

Frames are read by the sweep's own pure reader; what it makes of them is kept once.
"""

import asyncio
import secrets
import socket
import struct
from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from auditor.model.coverage_note import NOTHING, Note
from auditor.model.observation import Attempt, Endpoint, Origin, Outcome
from auditor.net.guard import Guard
from auditor.net.interfaces import Interface
from auditor.net.link import (
    EQUAL,
    ETH_P_ARP,
    ETH_P_IPV6,
    LOAD_BYTE,
    LOAD_HALF,
    RETURN,
    WHOLE,
    Frame,
    Instruction,
    open_link,
    take,
)
from auditor.plugins import Found, Sweep

ALL_NODES = "ff02::1"  # RFC 4291, 2.7.1
ICMPV6, ECHO_REQUEST = 58, 128
NDP_LISTEN_S = 2.0
MOST_FOUND = 50_000
BATCH_S = 1.0  # sightings are handed over so often
UDP = 17

# ICMPv6: EtherType 0x86DD, next header 58 (a hop-by-hop header before it is not an answer)
ICMPV6_ONLY: tuple[Instruction, ...] = (
    (LOAD_HALF, 0, 0, 12),
    (EQUAL, 0, 3, ETH_P_IPV6),
    (LOAD_BYTE, 0, 0, 20),
    (EQUAL, 0, 1, ICMPV6),
    (RETURN, 0, 0, WHOLE),
    (RETURN, 0, 0, 0),
)
# What devices say of their own accord: ARP, IPv6 whole (neighbours, mDNS), UDP over IPv4.
TALK: tuple[Instruction, ...] = (
    (LOAD_HALF, 0, 0, 12),
    (EQUAL, 4, 0, ETH_P_ARP),
    (EQUAL, 3, 0, ETH_P_IPV6),
    (EQUAL, 0, 3, 0x0800),
    (LOAD_BYTE, 0, 0, 23),
    (EQUAL, 0, 1, UDP),
    (RETURN, 0, 0, WHOLE),
    (RETURN, 0, 0, 0),
)


async def neighbours6(
    guard: Guard, sweep: Sweep, interface: Interface
) -> AsyncIterator[list[Attempt]]:
    """Ask all IPv6 nodes of a link for an echo, round by round; a /64 is never swept.

    Everybody on the segment hears it, so it counts among the questions to groups.
    """
    started, loop = guard.clock(), asyncio.get_running_loop()
    began = loop.time()
    heard = _Heard(sweep, interface)
    rounds, devices = sweep.times(guard.scope.pace), 0
    with (
        open_link(interface, ICMPV6_ONLY) as ear,
        socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as mouth,
    ):
        mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface.index)
        mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        loop.add_reader(ear.fileno(), heard.read, ear)
        try:
            for number in range(rounds):
                await guard.group_turn(ALL_NODES, 0, interface.name, interface.on_link)
                data = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, secrets.randbits(16), number)
                mouth.sendto(data, (ALL_NODES, 0, 0, interface.index))
                guard.sent("ndp", ALL_NODES, 0, len(data), sweep.name)
                await asyncio.sleep(NDP_LISTEN_S / rounds)
                elapsed_s = round(loop.time() - began, 3)
                made = heard.attempts(Origin.WIRE, started, elapsed_s)
                devices += len(made)
                yield made
        finally:
            loop.remove_reader(ear.fileno())
    told = (("group", ALL_NODES), ("devices", str(devices)), ("by", interface.vantage()))
    outcome = Outcome.ANSWERED if devices else Outcome.SILENT
    note, whole = Note(NOTHING, told=told), Endpoint(transport="ndp")
    yield [Attempt(sweep.name, whole, outcome, (), started, elapsed_s, str(note))]


async def listen(
    guard: Guard, sweep: Sweep, interface: Interface, seconds: float
) -> AsyncIterator[list[Attempt]]:
    """Hear what passes for so long and send nothing; sightings come as they are heard."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    heard = _Heard(sweep, interface)
    with open_link(interface, TALK) as ear:
        loop.add_reader(ear.fileno(), heard.read, ear)
        try:
            while (left := until - loop.time()) > 0:
                began = guard.clock()
                await asyncio.sleep(min(left, BATCH_S))
                yield heard.attempts(Origin.SIGHTING, began, BATCH_S)
        finally:
            loop.remove_reader(ear.fileno())


class _Heard:
    """What was heard on a link; each thing once."""

    def __init__(self, sweep: Sweep, interface: Interface) -> None:
        assert sweep.read, f"sweep {sweep.name} reads nothing"
        self.sweep, self.reader = sweep, sweep.read
        own = {address.ip for address in interface.addresses}
        self.own = own | {interface.mac}
        self.known: set[tuple[object, ...]] = set()
        self.news: list[Found] = []

    def read(self, ear: socket.socket) -> None:
        """Empty the socket, a bounded number at a time."""
        for _ in range(512):
            try:
                frame = take(ear)
            except OSError:  # the link went down; it is noticed by whoever sends
                return
            if frame is None:
                return
            self._keep(self.reader(_retagged(frame), ""))

    def _keep(self, found: Iterable[Found]) -> None:
        for one in found:
            where = one.endpoint
            said = tuple((seen.field, seen.value) for seen in one.observations)
            key = (where.ip, where.mac, where.vlan, said)
            ours = where.mac in self.own or where.ip in self.own
            if ours or key in self.known or len(self.known) >= MOST_FOUND:
                continue
            self.known.add(key)
            self.news.append(one)

    def attempts(self, origin: Origin, started: datetime, elapsed_s: float) -> list[Attempt]:
        """Hand over what is new."""
        news, self.news = self.news, []
        return [
            Attempt(
                self.sweep.name,
                one.endpoint,
                Outcome.ANSWERED,
                one.observations,
                started,
                elapsed_s,
                origin=origin,
            )
            for one in news
        ]


def _retagged(frame: Frame) -> bytes:
    """Give the frame with the tag that the kernel took off, for readers of whole frames."""
    if frame.vlan is None:
        return frame.data
    return frame.data[:12] + struct.pack("!HH", 0x8100, frame.vlan) + frame.data[12:]
