"""What attempts already tell, so that it need not be asked again: of ports, and of a whole run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from auditor.model.address import AddressSet
from auditor.model.coverage_note import (
    INCIDENT,
    LEFT_ALONE,
    NOT_YET,
    NOTHING,
    RESET,
    SPENT,
    notes,
    read_note,
)
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome


@dataclass(frozen=True, slots=True)
class Past:
    """How earlier questions to one host ended; each as (tool, transport, port).

    resets: how often it broke off in mid-reply. answered_on: the port of its last answer.
    """

    refused: frozenset[tuple[str, str, int]] = frozenset()
    told: frozenset[tuple[str, str, int]] = frozenset()
    resets: int = 0
    answered_on: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What an earlier, interrupted part of this run already knows (see `settled`).

    asked: (ip, tool, port) that need not be asked again. swept: per sweep, the addresses that
    are settled. present: who was there, and what was seen of them. told: by which tool of which
    endpoints. hurt: who was left alone because it seemed to suffer (why; whose last attempt says
    that it has still to be looked at again), left: the questions that it was spared, as `asked`.
    past: per host, how questions ended.
    """

    asked: frozenset[tuple[str, str, int]] = frozenset()
    swept: Mapping[str, AddressSet] = field(default_factory=dict)
    present: Mapping[str, tuple[Observation, ...]] = field(default_factory=dict)
    scans: tuple[Attempt, ...] = ()  # what tells of ports that are open or not
    told: frozenset[tuple[str, Endpoint]] = frozenset()
    hurt: Mapping[str, Attempt] = field(default_factory=dict)
    left: frozenset[tuple[str, str, int]] = frozenset()
    past: Mapping[str, Past] = field(default_factory=dict)


class Doors:
    """Which ports a sweep has already asked of every host, and which of them were open."""

    def __init__(self) -> None:
        self.open: set[tuple[str, int]] = set()
        self.asked: list[tuple[AddressSet, frozenset[int]]] = []

    def note(self, attempts: Iterable[Attempt]) -> None:
        """Learn from the attempts of a sweep whose note says which ports it scanned."""
        for attempt in attempts:
            end, note = attempt.endpoint, None
            if end.ip is None and (note := read_note(attempt.detail)):
                ports = note.value("scanned") or ""
                if found := frozenset(map(int, filter(None, ports.split(",")))):
                    self.asked.append((note.asked, found))
            elif end.ip and end.port and attempt.outcome is Outcome.ANSWERED:
                self.open.add((end.ip, end.port))

    def shut(self, ip: str) -> frozenset[int]:
        """Give the ports of a host that were asked and did not open."""
        asked = (port for hosts, ports in self.asked if ip in hosts for port in ports)
        return frozenset(port for port in asked if (ip, port) not in self.open)


def settled(attempts: Iterable[Attempt]) -> Done:
    """Say what a run that was interrupted need not do again, from the attempts it left."""
    kept = [a for a in attempts if a.origin is Origin.WIRE]
    asked: set[tuple[str, str, int]] = set()
    left: set[tuple[str, str, int]] = set()
    present: dict[str, list[Observation]] = {}
    for attempt in kept:
        ip = attempt.endpoint.ip
        if ip and (attempt.detail.startswith(LEFT_ALONE) or SPENT in attempt.detail):
            left.add((ip, attempt.tool, attempt.endpoint.port))
        if ip is None or attempt.outcome in {Outcome.NOT_TRIED, Outcome.CRASHED}:
            continue
        asked.add((ip, attempt.tool, attempt.endpoint.port))
        if attempt.outcome.is_knowledge or attempt.observations:
            present.setdefault(ip, []).extend(attempt.observations)
    swept: dict[str, AddressSet] = {}
    for attempt, note in notes(kept):
        swept[attempt.tool] = swept.get(attempt.tool, NOTHING).join(note.asked.minus(note.left))
    scanning = {attempt.tool for attempt, note in notes(kept) if note.value("scanned")}
    there = {ip: tuple(seen) for ip, seen in present.items()}
    scans = tuple(a for a in kept if a.tool in scanning)
    told = frozenset((a.tool, a.endpoint) for a in kept if a.endpoint.ip)
    hurt = {a.endpoint.ip: a for a in kept if a.tool == INCIDENT and a.endpoint.ip}
    return Done(frozenset(asked), swept, there, scans, told, hurt, frozenset(left), _past(kept))


def _past(kept: Iterable[Attempt]) -> dict[str, Past]:
    past: dict[str, Past] = {}
    for attempt in kept:
        end, outcome = attempt.endpoint, attempt.outcome
        if not end.ip or not end.port:
            continue
        was, question = (
            past.get(end.ip, Past()),
            frozenset({(attempt.tool, end.transport, end.port)}),
        )
        spoke = end.transport == "tcp" and (outcome.is_knowledge or outcome is Outcome.GARBLED)
        past[end.ip] = Past(
            was.refused | (question if outcome is Outcome.REFUSED else frozenset()),
            was.told | (question if attempt.observations else frozenset()),
            was.resets + attempt.detail.startswith(RESET),
            end.port if spoke else was.answered_on,
        )
    return past


def looked_at(incident: Attempt) -> bool:
    """Tell whether a host was looked at again after its incident."""
    return not incident.detail.endswith(NOT_YET)
