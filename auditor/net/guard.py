"""What stands between every socket and the network: scope, pace, budgets and the journal.

Each sender asks here before each send, so nothing that a plug-in or a peer does can lead out
of the authorised networks, onto a forbidden port or over the cap.
"""

import asyncio
import ipaddress
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from auditor.errors import AuditorError, ScopeRefusal
from auditor.model.address import LINK_LOCAL, AddressSet
from auditor.model.coverage_note import SPENT
from auditor.model.journal import BEGAN, Sent
from auditor.model.scope import Scope
from auditor.net.pace import CATCH_UP_S, Meter, Seldom, Turns
from auditor.net.seal import Seal

MANY_HOSTS = 4_096  # beyond so many, those that are neither busy nor recent are forgotten
WATCH_S = 0.5  # how often the authority is looked at; a run stops within four of these
# Of a host's budget so much is kept for looking whether it is still well, at the time and a minute
# later, twice each; but no larger share than one in six, so a tiny budget keeps nothing.
LOOKS, LOOKS_SHARE = 4, 6
# While a sweep waits for turns, one in so many is for a connection that begins: conversations can
# fill the moments in which a sweep only listens, and few hosts are kept waiting in the middle of one.
BESIDE_SWEEPS = 28
# Membership reports of the kernel: two, each up to a second after what made it speak (RFC 3376, 8.1
# and 8.11; RFC 3810, 9), and a second more in which they count.
REPORTS, REPORTS_S = 2, 3.1
MOST_DOUBLINGS = 2  # of the time between two connections to a host that does not answer


class Kind(StrEnum):
    """What is paced separately."""

    ARP = "arp"
    PACKET = "packet"
    CONNECT = "connect"


class BudgetSpent(AuditorError):  # noqa: N818 named as errors.py names them
    """A host has been spoken to as often as this run may."""


class NoLink(ScopeRefusal):
    """It is not clear on which link a link-local address is meant."""


class _Host:
    """What one host has been asked: how many conversations are open, when the last began."""

    def __init__(self, per_s: float, most_open: int) -> None:
        self.meter = Meter(per_s)
        self.seats = asyncio.Semaphore(most_open)
        self.guests = 0
        self.losses = 0  # connections in a row that nobody answered

    def patience_s(self) -> float:
        """Give how much longer the next connection has to wait: each loss doubles the gap."""
        if not self.losses or not self.meter.sent:
            return 0.0
        gap_s = self.meter.interval_s * 2 ** min(self.losses, MOST_DOUBLINGS)
        return float(self.meter.sent[-1][0] + gap_s - self.meter.clock())


class _Seat:
    """One of a host's few seats, in an `async with` statement."""

    def __init__(self, host: _Host) -> None:
        self.host = host
        host.guests += 1

    async def __aenter__(self) -> None:
        try:
            await self.host.seats.acquire()
        except BaseException:
            self.host.guests -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self.host.seats.release()
        self.host.guests -= 1


