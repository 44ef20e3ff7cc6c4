"""What is to be collected, and what the scheduler asks of the network; values and words only."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auditor.model.address import AddressSet
from auditor.model.observation import Attempt, Observation, Outcome
from auditor.model.scope import Scope
from auditor.model.settled import Done
from auditor.plugins import Peer, Probe, Sweep

WINDOW = 2_000  # hosts spoken to at once: few tarpits must not starve the honest ones
RECHECK_S = 60.0  # a host that broke off is left alone for so long, then looked at once

Sink = Callable[[Sequence[Attempt]], int | None]  # gives how many rows it kept, if it counts
Progress = Callable[[str, int, int], None]  # phase, done, total
Tick = Callable[[int], None]

NOTHING_DONE = Done()


class Network(Protocol):
    """What the net room does for us; every call keeps to the scope by itself."""

    def frames(self, sweep: Sweep, targets: AddressSet, tick: Tick) -> AsyncIterator[list[Attempt]]:
        """Sweep with raw frames those targets that lie on links of ours."""

    def ports(
        self, sweep: Sweep, hosts: Mapping[str, str], ports: Sequence[int], tick: Tick
    ) -> AsyncIterator[list[Attempt]]:
        """Ask hosts (ip -> hardware address, "" for none) which of these ports are open."""

    def listen(
        self, sweep: Sweep, targets: AddressSet, seconds: float
    ) -> AsyncIterator[list[Attempt]]:
        """Only hear what passes on the links that hold targets."""

    def lent(self, hosts: Mapping[str, str]) -> AbstractContextManager[int]:
        """Make hosts reachable while they are asked; gives how many may be asked at once."""

    def connect(
        self, sweep: Sweep, targets: AddressSet, tick: Tick
    ) -> AsyncIterator[list[Attempt]]:
        """Sweep with TCP connections."""

    def group(self, sweep: Sweep, targets: AddressSet) -> AsyncIterator[list[Attempt]]:
        """Ask everybody on every segment that holds targets; gives what each round brought."""

    def converse(
        self, peer: Peer, probe: Probe, seen: list[Observation]
    ) -> Coroutine[None, None, Attempt | None]:
        """Let a probe speak with a peer; `seen` keeps what it observed if it fails."""

    async def knock(self, ip: str, port: int) -> Outcome:
        """Connect once and say nothing."""

    async def part(self) -> None:
        """Hear out those who are still speaking, for a little while."""

    def end(self) -> None:
        """Close whatever is still open: the run is over."""

    async def watch(self) -> None:
        """Raise as soon as the authority ends."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be collected: by whom, about whom, and how the results leave.

    lists: data/ports.toml. enough: tells from a host's observations that no more need be
    asked. needless: tells that a reply which is told by these fields adds nothing that is
    missing. clock: UTC.
    """

    scope: Scope
    targets: AddressSet
    sweeps: Sequence[Sweep]
    probes: Sequence[Probe]
    lists: Mapping[str, Sequence[int]]
    clock: Callable[[], datetime]
    sink: Sink
    progress: Progress = lambda _phase, _done, _total: None
    enough: Callable[[Sequence[Observation]], bool] = lambda _seen: False
    needless: Callable[[Sequence[Observation], Sequence[str]], bool] = lambda _seen, _fields: False
    done: Done = NOTHING_DONE
    window: int = WINDOW
    recheck_s: float = RECHECK_S
    passive_s: float = 0.0  # how long passive sweeps listen
