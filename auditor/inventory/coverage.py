"""What was looked at and what was not, per network and per address; pure.

Silence is not absence: an address that gave no answer is listed as not assessed. It does
not make a visit incomplete where we stood on the segment itself, because an IPv4 host there
must answer ARP (RFC 826) to take part at all; across a router silence may be a firewall,
and the visit is incomplete (docs/decisions/0004). So it is where replies to a group came and
could not be read: whoever sent them is not known; and where nobody of another network could have
been heard. A reply to a group that names an address at
which nobody answers says nothing of that address: it stays silent (docs/decisions/0019).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from auditor.model.address import AddressSet, Range
from auditor.model.coverage_note import (
    DEAF,
    DROPPED,
    OFF_LINK,
    SEGMENT,
    Note,
    ranges,
    read_note,
)
from auditor.model.device import Coverage, Gap, Reach, SubnetCoverage, Unheard
from auditor.model.observation import Attempt, Origin, Outcome, Run, StoredAttempt
from auditor.model.scope import excluded_later

ON_LINK = ("arp", "ndp")  # sweeps that a host on the segment cannot help answering


class _Tally:
    """What one run's attempts in one network add up to, while they stream by."""

    def __init__(self, run: Run, network: str, excluded: AddressSet) -> None:
        self.run = run
        self.network = network
        self.whole = AddressSet.parse([network])
        self.excluded = excluded
        self.present: set[str] = set()
        self.told: set[str] = set()
        self.claimed: dict[str, set[str]] = defaultdict(set)  # by tool: addresses, in datagrams
        self.groups: set[str] = set()  # tools that ask everybody at once
        self.near_silent = AddressSet()  # gave a sweep on the segment no answer
        self.tools: dict[str, Counter[Outcome]] = defaultdict(Counter)
        self.put_off: dict[str, AddressSet] = {}  # by tool: what it could not ask until now
        self.asked = self.silent = self.proxy = self.left = self.on_link = AddressSet()
        self.asked6 = AddressSet()  # IPv6 networks whose neighbours were asked, all at once
        self.unread = 0  # replies to a group, on a segment that this network lies on
        self.deaf = AddressSet()  # segments on which answers from other networks were not heard
        self.barred: dict[str, AddressSet] = {}  # what a router said: of which addresses
        self.by: dict[str, None] = {}  # from where it was looked, in order
        self.why = ""
        self.last: datetime | None = None

    def count(self, attempt: Attempt, presence: frozenset[str]) -> None:
        """Take one attempt in."""
        ip, outcome = attempt.endpoint.ip, attempt.outcome
        self.last = max(self.last or attempt.started, attempt.started)
        if ip is None:
            note = read_note(attempt.detail)
            if note:
                self._note(attempt.tool, note)
                if outcome is Outcome.NOT_TRIED and note.value("group"):
                    self.tools[attempt.tool][outcome] += 1
        elif attempt.origin is Origin.WIRE and ip in self.whole:
            self.tools[attempt.tool][outcome] += 1
            if attempt.endpoint.transport == "udp" and outcome.is_knowledge:
                self.claimed[attempt.tool].add(ip)  # until it is known who was asked
                return
            if outcome.is_knowledge or outcome is Outcome.GARBLED:
                self.present.add(ip)
            if outcome.is_knowledge and attempt.tool not in presence:
                self.told.add(ip)

    def _note(self, tool: str, note: Note) -> None:
        asked = note.asked.meet(self.whole)
        silent, left = note.silent.meet(asked), note.left.meet(asked)
        barred = note.barred.meet(asked)
        self.tools[tool][Outcome.SILENT] += silent.size + barred.size
        before = self.put_off.get(tool, AddressSet())  # a resumed run asks these again
        self.put_off[tool] = before.minus(asked).join(left)
        self.tools[tool][Outcome.NOT_TRIED] += self.put_off[tool].size - before.size
        self.asked = self.asked.join(asked)
        self.silent = self.silent.join(silent)
        self.proxy = self.proxy.join(note.proxy.meet(asked))
        self.left = self.left.join(left)
        near = (note.value("neighbours") or "").split(",")
        self.asked6 = self.asked6.join(AddressSet.parse(filter(None, near)))
        if dropped := _dropped(note):
            unread = dropped if ranges(note, SEGMENT).meet(self.whole) else 0
            self.unread += unread
            self.tools[tool][Outcome.NOT_TRIED] += unread
        segment = ranges(note, SEGMENT).of_version(4)  # IPv6 knows no such filter
        if note.value(DEAF) and segment.meet(self.whole):
            self.deaf = self.deaf.join(segment)
        why = note.value("why") or ""
        if barred:
            self.barred[why] = self.barred.get(why, AddressSet()).join(barred)
        else:
            self.why = why or self.why
        if asked and (by := note.value("by")):
            self.by[by] = None
        if note.value("group"):
            self.groups.add(tool)
        if tool in ON_LINK:
            self.on_link = self.on_link.join(asked.minus(left))
            self.near_silent = self.near_silent.join(silent)

    def settle(self, presence: frozenset[str]) -> None:
        """Take in who was told of in datagrams, unless nobody at all answers there."""
        for tool in sorted(self.claimed, key=lambda tool: tool in self.groups):
            told = self.claimed[tool]
            if tool in self.groups:
                told = {ip for ip in told if ip in self.present or ip not in self.near_silent}
            self.present |= told
            self.told |= set() if tool in presence else told
        self.claimed.clear()


