"""The net room as the scheduler sees it: one object per run, one guard under everything."""

from collections.abc import AsyncIterator, Callable, Sequence

from auditor.errors import DataError
from auditor.model.address import AddressSet
from auditor.model.observation import Attempt, Observation, Outcome
from auditor.net import interfaces as links
from auditor.net.arp import sweep_arp
from auditor.net.connect import sweep_connect
from auditor.net.dial import dial
from auditor.net.door import converse
from auditor.net.group import LISTEN_S, ask_group
from auditor.net.guard import BudgetSpent, Guard
from auditor.plugins import Peer, Probe, Sweep


class Engine:
    """Sends for one run. knock: ports of a connect sweep, in order.

    known: this machine's interfaces; a scope that names one leaves the others unused.
    """

    def __init__(
        self,
        guard: Guard,
        known: Sequence[links.Interface],
        knock: Sequence[int],
        listen_s: float = LISTEN_S,
    ) -> None:
        self.guard, self.ports, self.listen_s = guard, tuple(knock), listen_s
        wanted = guard.scope.interface
        self.known = (links.named(wanted, known),) if wanted else tuple(known)
        self.raw = links.may(links.CAP_NET_RAW)

    async def frames(
        self, sweep: Sweep, targets: AddressSet, tick: Callable[[int], None]
    ) -> AsyncIterator[list[Attempt]]:
        """Sweep with raw frames those targets that lie on links of ours; none without privilege."""
        if sweep.kind != "arp":
            raise DataError(f"sweep {sweep.name} asks for unknown frames: {sweep.kind}")
        on_links, _ = links.split(targets, self.known)
        for interface, here in on_links if self.raw else ():
            async for attempts in sweep_arp(self.guard, here, interface, tick):
                yield attempts

    async def connect(
        self,
        sweep: Sweep,  # noqa: ARG002 one kind of connect sweep is all there is
        targets: AddressSet,
        tick: Callable[[int], None],
    ) -> AsyncIterator[list[Attempt]]:
        """Sweep with TCP connections, link by link and then what lies behind routers."""
        on_links, behind = links.split(targets, self.known)
        for interface, here in (*on_links, (None, behind)):
            async for attempts in sweep_connect(self.guard, here, self.ports, interface, tick):
                yield attempts

    async def group(self, sweep: Sweep, targets: AddressSet) -> list[Attempt]:
        """Ask a group once on every segment that holds targets."""
        on_links, _ = links.split(targets, self.known)
        made: list[Attempt] = []
        for interface, _ in on_links:
            if ":" in sweep.group or interface.ipv4:
                made += await ask_group(self.guard, sweep, interface, self.listen_s)
        return made

    async def converse(self, peer: Peer, probe: Probe, seen: list[Observation]) -> Attempt | None:
        """Let a probe speak with a peer; `seen` keeps what it observed if it fails."""
        return await converse(self.guard, peer, probe, seen)

    async def knock(self, ip: str, port: int) -> Outcome:
        """Connect once and say nothing; a host whose budget is spent is not asked."""
        try:
            async with self.guard.seat(ip):
                self.guard.spend(ip)
                found = await dial(self.guard, ip, port, "knock")
        except BudgetSpent:
            return Outcome.NOT_TRIED
        if found.sock:
            found.sock.close()
        return found.ended.outcome

    async def watch(self) -> None:
        """Raise as soon as the authority ends."""
        await self.guard.watch()

    def vantage(self, targets: AddressSet) -> str:
        """Say from where the targets are seen."""
        on_links, behind = links.split(targets, self.known)
        seen = [interface.vantage() for interface, _ in on_links] + ["routed"] * bool(behind)
        return ", ".join(seen)