class Guard:
    """One per run. clock: gives the moments that are written down (UTC, never going back).

    wall: the wall clock that the authority ends by; as `clock` where nothing is said.
    journal: is handed everything that was sent. spent: conversations that an earlier part of
    the run began with a host, by its address. called: how often
    it asked everybody on a segment within the last half minute.
    """

    def __init__(
        self,
        scope: Scope,
        *,
        clock: Callable[[], datetime],
        journal: Callable[[Sent], None] | None = None,
        wall: Callable[[], datetime] | None = None,
        spent: Mapping[str, int] | None = None,
        called: int = 0,
    ) -> None:
        self.scope = scope
        self.clock = clock
        self.wall = wall or clock
        self.journal = journal
        self.revoked: str | None = None
        self.seal = Seal(scope.authority)
        pace = scope.pace
        # one cap over all, where somebody named one
        self.wire = None if math.isinf(pace.frames_per_s) else Meter(pace.frames_per_s)
        self.meters = {
            Kind.ARP: Meter(pace.arp_per_s, whole=self.wire),
            Kind.PACKET: Meter(pace.packets_per_s, whole=self.wire),
            Kind.CONNECT: Meter(pace.connects_per_s, whole=self.wire),
        }
        self._beside = Meter(pace.frames_per_s / BESIDE_SWEEPS)
        self._segments: dict[str, Seldom] = {}
        self._hosts: dict[str, _Host] = {}
        self._talks: dict[str, int] = dict(spent or {})
        self._begun: Counter[str] = Counter()  # conversations whose first packet is due
        self.connects = Turns(self.meters[Kind.CONNECT])
        self._trouble: dict[str, int] = {}  # hosts that cost time, and how often they did
        self._passed: set[str] = set()
        self.called = called
        # link-local address -> by which of our interfaces it was heard, and with which MAC
        self.zones: dict[str, dict[int, str]] = {}
        self._same: dict[str, str] = {}  # address -> the first address of the same device

    # ---------------------------------------------------------------- scope

    def standing(self) -> str | None:
        """Give the reason why nothing at all may be sent now; None where something may."""
        moment, authority = self.wall(), self.scope.authority
        if self.revoked:
            return self.revoked
        if authority.expires and moment >= authority.expires:
            return f"the authority expired at {authority.expires.isoformat()}"
        if self.scope.hours and not self.scope.hours.allow(moment):
            return "outside the authorised hours"
        return None

    def permit(self, ip: str, port: int, transport: str = "tcp") -> None:
        """Let one packet to `ip`:`port` pass; port 0 for transports without ports."""
        reason = None if self._usual(ip, port) else self.scope.refusal(ip, port, self.wall())
        reason = self.revoked or reason
        if reason:
            where = f"{ip} port {port}/{transport}" if port else f"{ip} ({transport})"
            raise ScopeRefusal(
                f"nothing was sent to {where}", why=reason, hint="widen the scope, if you may"
            )

    def _usual(self, ip: str, port: int) -> bool:
        """Tell quickly of what nearly always passes: an address that has passed before."""
        scope = self.scope
        if scope.authority.expires or scope.hours:
            return False
        if ip not in self._passed:
            if len(self._passed) >= MANY_HOSTS:
                self._passed.clear()
            if scope.refusal(ip, 0, self.wall()):
                return False
            self._passed.add(ip)
        return not port or (port in scope.ports and port not in scope.never)

    def permit_group(self, group: str, port: int, interface: str, segment: AddressSet) -> None:
        """Let one datagram to a sweep's group pass onto a segment.

        segment: what is on the link of that interface; it must hold scoped addresses.
        """
        reason = self.standing()
        if not ipaddress.ip_address(group.split("%", 1)[0]).is_multicast:
            reason = reason or "is no multicast group"
        if self.scope.interface not in {None, interface}:
            reason = reason or f"the scope names interface {self.scope.interface}"
        if not self.scope.may_ask(port):
            reason = reason or f"port {port} is not among the authorised ports"
        if not segment.meet(self.scope.networks.minus(self.scope.excluded)):
            reason = reason or f"no authorised address is on the segment of {interface}"
        if reason:
            raise ScopeRefusal(f"nothing was sent to group {group} by {interface}", why=reason)

    def revoke(self, reason: str) -> None:
        """Let nothing more pass, for the first reason given."""
        self.revoked = self.revoked or reason

    async def watch(self) -> None:
        """Look at the authority until it ends; then nothing passes, and this raises."""
        while True:
            await self.look()
            await asyncio.sleep(WATCH_S)

    async def look(self) -> None:
        """Look at the authority once; where it has ended nothing passes, and this raises."""
        if reason := self.standing() or await self.seal.broken():
            self.revoke(reason)
            raise ScopeRefusal("the scan was stopped", why=reason, hint="renew the authority")

    # ---------------------------------------------------------------- who is who

    def heard(self, ip: str, link: int, mac: str) -> None:
        """Remember by which interface (its index) a link-local address was heard."""
        if ip.startswith("fe") and ip in LINK_LOCAL:
            self.zones.setdefault(ip, {}).setdefault(link, mac)

    def sockaddr(self, ip: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
        """Give the address that a socket connects to: a link-local one with its link.

        NoLink where that link is not known, or where two devices have that address. One
        device that is heard by two interfaces is in a network that both stand in.
        """
        if ":" not in ip:
            return ip, port
        if ip not in LINK_LOCAL:
            return ip, port, 0, 0
        links = self.zones.get(ip, {})
        if len(set(links.values())) != 1:
            why = "this link-local address was heard on " + (
                "several links" if links else "no link"
            )
            what = f"nothing was sent to {ip} port {port}"
            raise NoLink(what, why=why, hint="name its interface with --interface")
        return ip, port, 0, next(iter(links))

    def acquaint(self, house: Sequence[str]) -> None:
        """Let the addresses of one device share its budget, its seats and its pace."""
        self._same.update((ip, house[0]) for ip in house[1:])

    # ---------------------------------------------------------------- pace and budgets

    async def turn(self, kind: Kind, ip: str, port: int = 0, transport: str = "tcp") -> None:
        """Wait until one more may go to `ip`, and check once more that it may.

        The caller sends before it awaits anything else, and calls `sent`.
        """
        self.permit(ip, port, transport)
        pace = self.scope.pace
        if kind is Kind.CONNECT:
            host = self._host(ip)
            async with host.meter.lock:
                if pace.delicate and (more_s := host.patience_s()) > 0:
                    await asyncio.sleep(more_s)
                await host.meter.patience()
                await self._beside_sweeps()
                again = self._talks.get(self._same.get(ip, ip), 0) > 1
                await self.connects.turn(self._trouble.get(ip, 0), again=again)
                host.meter.stamp()
        else:
            await self.meters[kind].turn()
        self.permit(ip, port, transport)

    async def segment_turn(self, count: int = 2) -> None:
        """Wait until one more segment and the kernel's own that follows it may go.

        Only where all that leaves is capped; data and acknowledgement, or both of a goodbye.
        """
        if self.wire:
            await self.wire.turn(min(count, self.wire.most))

    async def _beside_sweeps(self) -> None:
        """While a sweep takes the turns, begin few connections (see BESIDE_SWEEPS)."""
        if not self.wire:
            return
        async with self._beside.lock:
            while self.meters[Kind.ARP].lock.locked() and (wait := self._beside.wait_s()):  # noqa: ASYNC110
                await asyncio.sleep(min(wait, CATCH_UP_S))
            self._beside.stamp()

    def handshake(self) -> Callable[[], None] | None:
        """Count the frame by which the kernel ends a handshake that begins now.

        Call what this gives when it does not: the frame was counted and does not leave. None
        where nothing is counted.
        """
        if not self.wire:
            return None
        wire = self.wire
        wire.stamp()
        counted = [wire.latest]
        return lambda: wire.give_back(counted.pop()) if counted else None

    def followed(self, count: int) -> None:
        """Note frames that the kernel has sent for us: acknowledgements, and how it says goodbye."""
        if self.wire:
            self.wire.stamp(count)

    def reports(self) -> None:
        """Keep room for what the kernel says when we join a group, and when we leave it."""
        if self.wire:
            self.wire.keep(REPORTS, REPORTS_S)

    def troubled(self, ip: str) -> None:
        """Note that a host was silent, slow or made no sense: others are asked before it."""
        self._trouble[ip] = self._trouble.get(ip, 0) + 1

    async def group_turn(self, group: str, port: int, interface: str, segment: AddressSet) -> None:
        """Wait until one more datagram may go to a group, and check that it may.

        What everybody on a segment hears counts together, whichever group it is for.
        """
        self.permit_group(group, port, interface, segment)
        meter = self._segment(interface)
        async with meter.lock:
            await meter.patience()
            await self.meters[Kind.PACKET].turn()
            meter.stamp()
        self.permit_group(group, port, interface, segment)

    def _segment(self, interface: str) -> Seldom:
        if interface not in self._segments:
            self._segments[interface] = made = Seldom(self.scope.pace.discovery_per_30s)
            if self.called:
                made.stamp(min(self.called, made.most))
        return self._segments[interface]

    def sent(
        self,
        transport: str,
        ip: str,
        port: int,
        size: int,
        tool: str,
        kind: Kind | None = None,
        count: int = 1,
        note: str = "",
    ) -> None:
        """Note what has just left; kind: whose turn it was (see model/journal.Sent)."""
        if kind:
            self.meters[kind].restamp()
            if kind is Kind.CONNECT and (host := self._hosts.get(self._same.get(ip, ip))):
                host.meter.restamp()
        if not self.journal:
            return
        detail = note
        same = self._same.get(ip, ip)
        if transport in {"tcp", "udp"} and self._begun[same] > 0:
            self._begun[same] -= 1
            detail = BEGAN
        self.journal(Sent(self.clock(), transport, ip, port, count, size, tool, detail))

    @property
    def rest_s(self) -> float:
        """Tell after what silence no cap remembers anything that was sent before it."""
        each = (*self.meters.values(), Meter(self.scope.pace.host_connects_per_s))
        return max(meter.window_s for meter in each)

    def seat(self, ip: str) -> "_Seat":
        """Hold one of the few conversations that may be open to a host at a time."""
        return _Seat(self._host(ip))

    def spare(self, ip: str) -> bool:
        """Tell whether so much of a host's budget is left that one may ask it twice."""
        return self._talks.get(self._same.get(ip, ip), 0) < self.scope.pace.host_total / 2

    def fared(self, ip: str, *, answered: bool) -> None:
        """Note how a connection to a host came out: whoever does not answer is asked slower."""
        host = self._host(ip)
        host.losses = 0 if answered else host.losses + 1

    def forget(self, nobody: AddressSet) -> None:
        """Keep no account of addresses where nobody is: there may be millions."""
        for ip in nobody if self._talks else ():
            self._talks.pop(ip, None)

    def spend(self, ip: str, *, look: bool = False) -> None:
        """Take one connection from the host's budget of this run; `look`: also of what is kept."""
        ip = self._same.get(ip, ip)
        spent = self._talks.get(ip, 0)
        most = self.scope.pace.host_total
        if spent >= most - (0 if look else min(LOOKS, most // LOOKS_SHARE)):
            raise BudgetSpent(
                f"{ip} has been spoken to {spent} times",
                why=SPENT,
                hint="scan it again later, or with another profile",
            )
        self._talks[ip] = spent + 1
        self._begun[ip] += 1

    def _host(self, ip: str) -> _Host:
        pace, ip = self.scope.pace, self._same.get(ip, ip)
        if len(self._hosts) >= MANY_HOSTS and ip not in self._hosts:
            busy = {at: h for at, h in self._hosts.items() if h.guests or h.meter.lock.locked()}
            recent = {at: h for at, h in self._hosts.items() if h.meter.wait_s(h.meter.most)}
            self._hosts = busy | recent
        if ip not in self._hosts:
            self._hosts[ip] = _Host(pace.host_connects_per_s, pace.host_open)
        return self._hosts[ip]
