"""What a scan will do before it does anything: hosts, packets, time, refusals. Pure.

Every figure is an upper bound at the caps of the pace; nothing is sent to find them.
"""

from collections.abc import Sequence

from auditor.model.address import AddressSet
from auditor.model.scope import Plan, Refusal, Scope
from auditor.plugins import Medium, Probe, Sweep

LISTEN_S = 3.0  # how long a group is listened to, all rounds together
SHOWN = 20  # networks of one refusal
SILENCE_S = 1.0  # how long the last round of a sweep is waited for


def plan(
    scope: Scope,
    asked: AddressSet,
    on_link: AddressSet,
    sweeps: Sequence[Sweep],
    probes: Sequence[Probe],
    knocks: Sequence[int],
) -> Plan:
    """Plan a scan of `asked` (what the user named).

    on_link: addresses on our own segments (asked by raw frames); the others are knocked on
    by TCP connect on `knocks`.
    """
    targets = asked.meet(scope.networks).minus(scope.excluded)
    four = AddressSet(tuple(piece for piece in targets.ranges if piece.version == 4))
    here = four.meet(on_link)
    framed = any(sweep.medium is Medium.FRAME for sweep in sweeps)
    near = here if framed else AddressSet()
    far = four.minus(near)
    pace = scope.pace
    frames = near.size * pace.rounds
    doors = [port for port in knocks if port in scope.ports and port not in scope.never]
    connects = far.size * len(doors)
    groups = [sweep for sweep in sweeps if sweep.medium is Medium.GROUP] if here else []
    datagrams = len(groups) * min(pace.rounds, 2)
    duration = (
        frames / pace.arp_per_s
        + connects / pace.connects_per_s
        + len(groups) * LISTEN_S
        + (SILENCE_S * pace.rounds if near or far else 0)
    )
    return Plan(
        scope=scope,
        targets=targets,
        sweeps=tuple(sweep.name for sweep in sweeps),
        probes=tuple(probe.name for probe in probes),
        refused=tuple(_refusals(scope, asked)),
        packets=frames + connects + datagrams,
        duration_s=round(duration, 1),
    )


def _refusals(scope: Scope, asked: AddressSet) -> list[Refusal]:
    excluded = asked.meet(scope.excluded)
    outside = asked.minus(scope.networks).minus(scope.excluded)
    swept = AddressSet(
        tuple(p for p in asked.meet(scope.networks).ranges if p.version == 6 and p.size > 1)
    )
    said = (
        (excluded, "excluded by the scope"),
        (outside, "outside the authorised networks"),
        (swept, "an IPv6 network is not swept; neighbours that answer are found"),
    )
    return [Refusal(_listed(part), reason) for part, reason in said if part]


def _listed(part: AddressSet) -> str:
    """Write a set of addresses; what does not fit is counted, not left out."""
    blocks = part.cidrs()
    more = len(blocks) - SHOWN
    return ", ".join(blocks[:SHOWN]) + (f" and {more} more networks" if more > 0 else "")