def coverage(
    runs: Iterable[Run], attempts: Iterable[StoredAttempt], presence: frozenset[str]
) -> Coverage:
    """Add up the newest scan of every network, and what the newest listening to it missed.

    presence: tools whose answer says only that somebody is there (ARP, SYN, connect …).
    """
    kept = list(runs)
    tallies = {run.id: list(_tallies(run)) for run in kept if run.kind == "scan"}
    missed = {run.id: 0 for run in kept if run.kind == "listen"}
    off_link: dict[str, AddressSet] = {}
    for stored in attempts:
        for tally in tallies.get(stored.run, ()):
            tally.count(stored.attempt, presence)
        if stored.run in missed and stored.attempt.endpoint.ip is None:
            note = read_note(stored.attempt.detail)
            missed[stored.run] += _dropped(note)
            if away := ranges(note, OFF_LINK):
                off_link[stored.run] = away
    for mine in tallies.values():
        for tally in mine:
            tally.settle(presence)
    newest: dict[tuple[str, str], _Tally] = {}
    everyone = (tally for mine in tallies.values() for tally in mine)
    for tally in sorted(everyone, key=lambda tally: (tally.run.started, tally.run.id)):
        newest[tally.run.site, tally.network] = tally
    subnets = tuple(_subnet(newest[key]) for key in sorted(newest))
    for tally in newest.values():  # a scan has its own account of what it looked at
        for run in kept:
            if run.site == tally.run.site and run.id in off_link:
                off_link[run.id] = off_link[run.id].minus(tally.whole)
    unheard = (*_unheard(kept, missed, off_link), *_deaf(newest.values()))
    return Coverage(subnets, unheard=unheard)


def _deaf(tallies: Iterable[_Tally]) -> Iterable[Unheard]:
    deaf: dict[str, tuple[Run, AddressSet]] = {}
    for tally in tallies:
        before = deaf.get(tally.run.id, (tally.run, AddressSet()))[1]
        if tally.deaf:
            deaf[tally.run.id] = tally.run, before.join(tally.deaf)
    for run, segments in (deaf[key] for key in sorted(deaf)):
        yield Unheard(run.site, run.id, run.started, deaf=segments.texts())


