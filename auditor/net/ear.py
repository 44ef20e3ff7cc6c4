"""Listens on a link: everything that passes, or the answers to one question to all IPv6 nodes.

Frames are read by the sweep's own pure reader; what it makes of them is kept once.
"""

import asyncio
import contextlib
import secrets
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime

from auditor.model.address import AddressSet
from auditor.model.coverage_note import DROPPED, NOTHING, OFF_LINK, SEGMENT, Note
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome
from auditor.net import neighbours
from auditor.net.filters import ICMPV6_ONLY, TALK
from auditor.net.guard import Guard
from auditor.net.interfaces import Interface
from auditor.net.link import Frame, hear_groups, lost, open_link, waiting
from auditor.plugins import Found, Sweep
from auditor.wire import ndp
from auditor.wire.addresses import ip_text, mac_text

ALL_NODES = "ff02::1"  # RFC 4291, 2.7.1
ECHO_REQUEST = 128  # of ICMPv6
NDP_LISTEN_S = 2.0
ICMP6_FILTER = 1  # linux/icmpv6.h
AT_ONCE = 512  # frames that are taken in one go
MOST_FOUND = 50_000
# Forged adverts cost the forger nothing and us a visit each: what is kept of them is bounded.
MOST_NEIGHBOURS = 16_384  # addresses on one link
MOST_OF_ONE_MAC = 16  # a host has a few in each network (RFC 8981); a router has no more
BATCH_S = 1.0  # sightings are handed over so often


async def neighbours6(
    guard: Guard, sweep: Sweep, interface: Interface, targets: AddressSet = NOTHING
) -> AsyncIterator[list[Attempt]]:
    """Ask all IPv6 nodes of a link for an echo, round by round; a /64 is never swept.

    Asked from the link-local address and from one of ours in each network in which `targets`
    lie, because neighbours answer with an address of the same network. Whom the kernel knows
    already is added as a sighting; that asks nobody. Everybody on the segment hears the
    question, so it counts among those to groups.
    """
    started, loop = guard.clock(), asyncio.get_running_loop()
    began = loop.time()
    near = interface.on_link.of_version(6)
    heard = _Heard(sweep, interface, near, MOST_NEIGHBOURS, MOST_OF_ONE_MAC)
    rounds, there = sweep.times(guard.scope.pace), set[str | None]()
    with contextlib.ExitStack() as stack:
        ear = stack.enter_context(open_link(interface, ICMPV6_ONLY))
        mouths = [stack.enter_context(m) for m in _mouths(interface, targets)]
        sources = [str(mouth.getsockname()[0]).split("%", 1)[0] for mouth in mouths]
        loop.add_reader(ear.fileno(), heard.read, ear)
        stack.callback(loop.remove_reader, ear.fileno())
        for number in range(rounds):
            for mouth in mouths:
                await guard.group_turn(ALL_NODES, 0, interface.name, interface.on_link)
                data = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, secrets.randbits(16), number)
                mouth.sendto(data, (ALL_NODES, 0, 0, interface.index))
                guard.sent("ndp", ALL_NODES, 0, len(data), sweep.name)
            await asyncio.sleep(NDP_LISTEN_S / rounds)
            made = heard.attempts(Origin.WIRE, started, round(loop.time() - began, 3))
            for attempt in made:
                guard.heard(attempt.endpoint.ip or "", interface.index, attempt.endpoint.mac or "")
            there.update(attempt.endpoint.ip for attempt in made)
            yield made
    told = (
        ("group", ALL_NODES),
        ("devices", str(len(there))),
        *((("dropped", str(heard.dropped)),) if heard.dropped else ()),
        ("from", " ".join(sources)),
        ("neighbours", ",".join(AddressSet.parse(f"{ip}/64" for ip in sources).texts())),
        ("by", interface.vantage()),
    )
    outcome = Outcome.ANSWERED if there else Outcome.SILENT
    note, whole = Note(NOTHING, told=told), Endpoint(transport="ndp")
    elapsed_s = round(loop.time() - began, 3)
    ended = Attempt(sweep.name, whole, outcome, (), started, elapsed_s, str(note))
    known = [a for a in remembered(guard, sweep.name, interface) if a.endpoint.ip not in there]
    yield [*known, ended]


def remembered(guard: Guard, tool: str, interface: Interface) -> list[Attempt]:
    """Give the IPv6 neighbours that the kernel knows on a link, as sightings; asks nobody."""
    moment, own = guard.clock(), {address.ip for address in interface.addresses}
    made: list[Attempt] = []
    for entry in neighbours.known():
        ip, mac = ip_text(entry.ip), mac_text(entry.mac)
        unsure = entry.state & (neighbours.FAILED | neighbours.NOARP) or entry.lent
        if entry.index != interface.index or unsure or not ip or not mac or ":" not in ip:
            continue
        if ip in own or len(made) >= MOST_NEIGHBOURS:
            continue
        guard.heard(ip, interface.index, mac)
        seen, where = (Observation("mac", mac),), Endpoint(ip, mac, transport="ndp")
        why = "in this machine's own table of neighbours"
        made.append(
            Attempt(tool, where, Outcome.ANSWERED, seen, moment, detail=why, origin=Origin.SIGHTING)
        )
    return made


