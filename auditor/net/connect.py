"""Who is there, without privilege: TCP connections to a few ports, and the kernel's own ARP.

An open port and a refused one both mean that somebody is there. On our own links the kernel
asks ARP before it connects, so its neighbour table tells who is there even when every port is
silent, and with which hardware address.
"""

import asyncio
import math
import random
import resource
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, product

from auditor.errors import ScopeRefusal
from auditor.model.address import AddressSet, address
from auditor.model.coverage_note import NOTHING, Note
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.net import barred, neighbours
from auditor.net.arp import proxies, stretches
from auditor.net.behind import hosts_behind
from auditor.net.dial import TRY_S, Ended, dial
from auditor.net.everything import OPEN, REFUSED, SAMPLE, noise, suspects
from auditor.net.guard import BudgetSpent, Guard, Kind, NoLink
from auditor.net.interfaces import Interface
from auditor.net.parting import part
from auditor.net.room import Room

LEAST_WINDOW, MOST_WINDOW = 256, 16_384
OTHER_FILES = 128  # of the ledger, the interpreter and the sweeps
# The kernel asks ARP up to three times, a second apart (mcast_solicit in arp(7)), and asks
# those that it knows whether they are still there: one to spare.
ARP_QUESTIONS = 4
NAME = "connect"
PART_S = 2.0  # how long a peer may take to hang up after us
_OUTCOMES = {OPEN: Outcome.ANSWERED, REFUSED: Outcome.REFUSED}


