"""What attempts already tell, so that it need not be asked again: of ports, and of a whole run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.model.address import AddressSet
from auditor.model.coverage_note import (
    INCIDENT,
    LEFT_ALONE,
    NOTHING,
    RESET,
    SPENT,
    notes,
    read_note,
)
from auditor.model.observation import Attempt, Observation, Origin, Outcome


@dataclass(frozen=True, slots=True)
class Health:
    """How a host has borne being asked, and what it need not be asked therefore.

    refused: transports and ports that refused a tool; told: ports on which a tool was told
    something; both as (tool, transport, port). resets: in mid-reply. suspect: why it is left alone; None while it is not. answered_on: the
    TCP port that answered last. asked_last: tool and port. seen_again: it was looked at once
    more, and that is recorded.
    """

    refused: frozenset[tuple[str, str, int]] = frozenset()
    told: frozenset[tuple[str, str, int]] = frozenset()
    resets: int = 0
    suspect: str | None = None
    answered_on: int | None = None
    asked_last: str = ""
    seen_again: bool = False


WELL = Health()


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
    health: Mapping[str, Health] = field(default_factory=dict)  # by address


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
                self.asked.append((note.asked, frozenset(map(int, filter(None, ports.split(","))))))
            elif end.ip and end.port and attempt.outcome is Outcome.ANSWERED:
                self.open.add((end.ip, end.port))

    def shut(self, ip: str, port: int) -> bool:
        """Tell whether that port was asked and did not open."""
        return (ip, port) not in self.open and any(
            port in ports and ip in hosts for hosts, ports in self.asked
        )


def settled(attempts: Iterable[Attempt]) -> Done:
    """Say what a run that was interrupted need not do again, from the attempts it left."""
    kept = [a for a in attempts if a.origin is Origin.WIRE]
    asked: set[tuple[str, str, int]] = set()
    present: dict[str, list[Observation]] = {}
    for attempt in kept:
        ip = attempt.endpoint.ip
        if ip is None or attempt.outcome is Outcome.CRASHED or _to_be_tried(attempt):
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
    return Done(frozenset(asked), swept, there, scans, _healths(kept))


def _to_be_tried(attempt: Attempt) -> bool:
    """Tell whether a question was put off; who is left alone or was asked enough stays so."""
    said = attempt.detail
    for_good = said.startswith(LEFT_ALONE) or SPENT in said
    return attempt.outcome is Outcome.NOT_TRIED and not for_good


def _healths(attempts: Iterable[Attempt]) -> dict[str, Health]:
    """Say of every host what was noticed so far."""
    mine: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.endpoint.ip and attempt.outcome is not Outcome.CRASHED:
            mine.setdefault(attempt.endpoint.ip, []).append(attempt)
    healths = {ip: _health(some) for ip, some in mine.items()}
    return {ip: health for ip, health in healths.items() if health != WELL}


def _health(attempts: Sequence[Attempt]) -> Health:
    resets, suspect, answered_on, last, again = 0, None, None, "", False
    for attempt in attempts:
        port, outcome = attempt.endpoint.port, attempt.outcome
        if attempt.tool == INCIDENT:
            again = True
        elif attempt.detail.startswith(LEFT_ALONE):
            suspect = attempt.detail.removeprefix(LEFT_ALONE)
        elif port and outcome is not Outcome.NOT_TRIED:
            resets += attempt.detail.startswith(RESET)
            last = f"{attempt.tool} on port {port}"
            heard = outcome.is_knowledge or outcome is Outcome.GARBLED
            if attempt.endpoint.transport == "tcp" and heard:
                answered_on = port
    ends = [((a.tool, a.endpoint.transport, a.endpoint.port), a) for a in attempts]
    refused = frozenset(end for end, a in ends if a.outcome is Outcome.REFUSED)
    told = frozenset(end for end, a in ends if a.observations)
    return Health(refused, told, resets, suspect, answered_on, last, again)
