"""What a scan will do before it does anything: hosts, packets, time, refusals. Pure.

Every figure is an upper bound at the caps of the pace; nothing is sent to find them.
"""

import math
from collections.abc import Sequence

from auditor.model.address import AddressSet
from auditor.model.scope import Pace, Plan, Refusal, Scope
from auditor.plugins import Medium, Probe, Sweep

LISTEN_S = 3.0  # how long groups are listened to, after the last question
SPAN_S = 30.5  # in which questions to everybody on a segment are counted, and a margin
SHOWN = 20  # networks of one refusal
SILENCE_S = 1.0  # how long the last round of a sweep is waited for
MEMBERSHIP = 4  # reports of the kernel when it joins a group and leaves it (RFC 3376, 8.1)
MOST_SOURCES6 = 4  # addresses of ours that all IPv6 neighbours of a link are asked from
NEIGHBOURS = "an IPv6 network is not swept; neighbours that answer are found"
NO_NEIGHBOURS = (
    "an IPv6 network is not swept; without raw frames (root, and not --engine connect) only "
    "neighbours that this machine knows already are looked at"
)
NO_PORT = "its port is not among the authorised ports: devices that only answer there are missed"
DOUBT_ROUNDS = 1  # more, to tell hosts behind a router from a box that answers for them
KERNEL_ARP = 3  # questions of the kernel about a neighbour that it connects to (arp(7))


def plan(
    scope: Scope,
    asked: AddressSet,
    on_link: AddressSet,
    sweeps: Sequence[Sweep],
    probes: Sequence[Probe],
    knocks: Sequence[int],
    scanned: Sequence[int] | None = None,
    links: int = 1,
    routed: Sequence[AddressSet] = (),
) -> Plan:
    """Plan a scan of `asked` (what the user named).

    on_link: addresses on our own segments (asked by raw frames), which lie on so many `links`;
    the others are knocked on by TCP connect on `knocks`. scanned: ports that a SYN sweep asks
    of hosts that are there; as `knocks` where nothing is said. routed: per gateway that we can
    send frames through, the addresses behind it.
    """
    targets = asked.meet(scope.networks).minus(scope.excluded)
    four, ours = targets.of_version(4), targets.meet(on_link)
    here = four.meet(on_link)
    kinds = {sweep.kind for sweep in sweeps if sweep.medium is Medium.FRAME}
    near = here if kinds else AddressSet()
    knocked, behind, pace = here.minus(near).size, four.minus(here), scope.pace
    bare = AddressSet()  # asked with bare SYNs behind a gateway
    if "knock" in kinds and pace.half_opens:
        bare = behind.meet(AddressSet.of(piece for part in routed for piece in part.ranges))
    ways = sum(bool(behind.meet(part)) for part in routed) if kinds & {"icmp", "knock"} else 0
    connecting = any(sweep.medium is Medium.CONNECT for sweep in sweeps)
    doors = len(_allowed(scope, knocks)) if connecting else 0
    shut = [sweep for sweep in sweeps if sweep.for_all and not scope.may_ask(sweep.port)]
    sweeps = [sweep for sweep in sweeps if sweep not in shut]
    groups = [sweep for sweep in sweeps if sweep.for_all and _reaches(sweep, ours)]
    questions = sum(_times(sweep, pace, ours) for sweep in groups)  # on each segment
    ports = len(_allowed(scope, knocks if scanned is None else scanned))
    arp = near.size * pace.rounds + (knocked * bool(doors) + ways) * KERNEL_ARP
    seen = near.size + bare.size if "syn" in kinds and pace.half_opens else 0
    knocking = bare.size * len(_allowed(scope, knocks))
    syns = seen * ports * pace.rounds + knocking * (pace.rounds + DOUBT_ROUNDS)
    echoes = (behind.size * pace.rounds if "icmp" in kinds else 0) + ways
    reports = MEMBERSHIP * sum(bool(group.also_port) for group in groups)
    datagrams = max(1, links) * (questions + reports)
    named = asked.meet(scope.networks).named6().meet(targets)
    singles = named.size
    arp += named.meet(on_link).size * KERNEL_ARP * bool(doors)
    connects = knocked * doors + (behind.minus(bare).size + singles) * doors * pace.rounds
    sweeping = (
        arp / pace.arp_per_s
        + (syns + echoes + datagrams) / pace.packets_per_s
        + connects / pace.connects_per_s
        + (SILENCE_S * pace.rounds if four or singles else 0)
    )
    # groups are asked while others are swept
    duration = max(sweeping, discovery_s(pace, questions)) + (LISTEN_S if groups else 0)
    return Plan(
        scope=scope,
        targets=targets,
        sweeps=tuple(sweep.name for sweep in sweeps),
        probes=tuple(probe.name for probe in probes),
        refused=(
            *_refusals(scope, asked, NEIGHBOURS if "ndp" in kinds else NO_NEIGHBOURS),
            *(Refusal(f"{sweep.name} (UDP {sweep.port})", NO_PORT) for sweep in shut),
        ),
        packets=arp + syns + echoes + datagrams + connects,
        duration_s=round(duration, 1),
        behind=len(_allowed(scope, knocks)) if here else 0,
    )


def discovery_s(pace: Pace, questions: int) -> float:
    """Tell how long it takes until the last of so many questions to a segment may go."""
    most = math.floor(pace.discovery_per_30s) if pace.discovery_per_30s < math.inf else 0
    return (questions - 1) // most * SPAN_S if most and questions else 0.0


def _reaches(sweep: Sweep, ours: AddressSet) -> bool:
    """Tell whether a group is asked on our links: an IPv6 one where IPv6 addresses are scoped."""
    return bool(ours.of_version(6) if ":" in sweep.group else ours)


def _times(sweep: Sweep, pace: Pace, ours: AddressSet) -> int:
    """Bound how often a link is asked: all IPv6 neighbours, once from each address of ours."""
    from_each = MOST_SOURCES6 if sweep.kind == "ndp" and ours.of_version(6) else 1
    return sweep.times(pace) * from_each


def _allowed(scope: Scope, ports: Sequence[int]) -> frozenset[int]:
    """Give those of the ports that the scope lets us touch."""
    return frozenset(ports) & scope.ports - scope.never


def _refusals(scope: Scope, asked: AddressSet, unswept: str) -> list[Refusal]:
    excluded = asked.meet(scope.excluded)
    outside = asked.minus(scope.networks).minus(scope.excluded)
    six = asked.meet(scope.networks).of_version(6)
    swept = six.minus(six.named6())
    said = (
        (excluded, "excluded by the scope"),
        (outside, "outside the authorised networks"),
        (swept, unswept),
    )
    return [Refusal(_listed(part), reason) for part, reason in said if part]


def _listed(part: AddressSet) -> str:
    """Write a set of addresses; what does not fit is counted, not left out."""
    blocks = part.cidrs()
    more = len(blocks) - SHOWN
    return ", ".join(blocks[:SHOWN]) + (f" and {more} more networks" if more > 0 else "")