def window(connects_per_s: float) -> int:
    """Tell how many connections may be waited for at a time: what the pace begins while one waits.

    Never more than the files that this process may open.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_WINDOW if math.isinf(connects_per_s) else math.ceil(connects_per_s * TRY_S * 1.25)
    return max(1, min(max(LEAST_WINDOW, wanted), MOST_WINDOW, soft - OTHER_FILES))


def allowed(guard: Guard, ports: Iterable[int]) -> list[int]:
    """Give those of the ports that the scope lets us knock on."""
    return [port for port in ports if port in guard.scope.ports and port not in guard.scope.never]


async def sweep_connect(
    guard: Guard,
    targets: AddressSet,
    ports: Sequence[int],
    interface: Interface | None = None,
    tick: Callable[[int], None] = lambda _: None,
) -> AsyncIterator[list[Attempt]]:
    """Knock on `ports` of every address; gives the attempts stretch by stretch.

    interface: on whose link the targets lie; None where they lie behind routers. One ANSWERED
    or REFUSED attempt per address that is there, and one for the stretch as a whole.
    """
    own = AddressSet.parse(a.ip for a in interface.addresses) if interface else NOTHING
    room = Room()
    ports = allowed(guard, ports)
    rate = guard.scope.pace.connects_per_s / max(1, len(ports))
    if interface:
        rate = min(rate, guard.scope.pace.arp_per_s / ARP_QUESTIONS)
    # what the scope names one by one: what is left of a /64 is no such address
    stretch6 = guard.scope.networks.named6().meet(targets.minus(own))
    for stretch in chain(stretches(targets.minus(own), rate), [stretch6] if stretch6 else ()):
        yield await Knocking(guard, stretch, ports, interface, own.meet(targets), room).run()
        own = NOTHING
        tick(stretch.size)


class Knocking:
    """A stretch of addresses while it is being knocked on."""

    def __init__(
        self,
        guard: Guard,
        asked: AddressSet,
        ports: Sequence[int],
        interface: Interface | None,
        own: AddressSet,
        room: Room,
    ) -> None:
        self.own, self.room = own, room
        self.by = interface.vantage() if interface else "routed"
        self.guard, self.asked, self.ports, self.interface = guard, asked, ports, interface
        self.started = guard.clock()
        self.ends: dict[str, tuple[int, Ended]] = {}
        self.troubles: dict[str, Ended] = {}
        self.states: dict[tuple[str, int], int] = {}
        self.barred: dict[str, str] = {}  # what routers said
        self.hidden: set[str] = set()  # somebody else answers for them
        self.routers: dict[str, set[str]] = {}  # on the link: MAC -> what it answers for
        self.met: set[str] = set()  # for whom the kernel had turns to ask
        self.begun: Counter[str] = Counter()  # connections, per address
        self.door = asyncio.Lock()

    async def run(self) -> list[Attempt]:
        """Knock port by port, on those that have not answered yet."""
        began = asyncio.get_running_loop().time()
        if self.interface:
            # on a link, whoever did not answer the kernel's ARP will not answer another round
            for port in self.ports:
                first = port == self.ports[0]
                await self._knock_on((ip, port) for ip in self._left(first))
            self.room.look()
            await self._doubt_near()
        else:
            await self._knock_on(self._doors())
            await self._doubt()
        return self._attempts(round(asyncio.get_running_loop().time() - began, 3))

    def _doors(self) -> Iterator[tuple[str, int]]:
        """Give every port of every address in every round, until somebody answers there.

        No round waits for the one before: whoever is there has answered by then.
        """
        order = list(self.asked)
        for _, port in product(range(self.guard.scope.pace.rounds), self.ports):
            random.shuffle(order)
            yield from ((ip, port) for ip in order if ip not in self.ends)

    async def _knock_on(self, doors: Iterator[tuple[str, int]]) -> None:
        most = self.asked.size * len(self.ports)
        many = min(window(self.guard.scope.pace.connects_per_s), most)
        async with asyncio.TaskGroup() as group:
            for _ in range(many):
                group.create_task(self._work(doors))

    def _left(self, first: bool) -> list[str]:
        """Give those to knock on next, in random order; who is not there is not asked again."""
        left = [ip for ip in self.asked if ip not in self.ends]
        random.shuffle(left)
        if first or not self.interface:
            return left
        index = self.interface.index
        known = self.room.look()
        there = {n.ip for n in known if n.index == index and not n.state & neighbours.FAILED}
        return [ip for ip in left if ip in there or (index, ip) in self.room.met]

    async def _doubt(self) -> None:
        """See whether one box answers for a /24, and who is there nonetheless."""
        signs = {_number(ip): 0 for ip in self.ends if ":" not in ip}
        for suspect in suspects(self.asked, signs):
            some = random.sample(suspect.members, min(SAMPLE, len(suspect.members)))
            told = await self.again(some, self.ports)
            noisy = noise(suspect, [told[ip] for ip in some], self.ports)
            if not noisy:
                continue
            told = await self.again(suspect.members, self.ports)
            for ip in suspect.members:
                said = {port: state for port, state in told[ip].items() if noisy.get(port) != state}
                if not said:
                    self.hidden.add(address(4, ip))
                    continue
                port, state = next(iter(said.items()))
                self.ends[address(4, ip)] = (port, Ended(_OUTCOMES[state]))

    async def _doubt_near(self) -> None:
        """See whose hardware address answers for many on the link, and who is there nonetheless."""
        near = {ip: mac for ip, mac in self._macs().items() if ":" not in ip}
        claims = ((_number(ip), bytes.fromhex(mac.replace(":", ""))) for ip, mac in near.items())
        for mac, numbers in proxies(self.asked, claims).items():
            hosts = await hosts_behind(self.asked, numbers, numbers, self.ports, self.again)
            if away := {address(4, number) for number in numbers if number not in hosts}:
                self.routers[mac.hex(":")] = away
                self.hidden |= away

    async def again(
        self, numbers: Sequence[int], ports: Sequence[int]
    ) -> Mapping[int, Mapping[int, int]]:
        """Give the state of these ports, asking no address more often than was planned."""
        most = len(self.ports) * self.guard.scope.pace.rounds
        doors = [(address(4, number), port) for port in ports for number in numbers]
        left = (door for door in doors if door not in self.states and self.begun[door[0]] < most)
        await self._knock_on(left)
        told: dict[int, dict[int, int]] = {number: {} for number in numbers}
        for ip, port in doors:
            if state := self.states.get((ip, port)):
                told[_number(ip)][port] = state
        return told

    async def _work(self, doors: Iterator[tuple[str, int]]) -> None:
        for ip, port in doors:
            try:
                await self._introduce(ip)
                await self._knock(ip, port)
            except BudgetSpent:
                continue
            except NoLink as lack:
                self.troubles[ip] = Ended(Outcome.NOT_TRIED, lack.why)
            except ScopeRefusal:
                if self.guard.standing():
                    raise
                self.troubles[ip] = Ended(Outcome.NOT_TRIED, "refused by the scope")

    async def _introduce(self, ip: str) -> None:
        """Take turns for the questions that the kernel will ask of an unknown neighbour.

        One address at a time: turns of many, taken in rounds, would end all at once.
        """
        if ip in self.met or not self.interface:
            return
        self.met.add(ip)
        async with self.door:
            for _ in range(ARP_QUESTIONS):
                await self.guard.turn(Kind.ARP, ip, 0, "arp")

    async def _knock(self, ip: str, port: int) -> None:
        async with self.guard.seat(ip):
            self.begun[ip] += 1
            found = await dial(
                self.guard,
                ip,
                port,
                NAME,
                tries=1,
                ready=self.room.enter if self.interface else None,
            )
            if found.sock:
                await part(self.guard, found.sock, PART_S)
        if found.ended.outcome.is_knowledge:
            self.ends.setdefault(ip, (port, found.ended))
            self.states[ip, port] = OPEN if found.ended.outcome is Outcome.ANSWERED else REFUSED
        elif found.ended.barred:
            self.barred.setdefault(ip, found.ended.barred)
        elif found.ended.outcome is not Outcome.SILENT:
            self.troubles[ip] = found.ended

    def _attempts(self, elapsed_s: float) -> list[Attempt]:
        macs = self._macs()
        by, made = self.by, []
        for ip in [ip for ip in self.asked if ip in self.ends or ip in macs]:
            if ip in self.hidden:
                continue
            port, ended = self.ends.get(ip, (0, Ended(Outcome.ANSWERED, "answers ARP only")))
            seen = (Observation("mac", macs[ip]),) if ip in macs else ()
            where = Endpoint(ip, macs.get(ip), port, "tcp" if port else "arp")
            made.append(
                Attempt(NAME, where, ended.outcome, seen, self.started, elapsed_s, ended.detail)
            )
        there = AddressSet.single(a.endpoint.ip for a in made if a.endpoint.ip)
        count, hidden = str(len(made)), AddressSet.single(self.hidden)
        said = {i: why for i, why in self.barred.items() if i not in self.ends and i not in there}
        made += barred.attempts(NAME, said, by, self.started, elapsed_s)
        end = Endpoint(transport="tcp")
        made += self._boxes(elapsed_s)
        known = there.join(hidden).join(AddressSet.single(said))
        left = AddressSet.single(self.troubles).minus(known)
        told: tuple[tuple[str, str], ...] = (
            ("ports", ",".join(map(str, self.ports))),
            ("answered", count),
            ("by", by),
        )
        if left:
            reasons = {ended.detail for ip, ended in self.troubles.items() if ip in left}
            told = (("why", ", ".join(sorted(reasons))), *told)
        told += (("self", ",".join(self.own.texts())),) if self.own else ()
        silent = self.asked.minus(known).minus(left)
        self.guard.forget(silent)
        note = str(Note(self.asked.join(self.own), silent, hidden, left, told))
        whole = Outcome.SILENT if silent or left else Outcome.ANSWERED
        return [*made, Attempt(NAME, end, whole, (), self.started, elapsed_s, note)]

    def _boxes(self, elapsed_s: float) -> list[Attempt]:
        """Say who answers for addresses at which nobody is known to be."""
        near = {ip for away in self.routers.values() for ip in away}
        far = {"": self.hidden - near} if self.hidden - near else {}
        made = []
        for mac, away in (*self.routers.items(), *far.items()):
            hidden = AddressSet.single(away)
            told = (("router", mac or "answers for all"), ("by", self.by))
            where = Endpoint(None, mac or None, 0, "arp" if mac else "tcp")
            seen = (Observation("mac", mac),) if mac else ()
            note = str(Note(hidden, proxy=hidden, told=told))
            made.append(Attempt(NAME, where, Outcome.GARBLED, seen, self.started, elapsed_s, note))
        return made

    def _macs(self) -> dict[str, str]:
        """Give the hardware addresses that the kernel has learned on the link."""
        if not self.interface:
            return {}
        index = self.interface.index
        known = {n.ip: n.mac for n in neighbours.known() if n.index == index and n.ip in self.ends}
        met = {ip: mac for (at, ip), mac in self.room.met.items() if at == index}
        return {ip: mac for ip, mac in (known | met).items() if ip in self.asked}


def _number(ip: str) -> int:
    return int.from_bytes(socket.inet_aton(ip), "big")