def _unheard(
    runs: Iterable[Run], missed: Mapping[str, int], off_link: Mapping[str, AddressSet]
) -> Iterable[Unheard]:
    newest: dict[tuple[str, str], Run] = {}
    for run in sorted(runs, key=lambda run: (run.started, run.id)):
        if run.id in missed:
            newest |= {(run.site, tally.network): run for tally in _tallies(run)}
    for run in sorted({run.id: run for run in newest.values()}.values(), key=lambda run: run.id):
        away = off_link.get(run.id, AddressSet()).texts()
        if missed[run.id] or away:
            yield Unheard(run.site, run.id, run.started, missed[run.id], away)


def _dropped(note: Note | None) -> int:
    said = note.value(DROPPED) or "" if note else ""
    return int(said) if said.isdecimal() else 0


def _tallies(run: Run) -> Iterable[_Tally]:
    said: Mapping[str, object] = json.loads(run.scope) if run.scope else {}
    excluded = AddressSet.parse(_texts(said.get("excluded"))).join(excluded_later(run.notes))
    for network in _texts(said.get("networks")):
        yield _Tally(run, network, excluded)


def _subnet(tally: _Tally) -> SubnetCoverage:
    whole, run = tally.whole, tally.run
    present = AddressSet.single(tally.present)
    assessed = AddressSet.single(tally.told).minus(tally.excluded)
    rest = whole.minus(assessed)
    gaps: list[Gap] = []

    def take(reach: Reach, part: AddressSet, detail: str = "") -> None:
        nonlocal rest
        found = rest.meet(part)
        if found:
            gaps.append(Gap(found.texts(), reach, found.size, detail))
            rest = rest.minus(found)

    take(Reach.EXCLUDED, tally.excluded)
    take(Reach.PROXY, tally.proxy.minus(present))
    take(Reach.PRESENT_ONLY, present)
    take(Reach.NOT_REACHED, tally.left, tally.why)
    for why, part in tally.barred.items():
        take(Reach.NOT_REACHED, part, why)
    for why, part in tally.barred.items():
        # routers say so of few addresses a second: the rest of the /24 is silent, and this is why
        near = AddressSet.of(_block(piece) for piece in part.ranges)
        take(Reach.SILENT, tally.silent.meet(near), f"{why}, of other addresses nearby")
    take(Reach.SILENT, tally.silent.join(tally.asked.minus(tally.left)))
    take(Reach.NOT_REACHED, whole, tally.why or _unasked(tally))
    open_ends = {Reach.PROXY, Reach.PRESENT_ONLY, Reach.NOT_REACHED}
    silent = AddressSet.parse(
        text for gap in gaps if gap.reach is Reach.SILENT for text in gap.ranges
    )
    return SubnetCoverage(
        site=run.site,
        network=tally.network,
        addresses=whole.size,
        started=run.started,
        ended=run.ended or tally.last,
        vantage=", ".join(tally.by) or run.vantage,
        assessed=assessed.size,
        tools=tuple(
            (tool, tuple(sorted((o, n) for o, n in counts.items() if n)))
            for tool, counts in sorted(tally.tools.items())
        ),
        gaps=tuple(gaps),
        complete=run.status == "complete"
        and not any(gap.reach in open_ends for gap in gaps)
        and not silent.minus(tally.on_link)
        and not tally.unread
        and not tally.deaf,
        run=run.id,
    )


def _block(piece: Range) -> Range:
    """Widen a range to whole /24s (IPv6: /120s)."""
    return Range(piece.version, piece.first & ~255, piece.last | 255)


def _unasked(tally: _Tally) -> str:
    whole, status = tally.whole, tally.run.status
    if whole.meet(tally.asked6):
        return "an IPv6 network is not swept; only neighbours that answered are known"
    if any(piece.version == 6 for piece in whole.ranges):
        return "an IPv6 network is not swept, and nobody asked its neighbours from here"
    return f"the scan ended as {status}" if status != "complete" else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()