def _mouths(interface: Interface, targets: AddressSet) -> Iterator[socket.socket]:
    """Open a socket for each address to ask from; one that may not be used yet is left out."""
    for source in interface.sources6(targets):
        mouth = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        # nothing is heard on it: answers are read as frames, which tell the MAC
        mouth.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, b"\xff" * 32)
        mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface.index)
        mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        try:
            mouth.bind((source, 0, 0, interface.index))
        except OSError:  # another machine may have it (RFC 4862, 5.4)
            mouth.close()
            continue
        yield mouth


async def listen(
    guard: Guard, sweep: Sweep, interface: Interface, seconds: float
) -> AsyncIterator[list[Attempt]]:
    """Hear what passes for so long and send nothing; sightings come as they are heard.

    What was heard and not kept is counted, in attempts without an address: as soon as there is
    any, again whenever it has doubled, and at the end. So one who is killed has said it, too.
    """
    loop = asyncio.get_running_loop()
    began, started = loop.time(), guard.clock()
    heard, told = _Heard(sweep, interface), 0
    with contextlib.ExitStack() as stack:
        ear = stack.enter_context(open_link(interface, TALK))
        hear_groups(ear, interface)
        loop.add_reader(ear.fileno(), heard.read, ear)
        stack.callback(loop.remove_reader, ear.fileno())
        while (left := began + seconds - loop.time()) > 0:
            moment = guard.clock()
            await asyncio.sleep(min(left, BATCH_S))
            heard.dropped += lost(ear)
            made = heard.attempts(Origin.SIGHTING, moment, BATCH_S)
            if heard.dropped > 2 * told:
                made.append(heard.so_far(interface, started, loop.time() - began, told))
                told = heard.dropped
            yield made
        yield [heard.so_far(interface, started, loop.time() - began, told)]


def unlistened(guard: Guard, sweep: Sweep, elsewhere: AddressSet) -> Attempt:
    """Say to which targets nobody listens, because they lie on no link of this machine."""
    note = Note(NOTHING, told=((OFF_LINK, ",".join(elsewhere.texts())),))
    where, origin = Endpoint(transport="link"), Origin.SIGHTING
    moment = guard.clock()
    return Attempt(
        sweep.name, where, Outcome.NOT_TRIED, (), moment, detail=str(note), origin=origin
    )


class _Heard:
    """What was heard on a link; each thing once."""

    def __init__(
        self,
        sweep: Sweep,
        interface: Interface,
        near: AddressSet = NOTHING,
        most: int = MOST_FOUND,
        most_of_one: int = MOST_FOUND,
    ) -> None:
        """Take what reads, where it is heard, and how much is kept: in all, and of one MAC."""
        assert sweep.read, f"sweep {sweep.name} reads nothing"
        self.most, self.most_of_one, self.dropped = most, most_of_one, 0
        self.per_mac: Counter[str | None] = Counter()
        self.sweep, self.reader = sweep, sweep.read
        own = {address.ip for address in interface.addresses}
        self.own = own | {interface.mac}
        self.near = near  # networks of the link, where echoes are asked for
        self.known: set[tuple[object, ...]] = set()
        self.news: list[Found] = []

    def read(self, ear: socket.socket) -> None:
        """Empty the socket, a bounded number at a time."""
        for frame in waiting(ear, AT_ONCE):
            raw = _retagged(frame)
            self._keep(self.reader(raw, "") or self._echo(raw))

    def _echo(self, raw: bytes) -> Iterator[Found]:
        """Give who answers our echo from a network of this link; its frame tells the MAC."""
        for one in ndp.echoed(raw) if self.near else ():
            if one.endpoint.ip and one.endpoint.ip in self.near:
                yield Found(one.endpoint, one.observations)

    def _keep(self, found: Iterable[Found]) -> None:
        for one in found:
            where = one.endpoint
            said = tuple((seen.field, seen.value) for seen in one.observations)
            key = (where.ip, where.mac, where.vlan, said)
            ours = where.mac in self.own or where.ip in self.own
            if ours or key in self.known:
                continue
            if len(self.known) >= self.most or self.per_mac[where.mac] >= self.most_of_one:
                self.dropped += 1
                continue
            self.per_mac[where.mac] += 1
            self.known.add(key)
            self.news.append(one)

    def so_far(
        self, interface: Interface, started: datetime, elapsed_s: float, told: int
    ) -> Attempt:
        """Say how much was heard, and what was not kept beyond what was `told` before."""
        said = (
            ("heard", str(len(self.known))),
            *(((DROPPED, str(self.dropped - told)),) if self.dropped > told else ()),
            (SEGMENT, ",".join(interface.on_link.texts())),
            ("by", interface.vantage()),
        )
        return Attempt(
            self.sweep.name,
            Endpoint(transport="link"),
            Outcome.ANSWERED if self.known else Outcome.SILENT,
            (),
            started,
            round(elapsed_s, 3),
            str(Note(NOTHING, told=said)),
            Origin.SIGHTING,
        )

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
