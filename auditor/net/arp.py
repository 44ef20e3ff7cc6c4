"""Who is on the link: ARP requests (RFC 826) to every address, and what the answers mean.

A router that does proxy ARP (RFC 1027) answers for addresses that are not there. Its hardware
address answers for a large share of a stretch; that is one finding about one router.
"""

import asyncio
import math
import random
import socket
import struct
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field

from auditor.model.address import AddressSet, Range, address
from auditor.model.coverage_note import NOTHING, Note
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.net.behind import Look
from auditor.net.filters import ARP_REPLIES
from auditor.net.guard import Guard, Kind
from auditor.net.interfaces import Interface
from auditor.net.link import BROADCAST, Frame, open_link, send, take
from auditor.net.ringed import open_ringed

# A frame on the wire is at least 60 octets without its checksum (IEEE 802.3, 4A.2.3.2.4).
_REQUEST = struct.Struct("!6s6sHHHBBH6s4s6s4s18x")
_REPLY = struct.Struct("!6s6sHHHBBH6s4s6s4s")
WAIT_S = 1.0  # for an answer, unless all have answered
# Once so many have answered, some multiple of the slowest will do, and no less than so long.
FEW_ANSWERS, SLOWEST_TIMES, WAIT_LEAST_S = 16, 4.0, 0.3
# The least where so many are asked in a second that waiting is felt, and answers are timed well.
WAIT_HURRIED_S, HURRIED_PER_S = 0.1, 100.0
STRETCH_S = 30.0  # how long one stretch may take to ask once; then what is known is handed over
SMALLEST_STRETCH, LARGEST_STRETCH = 64, 65_536
# From this pace and size on numpy's import is worth its quarter of a second.
BULK_PER_S, BULK_SIZE = 2_000.0, 512
MOST_MACS = 4  # per address: more claims are a forger's
# One hardware address that answers for so many, and for such a share of what was asked in the
# /24s that it answers in, is a router that does so for whole networks.
PROXY_FEWEST, PROXY_SHARE = 16, 0.05


@dataclass(frozen=True, slots=True)
class Replies:
    """What was heard in a stretch: per address the hardware addresses that claim it."""

    claims: dict[int, dict[tuple[bytes, int | None], bytes]] = field(default_factory=dict)
    unasked: list[int] = field(default_factory=list)

    def add(self, frame: bytes, vlan: int | None, asked: AddressSet) -> int | None:
        """Note one ARP reply; forged, misshapen and unasked ones are passed over (None)."""
        if len(frame) < _REPLY.size:
            return None
        _, _, kind, hardware, protocol, hlen, plen, operation, mac, ip, _, _ = _REPLY.unpack_from(
            frame
        )
        if (kind, hardware, protocol, hlen, plen, operation) != (0x0806, 1, 0x0800, 6, 4, 2):
            return None
        number = int.from_bytes(ip, "big")
        if mac[0] & 1 or mac == bytes(6) or address(4, number) not in asked:
            return None
        macs = self.claims.setdefault(number, {})
        if len(macs) < MOST_MACS:
            macs.setdefault((mac, vlan), frame[: _REPLY.size])
        return number


def proxies(asked: AddressSet, claims: Iterable[tuple[int, bytes]]) -> dict[bytes, list[int]]:
    """Give the hardware addresses that answer for whole stretches, with what they answer for.

    claims: pairs of address and hardware address.
    """
    answered: dict[bytes, list[int]] = {}
    for ip, mac in claims:
        answered.setdefault(mac, []).append(ip)
    found = {}
    for mac, ips in answered.items():
        if len(ips) < PROXY_FEWEST:
            continue
        blocks = Counter(ip >> 8 for ip in ips)
        area = AddressSet.of(Range(4, b << 8, (b << 8) + 255) for b in blocks).meet(asked)
        if len(ips) >= PROXY_SHARE * area.size:
            found[mac] = sorted(ips)
    return found


def stretches(targets: AddressSet, per_s: float) -> Iterable[AddressSet]:
    """Cut targets into what can be asked once in about half a minute at that pace."""
    size = LARGEST_STRETCH if math.isinf(per_s) else int(per_s * STRETCH_S)
    size = max(SMALLEST_STRETCH, min(LARGEST_STRETCH, size))
    piece: list[Range] = []
    room = size
    for whole in (r for r in targets.ranges if r.version == 4):
        first = whole.first
        while first <= whole.last:
            last = min(whole.last, first + room - 1)
            piece.append(Range(4, first, last))
            room -= last - first + 1
            first = last + 1
            if not room:
                yield AddressSet(tuple(piece))
                piece, room = [], size
    if piece:
        yield AddressSet(tuple(piece))


