"""Who is there, without privilege: TCP connections to a few ports, and the kernel's own ARP.

An open port and a refused one both mean that somebody is there. On our own links the kernel
asks ARP before it connects, so its neighbour table tells who is there even when every port is
silent, and with which hardware address.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import chain, product

from auditor.errors import ScopeRefusal
from auditor.model.address import AddressSet
from auditor.model.coverage_note import NOTHING, Note
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.net import neighbours
from auditor.net.arp import stretches
from auditor.net.dial import Ended, dial
from auditor.net.guard import BudgetSpent, Guard, Kind, NoLink
from auditor.net.interfaces import Interface
from auditor.net.parting import part

WINDOW = 1_000
# The kernel asks ARP up to three times, a second apart (mcast_solicit in arp(7)), and asks
# those that it knows whether they are still there: one to spare.
ARP_QUESTIONS = 4
NAME = "connect"
PART_S = 2.0  # how long a peer may take to hang up after us


async def sweep_connect(
    guard: Guard,
    targets: AddressSet,
    ports: Sequence[int],
    interface: Interface | None = None,
    tick: Callable[[int], None] = lambda _: None,
    window: int = WINDOW,
) -> AsyncIterator[list[Attempt]]:
    """Knock on `ports` of every address; gives the attempts stretch by stretch.

    interface: on whose link the targets lie; None where they lie behind routers. One ANSWERED
    or REFUSED attempt per address that is there, and one for the stretch as a whole.
    """
    own = AddressSet.parse(a.ip for a in interface.addresses) if interface else NOTHING
    ports = [port for port in ports if port in guard.scope.ports and port not in guard.scope.never]
    rate = guard.scope.pace.connects_per_s / max(1, len(ports))
    if interface:
        rate = min(rate, guard.scope.pace.arp_per_s / ARP_QUESTIONS)
    # what the scope names one by one: what is left of a /64 is no such address
    stretch6 = guard.scope.networks.named6().meet(targets.minus(own))
    for stretch in chain(stretches(targets.minus(own), rate), [stretch6] if stretch6 else ()):
        yield await _Knocking(guard, stretch, ports, interface, own.meet(targets)).run(window)
        own = NOTHING
        tick(stretch.size)


class _Knocking:
    """A stretch of addresses while it is being knocked on."""

    def __init__(
        self,
        guard: Guard,
        asked: AddressSet,
        ports: Sequence[int],
        interface: Interface | None,
        own: AddressSet,
    ) -> None:
        self.own = own
        self.guard, self.asked, self.ports, self.interface = guard, asked, ports, interface
        self.started = guard.clock()
        self.ends: dict[str, tuple[int, Ended]] = {}
        self.troubles: dict[str, Ended] = {}
        self.door = asyncio.Lock()

    async def run(self, window: int) -> list[Attempt]:
        """Knock port by port, on those that have not answered yet."""
        began = asyncio.get_running_loop().time()
        # on a link, whoever did not answer the kernel's ARP will not answer another round either
        rounds = 1 if self.interface else self.guard.scope.pace.rounds
        for number, port in product(range(rounds), self.ports):
            first = number == 0 and port == self.ports[0]
            waiting = iter(self._left(first))
            async with asyncio.TaskGroup() as group:
                for _ in range(min(window, self.asked.size)):
                    group.create_task(self._work(waiting, port, first))
        return self._attempts(round(asyncio.get_running_loop().time() - began, 3))

    def _left(self, first: bool) -> list[str]:
        """Give those to knock on next; each unknown neighbour makes the kernel ask ARP again."""
        left = [ip for ip in self.asked if ip not in self.ends]
        if first or not self.interface:
            return left
        index = self.interface.index
        there = {
            n.ip for n in neighbours.known() if n.index == index and not n.state & neighbours.FAILED
        }
        return [ip for ip in left if ip in there]

    async def _work(self, waiting: Iterator[str], port: int, first: bool) -> None:
        for ip in waiting:
            try:
                await self._introduce(ip, first)
                await self._knock(ip, port)
            except BudgetSpent:
                continue
            except NoLink as lack:
                self.troubles[ip] = Ended(Outcome.NOT_TRIED, lack.why)
            except ScopeRefusal:
                if self.guard.standing():
                    raise
                self.troubles[ip] = Ended(Outcome.NOT_TRIED, "refused by the scope")

    async def _introduce(self, ip: str, first: bool) -> None:
        """Take turns for the questions that the kernel will ask of an unknown neighbour.

        One address at a time: turns of many, taken in rounds, would end all at once.
        """
        if not first or not self.interface:
            return
        async with self.door:
            for _ in range(ARP_QUESTIONS):
                await self.guard.turn(Kind.ARP, ip, 0, "arp")

    async def _knock(self, ip: str, port: int) -> None:
        async with self.guard.seat(ip):
            found = await dial(self.guard, ip, port, NAME, tries=1)
            if found.sock:
                await part(self.guard, found.sock, PART_S)
        if found.ended.outcome.is_knowledge:
            self.ends[ip] = (port, found.ended)
        elif found.ended.outcome is not Outcome.SILENT:
            self.troubles[ip] = found.ended

    def _attempts(self, elapsed_s: float) -> list[Attempt]:
        macs = self._macs()
        made = []
        for ip in [ip for ip in self.asked if ip in self.ends or ip in macs]:
            port, ended = self.ends.get(ip, (0, Ended(Outcome.ANSWERED, "answers ARP only")))
            seen = (Observation("mac", macs[ip]),) if ip in macs else ()
            where = Endpoint(ip, macs.get(ip), port, "tcp" if port else "arp")
            made.append(
                Attempt(NAME, where, ended.outcome, seen, self.started, elapsed_s, ended.detail)
            )
        there = AddressSet.single(a.endpoint.ip for a in made if a.endpoint.ip)
        left = AddressSet.single(ip for ip in self.troubles if ip not in self.ends).minus(there)
        by = self.interface.vantage() if self.interface else "routed"
        told: tuple[tuple[str, str], ...] = (
            ("ports", ",".join(map(str, self.ports))),
            ("answered", str(len(made))),
            ("by", by),
        )
        if left:
            reasons = {ended.detail for ip, ended in self.troubles.items() if ip in left}
            told = (("why", ", ".join(sorted(reasons))), *told)
        told += (("self", ",".join(self.own.texts())),) if self.own else ()
        silent = self.asked.minus(there).minus(left)
        self.guard.forget(silent)
        note = Note(self.asked.join(self.own), silent, left=left, told=told)
        whole = Outcome.SILENT if silent or left else Outcome.ANSWERED
        end = Endpoint(transport="tcp")
        return [*made, Attempt(NAME, end, whole, (), self.started, elapsed_s, str(note))]

    def _macs(self) -> dict[str, str]:
        """Give the hardware addresses that the kernel has learned on the link."""
        if not self.interface:
            return {}
        return {
            n.ip: n.mac
            for n in neighbours.known()
            if n.index == self.interface.index
            and n.ip in self.asked
            and (n.state & neighbours.REACHABLE or n.ip in self.ends)
        }
