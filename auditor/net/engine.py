"""The net room as the scheduler sees it: one object per run, one guard under everything."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from auditor.errors import DataError, EnvironmentLack
from auditor.model.address import LINK_LOCAL, AddressSet, Range
from auditor.model.household import households
from auditor.model.observation import Attempt, Observation, Outcome
from auditor.net import interfaces as links
from auditor.net import neighbours, routes
from auditor.net.arp import BULK_PER_S, sweep_arp
from auditor.net.behind import Look, hosts_behind
from auditor.net.connect import PART_S, Knocking, allowed, sweep_connect
from auditor.net.dial import dial
from auditor.net.door import converse
from auditor.net.group import LISTEN_S, ask_group
from auditor.net.guard import WATCH_S, BudgetSpent, Guard, Kind
from auditor.net.parting import lounge, part
from auditor.net.room import Room, table_size
from auditor.net.steady import Steady
from auditor.plugins import Medium, Peer, Probe, Sweep

Tick = Callable[[int], None]


class Engine:
    """Sends for one run. knock: ports of a connect or SYN sweep, in order. by_nmap: the nmap
    program finds out who is there instead of our own frames and connections.

    known: this machine's interfaces; a scope that names one leaves the others unused.
    """

    KINDS = ("arp", "ndp", "icmp", "knock", "syn")  # of frame sweeps

    def __init__(
        self,
        guard: Guard,
        known: Sequence[links.Interface],
        knock: Sequence[int],
        listen_s: float = LISTEN_S,
        by_nmap: bool = False,
    ) -> None:
        self.by_nmap = by_nmap
        self.guard, self.knocks, self.listen_s = guard, tuple(knock), listen_s
        wanted = guard.scope.interface
        self.known = (links.named(wanted, known),) if wanted else tuple(known)
        self.raw = links.may(links.CAP_NET_RAW)
        self.heard6: set[int] = set()  # links whose IPv6 neighbours were asked
        self.steady = self._links()
        self.room = Room()
        self.gateways: dict[routes.Way, bytes | None] = {}  # None: it did not answer
        self.others: dict[str, str] = {}  # whom the kernel speaks to there, not whom we found
        self.introduced: set[str] = set()  # whose hardware address the kernel need not ask for

    def _links(self) -> Steady:
        """Remember how the links stand that lead to anybody in the scope."""
        scope = self.guard.scope
        on_links, behind = links.split(scope.networks.minus(scope.excluded), self.known)
        far = str(behind.ranges[0]).split("-", 1)[0] if behind else None
        return Steady([interface for interface, _ in on_links], far)

    def _sure(self, attempts: list[Attempt]) -> list[Attempt]:
        """Give what a sweep found, unless a link went away while it asked."""
        self.steady.check()
        return attempts

    # ---------------------------------------------------------------- who is there?

    async def frames(
        self, sweep: Sweep, targets: AddressSet, tick: Tick
    ) -> AsyncIterator[list[Attempt]]:
        """Sweep with raw frames: on our links, or for ICMP anywhere; nothing without privilege."""
        on_links, behind = links.split(targets, self.known)
        if sweep.kind not in self.KINDS:
            raise DataError(f"sweep {sweep.name} asks for unknown frames: {sweep.kind}")
        if not self.raw or self.by_nmap:
            return
        if sweep.kind in {"icmp", "knock"}:
            async for attempts in self._routed(sweep.kind, behind, tick):
                yield self._sure(attempts)
        for interface, here in on_links:
            if sweep.kind == "arp":
                look = self._look(interface)
                async for attempts in sweep_arp(self.guard, here, interface, tick, look):
                    yield self._sure(attempts)

    def _look(self, interface: links.Interface) -> Look:
        """Give who finds the hosts behind one hardware address: whoever knocks on their ports."""

        async def look(
            asked: AddressSet, answered_for: Sequence[int], alone: Sequence[int]
        ) -> frozenset[int]:
            far = AddressSet.of(Range(4, ip, ip) for ip in alone)
            ports = allowed(self.guard, self.knocks)
            knocking = Knocking(self.guard, far, ports, interface, AddressSet(), self.room)
            return await hosts_behind(asked, answered_for, alone, ports, knocking.again)

        return look

    async def _again(self, targets: AddressSet) -> AsyncIterator[list[Attempt]]:
        """Ask ARP ourselves for whom nmap found behind a router's hardware address."""
        for interface, here in links.split(targets, self.known)[0] if self.raw else ():
            async for attempts in sweep_arp(
                self.guard, here, interface, look=self._look(interface)
            ):
                yield self._sure(attempts)

    async def _routed(
        self, kind: str, behind: AddressSet, tick: Tick
    ) -> AsyncIterator[list[Attempt]]:
        """Ask behind routers: through each gateway that we can find; echoes also by the kernel."""
        from auditor.net.icmp import sweep_icmp

        pace, rest = self.guard.scope.pace, behind
        if kind == "knock" and not pace.half_opens:
            return
        for way, mac, there in await self._ways(behind, kind):
            rest = rest.minus(there)
            if kind == "icmp":
                asking = sweep_icmp(self.guard, there, tick, way, mac)
            else:
                from auditor.net.knock import sweep_knock

                asking = sweep_knock(self.guard, way, mac, there, self.knocks, tick)
            async for attempts in asking:
                yield attempts
        if kind == "icmp":
            async for attempts in sweep_icmp(self.guard, rest, tick):
                yield attempts

    async def _ways(
        self, behind: AddressSet, kind: str
    ) -> list[tuple[routes.Way, bytes, AddressSet]]:
        """Give the ways behind routers with the gateway's hardware address, where one is needed.

        Segments need it; echoes go by the kernel where there are few of them.
        """
        found, made = routes.ways(behind, self.known)[0], []
        few = self.guard.scope.pace.packets_per_s < BULK_PER_S
        for way, there in found:
            if kind == "icmp" and few:
                made.append((way, b"", there))
                continue
            if way not in self.gateways:
                target = str(there.ranges[0]).split("-", 1)[0]
                self.gateways[way] = await routes.hardware(self.guard, way, target)
            if mac := self.gateways[way]:
                made.append((way, mac, there))
        return made

    async def ports(
        self, sweep: Sweep, hosts: Mapping[str, str], ports: Sequence[int], tick: Tick
    ) -> AsyncIterator[list[Attempt]]:
        """Ask with bare SYNs which ports of hosts are open: ip -> mac, "" where it is not known."""
        half_opens = self.guard.scope.pace.half_opens
        if sweep.kind != "syn" or not self.raw or not half_opens or self.by_nmap:
            return
        from auditor.net.syn import sweep_syn

        four = {ip: mac for ip, mac in hosts.items() if ":" not in ip}
        on_links, behind = links.split(AddressSet.single(four), self.known)
        four = {ip: mac for ip, mac in four.items() if mac and ip not in behind}
        # the kernel answers each SYN,ACK with an RST, and must not ask ARP for that
        with self.lent(four):
            for interface, here in on_links:
                macs = {ip: four[ip].replace(":", "") for ip in here if ip in four}
                near = {_number(ip): bytes.fromhex(mac) for ip, mac in macs.items()}
                async for attempts in sweep_syn(self.guard, near, ports, interface, tick):
                    yield self._sure(attempts)
        for way, mac, there in await self._ways(behind, "syn"):
            far = {_number(ip): mac for ip in there}
            async for attempts in sweep_syn(self.guard, far, ports, way.interface, tick, way):
                yield self._sure(attempts)

    async def connect(
        self,
        sweep: Sweep,
        targets: AddressSet,
        tick: Tick,
    ) -> AsyncIterator[list[Attempt]]:
        """Sweep with TCP connections, link by link and then what lies behind routers."""
        # without privilege nmap has nothing but connections, which it ends with resets
        if self.by_nmap and (self.raw or not self.guard.scope.pace.delicate):
            from auditor.net.nmap import sweep_nmap

            async for attempts in sweep_nmap(
                self.guard, targets, self.knocks, raw=self.raw, tick=tick, again=self._again
            ):
                yield attempts
            targets = targets.of_version(6)
        on_links, behind = links.split(targets, self.known)
        for interface, here in (*on_links, (None, behind)):
            if interface and here.of_version(6):
                yield self._remembered(sweep, interface, here)
            async for attempts in sweep_connect(self.guard, here, self.knocks, interface, tick):
                yield self._sure(attempts)

    def _remembered(
        self, sweep: Sweep, interface: links.Interface, here: AddressSet
    ) -> list[Attempt]:
        """Give the IPv6 neighbours that the kernel knows, where nobody could be asked for them.

        The one link that there is, is the link of the link-local addresses that were named.
        """
        from auditor.net.ear import remembered

        found = remembered(self.guard, sweep.name, interface)
        if sum(link.up and link.ipv6 for link in self.known) == 1:
            for ip in here.meet(LINK_LOCAL).meet(self.guard.scope.networks.named6()):
                self.guard.heard(ip, interface.index, "")
        return [] if interface.index in self.heard6 else found

    async def group(self, sweep: Sweep, targets: AddressSet) -> AsyncIterator[list[Attempt]]:
        """Ask everybody on every segment that holds targets, all segments at the same time.

        Gives what each round brought. Nobody but ourselves hears a group on the loopback.
        """
        on_links, _ = links.split(targets, self.known)
        near = [(interface, here) for interface, here in on_links if not interface.loopback]
        asking = list(filter(None, (self._ask_all(sweep, *link) for link in near)))
        try:
            async for attempts in _abreast(asking):
                yield self._sure(attempts)
        except OSError:
            self.steady.check(at_once=True)  # is it the link, it is the run that ends
            raise
        if ":" in sweep.group:  # who answered is known to the kernel now
            from auditor.net.ear import remembered

            for interface in (link for link, here in near if here.of_version(6)):
                remembered(self.guard, sweep.name, interface)

    def _ask_all(
        self, sweep: Sweep, interface: links.Interface, here: AddressSet
    ) -> AsyncIterator[list[Attempt]] | None:
        if sweep.medium is Medium.GROUP:
            six = here.of_version(6) and interface.link_local
            reached = six if ":" in sweep.group else interface.ipv4
            return ask_group(self.guard, sweep, interface, self.listen_s) if reached else None
        if not self.raw or not interface.ipv6:
            return None
        from auditor.net.ear import neighbours6

        self.heard6.add(interface.index)
        return neighbours6(self.guard, sweep, interface, here)

    async def listen(
        self, sweep: Sweep, targets: AddressSet, seconds: float
    ) -> AsyncIterator[list[Attempt]]:
        """Only hear what passes on all segments that hold targets at once; nothing is sent.

        Targets that lie on no link of ours are told of at first: nobody listens to them.
        """
        from auditor.net.ear import listen, unlistened

        on_links, elsewhere = links.split(targets, self.known)
        if not on_links:
            raise EnvironmentLack(
                "there is no segment to listen on",
                why="no interface of this machine lies in the authorised networks",
                hint="name the interface with --interface, or targets on its network",
            )
        if elsewhere:
            yield [unlistened(self.guard, sweep, elsewhere)]
        hearing = [listen(self.guard, sweep, interface, seconds) for interface, _ in on_links]
        async for attempts in _abreast(hearing):
            yield attempts
            self.steady.check()  # what was heard before is true all the same

    # ---------------------------------------------------------------- what is it?

    def _on(self, ip: str, link: int) -> bool:
        """Tell whether a host is on that link; only of link-local ones it is a question."""
        return ip not in LINK_LOCAL or link in self.guard.zones.get(ip, ())

    @contextlib.contextmanager
    def lent(self, hosts: Mapping[str, str]) -> Iterator[int]:
        """Lend the kernel the hardware addresses of hosts (ip -> mac) while they are asked.

        Gives how many hosts may be asked at once. Without CAP_NET_ADMIN the table is not
        touched, and no more hosts than half of what it holds may be in flight. An entry that says
        otherwise and that the kernel learned by itself is replaced meanwhile: two stations claim
        that address. Where it stays, what is said there is said by the one that it names.
        """
        for house in households(hosts, hosts):
            self.guard.acquaint(house)
        on_links, _ = links.split(AddressSet.single(hosts), self.known)
        may = links.may(links.CAP_NET_ADMIN)
        held = {(n.index, n.ip): n for n in neighbours.known() if n.used and not (n.lent and may)}
        aside: list[neighbours.Neighbour] = []
        try:
            for interface, here in on_links:
                at = interface.index
                near = {ip: held.get((at, ip)) for ip in here if self._on(ip, at)}
                others = {ip: n for ip, n in near.items() if n and n.mac != hosts[ip]}
                stay = {ip: n.mac for ip, n in others.items() if n.kept or not may}
                self.others |= stay
                if may:
                    aside += [n for ip, n in others.items() if ip not in stay]
                    new = [ip for ip, n in near.items() if not n or (n in aside)]
                    neighbours.lend(at, [(ip, hosts[ip]) for ip in new])
                    self.introduced.update(new)
            yield 1 << 20 if may else table_size() // 2 if on_links else 1 << 20
        finally:
            if may:
                neighbours.take_back()
                neighbours.put_back(aside)
                self.introduced.clear()  # the kernel has to ask for them again

    async def converse(self, peer: Peer, probe: Probe, seen: list[Observation]) -> Attempt | None:
        """Let a probe speak with a peer; `seen` keeps what it observed if it fails."""
        await self._introduce(peer.ip)
        attempt = await converse(self.guard, peer, probe, seen)
        if attempt and peer.ip in self.others:
            where = replace(attempt.endpoint, mac=self.others[peer.ip])
            attempt = replace(attempt, endpoint=where)
        if attempt and not attempt.outcome.is_knowledge:
            self.steady.check()
        return attempt

    async def knock(self, ip: str, port: int) -> Outcome:
        """Connect once and say nothing; a host whose budget is spent is not asked."""
        await self._introduce(ip)
        try:
            async with self.guard.seat(ip):
                found = await dial(self.guard, ip, port, "knock", look=True)
                if found.sock:
                    await part(self.guard, found.sock, PART_S)
        except BudgetSpent:
            return Outcome.NOT_TRIED
        if not found.sock:
            self.steady.check()
        return found.ended.outcome

    async def _introduce(self, ip: str) -> None:
        """Take a turn for the ARP question that the kernel asks at the first contact."""
        if ip in self.introduced:
            return
        self.introduced.add(ip)
        near = links.for_target(ip, self.known)
        if near and not near.loopback:
            await self.room.enter()
            await self.guard.meters[Kind.ARP].turn()

    async def part(self) -> None:
        """Hear out those who are still speaking, for a little while."""
        waiting = [gone for gone, _ in lounge(self.guard).leaving.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=PART_S)

    def end(self) -> None:
        """Close whatever is still open: the run is over."""
        lounge(self.guard).close()

    async def watch(self) -> None:
        """Raise as soon as the authority ends, or a link goes away."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.guard.watch())
            group.create_task(self._watch_links())

    async def _watch_links(self) -> None:
        while True:
            self.steady.check()
            await asyncio.sleep(WATCH_S)

    def vantage(self, targets: AddressSet) -> str:
        """Say from where the targets are seen."""
        return links.vantage(targets, self.known)


async def _abreast(each: list[AsyncIterator[list[Attempt]]]) -> AsyncIterator[list[Attempt]]:
    """Go on with all of them at the same time; give what each round of theirs brought together."""
    while each:
        rounds = await asyncio.gather(*(anext(one, None) for one in each))
        yield [attempt for attempts in rounds for attempt in attempts or ()]
        each = [one for one, made in zip(each, rounds, strict=True) if made is not None]


def _number(ip: str) -> int:
    return int.from_bytes(bytes(map(int, ip.split("."))), "big")