async def sweep_arp(
    guard: Guard,
    targets: AddressSet,
    interface: Interface,
    tick: Callable[[int], None] = lambda _: None,
    look: Look | None = None,
) -> AsyncIterator[list[Attempt]]:
    """Ask every address of `targets` on the link; gives the attempts stretch by stretch.

    look: finds the hosts behind a hardware address that answers for many; None: nobody does.

    One ANSWERED attempt per address and hardware address, one GARBLED per proxy, and one for
    the stretch as a whole (see model/coverage_note). Of a stretch that is asked slowly, what is
    certain after the first round comes then, and the rest at its end.
    """
    own = AddressSet.parse(a.ip for a in interface.addresses)
    for stretch in stretches(targets.minus(own), guard.scope.pace.arp_per_s):
        async for made in _Stretch(guard, interface, stretch, own.meet(targets), look).ask(tick):
            yield made
        own = NOTHING


class _Stretch:
    """A stretch of addresses while it is being asked."""

    def __init__(
        self,
        guard: Guard,
        interface: Interface,
        asked: AddressSet,
        own: AddressSet,
        look: Look | None,
    ) -> None:
        self.own, self.look = own, look
        self.guard, self.interface, self.asked = guard, interface, asked
        self.started = guard.clock()
        self.replies = Replies()
        self.asked_at: dict[int, float] = {}
        self.timed: set[int | None] = set()
        self.slowest_s = 0.0
        self.sent = 0
        self.told: set[tuple[int, bytes, int | None]] = set()  # before the end of the stretch

    async def ask(self, tick: Callable[[int], None]) -> AsyncIterator[list[Attempt]]:
        """Ask in random order, each round only those that have not answered."""
        if self.guard.scope.pace.arp_per_s >= BULK_PER_S and self.asked.size >= BULK_SIZE:
            yield await self._ask_in_bulk(tick)
            return
        with open_link(self.interface, ARP_REPLIES) as sock:
            async for made in self._ask_singly(sock, tick):
                yield made

    async def _ask_singly(
        self, sock: socket.socket, tick: Callable[[int], None]
    ) -> AsyncIterator[list[Attempt]]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        loop.add_reader(sock.fileno(), self._read, sock)
        try:
            order = [number for r in self.asked.ranges for number in range(r.first, r.last + 1)]
            random.shuffle(order)
            for ip in order:
                await self._put(sock, ip)
                tick(1)
            first_round, early = max(self.asked_at.values(), default=-math.inf), False
            async for ip in self._again(order):
                if not early and self._settled(first_round):
                    early = True
                    yield self._certain(round(loop.time() - began, 3))
                await self._put(sock, ip)
            await self._settle(max(self.asked_at.values(), default=-math.inf))
        finally:
            loop.remove_reader(sock.fileno())
        yield await self._attempts(began)

    async def _again(self, order: list[int]) -> AsyncIterator[int]:
        """Give those who did not answer, round by round, each when it has had its time."""
        for _ in range(1, self.guard.scope.pace.rounds):
            waiting = [ip for ip in order if ip not in self.replies.claims]
            if waiting:
                await self._settle(self.asked_at[waiting[0]])
            for ip in waiting:
                yield ip

    def _certain(self, elapsed_s: float) -> list[Attempt]:
        """Give the addresses that one station claims which claims no other: no router does so."""
        counted = Counter(mac for macs in self.replies.claims.values() for mac, _ in macs)
        made = []
        for ip, macs in sorted(self.replies.claims.items()):
            ((mac, vlan), raw), *others = macs.items()
            if not others and counted[mac] == 1:
                self.told.add((ip, mac, vlan))
                where, seen = _station(ip, mac, vlan, raw)
                how = Outcome.ANSWERED
                made.append(Attempt("arp", where, how, seen, self.started, elapsed_s))
        return made

    async def _ask_in_bulk(self, tick: Callable[[int], None]) -> list[Attempt]:
        loop = asyncio.get_running_loop()
        began, opening = loop.time(), None
        if "numpy" not in sys.modules:  # to import it takes as long as to set up the rings
            opening = loop.run_in_executor(None, open_ringed, self.interface, ARP_REPLIES)
        from auditor.net.arp_bulk import REPLY, ArpQuestions
        from auditor.net.volley import fire

        opened = await opening if opening else None
        questions = ArpQuestions(self.guard, self.interface, self.asked)
        told = await fire(
            self.guard, self.interface, ARP_REPLIES, questions, Kind.ARP, REPLY, tick, opened=opened
        )
        self.replies = Replies(questions.claims())
        self.sent = told.sent
        return await self._attempts(began)

    async def _attempts(self, began: float) -> list[Attempt]:
        """Tell routers from bridges, and turn what was heard into attempts."""
        claims = self.replies.claims
        routers = proxies(self.asked, ((ip, mac) for ip, m in claims.items() for mac, _ in m))
        hosts: set[int] = set()
        if look := self.look:
            for ips in routers.values():
                alone = [ip for ip in ips if all(mac in routers for mac, _ in claims[ip])]
                hosts |= await look(self.asked, ips, alone)
        behind = {mac: [ip for ip in ips if ip not in hosts] for mac, ips in routers.items()}
        behind = {mac: ips for mac, ips in behind.items() if ips}
        return attempts(self, behind, hosts, round(asyncio.get_running_loop().time() - began, 3))

    async def _put(self, sock: socket.socket, number: int) -> None:
        """Ask one address, unless it has answered."""
        if number in self.replies.claims:
            return
        mac = bytes.fromhex(self.interface.mac.replace(":", ""))
        ip = address(4, number)
        source = self.interface.source_for(ip)
        await self.guard.turn(Kind.ARP, ip, 0, "arp")
        send(sock, self.interface, request(mac, socket.inet_aton(source or "0.0.0.0"), number))  # noqa: S104
        self.guard.sent("arp", ip, 0, _REQUEST.size, "arp", Kind.ARP)
        self.asked_at[number] = asyncio.get_running_loop().time()
        self.sent += 1

    async def _settle(self, asked: float) -> None:
        """Wait until a question of that moment has had its time, or all have answered."""
        while not self._settled(asked):  # noqa: ASYNC110 time passes, nobody tells
            await asyncio.sleep(0.02)

    def _settled(self, asked: float) -> bool:
        if len(self.replies.claims) >= self.asked.size:
            return True
        return asyncio.get_running_loop().time() >= asked + self._patience()

    def _patience(self) -> float:
        """Give some multiple of the slowest answer so far, within bounds."""
        if len(self.replies.claims) < FEW_ANSWERS:
            return WAIT_S
        hurried = self.guard.scope.pace.arp_per_s >= HURRIED_PER_S
        least_s = WAIT_HURRIED_S if hurried else WAIT_LEAST_S
        return min(WAIT_S, max(least_s, SLOWEST_TIMES * self.slowest_s))

    def _read(self, sock: socket.socket) -> None:
        for _ in range(1_024):
            frame = take(sock)
            if frame is None:
                return
            number = self.replies.add(frame.data, frame.vlan, self.asked)
            if number in self.asked_at and number not in self.timed:
                self.timed.add(number)
                took_s = max(0.0, self._came(frame) - self.asked_at[number])
                self.slowest_s = max(self.slowest_s, min(took_s, WAIT_S))

    def _came(self, frame: Frame) -> float:
        """Give the moment of the loop's clock at which the kernel received a frame."""
        waited_s = self.guard.wall().timestamp() - frame.moment_s
        return asyncio.get_running_loop().time() - (waited_s if 0 < waited_s < WAIT_S else 0.0)


