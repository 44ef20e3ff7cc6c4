"""What attempts already tell, so that it need not be asked again: of ports, and of a whole run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from auditor.model.address import AddressSet
from auditor.model.coverage_note import NOTHING, notes, read_note
from auditor.model.observation import Attempt, Observation, Origin, Outcome


@dataclass(frozen=True, slots=True)
class Done:
    """What an earlier, interrupted part of this run already knows (see `settled`).

    asked: (ip, tool, port) that need not be asked again. swept: per sweep, the addresses that
    are settled. present: who was there, and what was seen of them.
    """

    asked: frozenset[tuple[str, str, int]] = frozenset()
    swept: Mapping[str, AddressSet] = field(default_factory=dict)
    present: Mapping[str, tuple[Observation, ...]] = field(default_factory=dict)
    scans: tuple[Attempt, ...] = ()  # what tells of ports that are open or not


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
    present: dict[str, list[Observation]] = {}
    for attempt in kept:
        ip = attempt.endpoint.ip
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
    return Done(frozenset(asked), swept, there, scans)