def request(mac: bytes, source: bytes, target: int) -> bytes:
    """Write the frame that asks who has `target`."""
    ip = target.to_bytes(4, "big")
    return _REQUEST.pack(BROADCAST, mac, 0x0806, 1, 0x0800, 6, 4, 1, mac, source, bytes(6), ip)


def _station(
    ip: int, mac: bytes, vlan: int | None, raw: bytes
) -> tuple[Endpoint, tuple[Observation, ...]]:
    """Say who has an address, and what was received of it."""
    text = mac.hex(":")
    return Endpoint(address(4, ip), text, 0, "arp", vlan), (Observation("mac", text, raw),)


def attempts(
    stretch: _Stretch, routers: Mapping[bytes, list[int]], hosts: Set[int], elapsed_s: float
) -> list[Attempt]:
    """Turn what a stretch heard into attempts.

    routers: the hardware addresses that answer for others, with what they answer for. hosts:
    those behind a hardware address that gave answers of their own.
    """
    claims = stretch.replies.claims
    made, covered = [], []

    def attempt(
        endpoint: Endpoint, outcome: Outcome, seen: tuple[Observation, ...], note: str
    ) -> None:
        made.append(Attempt("arp", endpoint, outcome, seen, stretch.started, elapsed_s, note))

    for ip, macs in sorted(claims.items()):
        true = {key: raw for key, raw in macs.items() if ip in hosts or key[0] not in routers}
        covered += [] if true else [ip]
        several = f"{len(true)} stations claim this address" if len(true) > 1 else ""
        for (mac, vlan), raw in true.items():
            if (ip, mac, vlan) not in stretch.told:
                where, seen = _station(ip, mac, vlan, raw)
                attempt(where, Outcome.ANSWERED, seen, several)
    by = (("by", stretch.interface.vantage()),)
    for mac, ips in routers.items():
        hidden = AddressSet.of(Range(4, ip, ip) for ip in ips)
        note = Note(hidden, proxy=hidden, told=(("router", mac.hex(":")), *by))
        where = Endpoint(None, mac.hex(":"), 0, "arp")
        attempt(where, Outcome.GARBLED, (Observation("mac", mac.hex(":")),), str(note))
    heard = AddressSet.of(Range(4, ip, ip) for ip in claims)
    told: tuple[tuple[str, str], ...] = (
        ("answered", str(len(claims) - len(covered))),
        ("sent", str(stretch.sent)),
        *by,
    )
    proxy = AddressSet.of(Range(4, ip, ip) for ip in covered)
    told += (("self", ",".join(stretch.own.texts())),) if stretch.own else ()
    note = Note(stretch.asked.join(stretch.own), stretch.asked.minus(heard), proxy, told=told)
    whole = Outcome.SILENT if note.silent else Outcome.ANSWERED
    attempt(Endpoint(None, None, 0, "arp"), whole, (), str(note))
    return made
