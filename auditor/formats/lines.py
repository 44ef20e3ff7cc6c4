"""A report seen device by device: verdicts joined to devices, sorted and counted.

Everything here is a pure function of the report; every format counts with the same counts.
"""

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from auditor.model.decision import Decision, DecisionKind
from auditor.model.device import Assessed, Gap, SubnetCoverage
from auditor.model.identity import Standing
from auditor.model.policy import SEVERITY, Finding, Question, Text, Verdict
from auditor.model.report import Report

ATTENTION = (Verdict.NONCONFORMING, Verdict.REVIEW, Verdict.UNDETERMINED)
_RANK = {verdict: rank for rank, verdict in enumerate(SEVERITY)}


@dataclass(frozen=True, slots=True)
class Line:
    """One device, what every pack says of it, and the most serious of it.

    anchor: its place in the pages, unique in the report. verdict: UNDETERMINED when no pack
    said anything, because nothing said is not conforming.
    """

    anchor: str
    assessed: Assessed
    verdict: Verdict
    by_pack: tuple[tuple[str, Verdict], ...]
    findings: tuple[Finding, ...]

    @property
    def address(self) -> str:
        """Give what people look a device up by: its first IP, else its first MAC."""
        device = self.assessed.device
        return next(iter((*device.ips, *device.macs, *device.hostnames)), device.id)

    @property
    def telling(self) -> tuple[Finding, ...]:
        """Give the findings worth a paragraph, the most serious first."""
        told = [f for f in self.findings if f.verdict is not Verdict.NOT_APPLICABLE]
        return tuple(sorted(told, key=lambda f: (_RANK[f.verdict], f.pack, f.rule)))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many devices have which verdict, and how many addresses nobody assessed."""

    verdicts: tuple[tuple[Verdict, int], ...]
    not_assessed: int = 0

    @property
    def devices(self) -> int:
        """Count the devices."""
        return sum(count for _, count in self.verdicts)

    def of(self, verdict: Verdict) -> int:
        """Count the devices with `verdict`."""
        return dict(self.verdicts)[verdict]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question put once, with the devices that wait for its answer."""

    field: str
    ask: Text
    who: Text
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Exemption:
    """A decision to tolerate, and what the day of the report makes of it.

    state: as in `ExceptionRow`. devices: how many it covers.
    """

    decision: Decision
    state: str
    devices: int
    problems: tuple[Text, ...] = ()


def verdicts(findings: Iterable[Finding]) -> dict[str, Verdict]:
    """Give the verdict per pack: the most serious of its findings."""
    found: dict[str, Verdict] = {}
    for finding in findings:
        before = found.get(finding.pack, Verdict.NOT_APPLICABLE)
        found[finding.pack] = min(before, finding.verdict, key=_RANK.__getitem__)
    return dict(sorted(found.items()))


def worst(found: Iterable[Verdict]) -> Verdict:
    """Give the most serious verdict; UNDETERMINED where nobody said anything."""
    return min(found, key=_RANK.__getitem__, default=Verdict.UNDETERMINED)


def lines(report: Report) -> tuple[Line, ...]:
    """Join devices and findings, sorted by site, seriousness and address."""
    findings: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        findings[finding.device].append(finding)
    said = {id(one): verdicts(findings.get(one.device.id, ())) for one in report.devices}
    order = sorted(report.devices, key=lambda one: _place(one, worst(said[id(one)].values())))
    shared: dict[tuple[tuple[str, Verdict], ...], tuple[tuple[str, Verdict], ...]] = {}
    drawn = []
    for at, assessed in enumerate(order, 1):
        by_pack = tuple(said.pop(id(assessed)).items())
        by_pack = shared.setdefault(by_pack, by_pack)
        own = tuple(findings.pop(assessed.device.id, ()))
        drawn.append(Line(f"d{at}", assessed, worst(v for _, v in by_pack), by_pack, own))
    return tuple(drawn)


def _place(assessed: Assessed, verdict: Verdict) -> tuple[str, int, int, int, str]:
    device = assessed.device
    try:
        first = ipaddress.ip_address(device.ips[0]) if device.ips else None
    except ValueError:  # an address that a redaction took away
        first = None
    number, version = (int(first), first.version) if first else (0, 9)
    return (device.site, _RANK[verdict], version, number, device.id)


def attention(drawn: Sequence[Line]) -> tuple[Line, ...]:
    """Give the devices that somebody must act on, the most serious first."""
    wanted = [line for line in drawn if line.verdict in ATTENTION]
    return tuple(sorted(wanted, key=lambda line: _RANK[line.verdict]))


def tally(drawn: Iterable[Line], gaps: Iterable[Gap] = ()) -> Tally:
    """Count devices by verdict and add up what was not assessed."""
    counted = Counter(line.verdict for line in drawn)
    return Tally(tuple((v, counted[v]) for v in SEVERITY), sum(gap.count for gap in gaps))


def by_site(report: Report, drawn: Sequence[Line]) -> tuple[tuple[str, Tally], ...]:
    """Count per site; a site without a device stands there with zeros."""
    grouped: dict[str, list[Line]] = {site: [] for site in report.sites}
    for line in drawn:
        grouped.setdefault(line.assessed.device.site, []).append(line)
    gaps: dict[str, list[Gap]] = defaultdict(list)
    for subnet in report.coverage.subnets:
        gaps[subnet.site] += subnet.gaps
        grouped.setdefault(subnet.site, [])
    return tuple((site, tally(found, gaps[site])) for site, found in sorted(grouped.items()))


def by_owner(drawn: Sequence[Line]) -> tuple[tuple[str, Tally], ...]:
    """Count per type of owner as the officers recorded it; empty where nobody did."""
    grouped: dict[str, list[Line]] = defaultdict(list)
    for line in drawn:
        grouped[line.assessed.device.recorded("asset.owner_type") or ""].append(line)
    return tuple((owner, tally(found)) for owner, found in sorted(grouped.items()))


def by_pack(report: Report, drawn: Sequence[Line]) -> tuple[tuple[str, Mapping[Verdict, int]], ...]:
    """Count the verdicts under each pack."""
    counted: dict[str, Counter[Verdict]] = {pack.id: Counter() for pack in report.packs}
    for line in drawn:
        for pack, verdict in line.by_pack:
            counted.setdefault(pack, Counter())[verdict] += 1
    return tuple((pack, {v: counted[pack][v] for v in SEVERITY}) for pack in sorted(counted))


def asked(drawn: Iterable[Line]) -> tuple[Asked, ...]:
    """Collect the open questions; one that several devices wait for is put once."""
    waiting: dict[Question, list[Line]] = defaultdict(list)
    for line in drawn:
        for question in dict.fromkeys(q for f in line.findings for q in f.ask):
            waiting[question].append(line)
    found = [Asked(q.field, q.ask, q.who, tuple(who)) for q, who in waiting.items()]
    return tuple(sorted(found, key=lambda one: (-len(one.lines), one.field, one.ask.en)))


def exemptions(report: Report) -> tuple[Exemption, ...]:
    """List every exemption, ended ones too: an exception is printed, never dropped."""
    kept = report.annexes.exceptions
    if kept:
        return tuple(Exemption(r.decision, r.state, len(r.devices), r.problems) for r in kept)
    withdrawn = {d.withdraws for d in report.decisions if d.kind is DecisionKind.WITHDRAWN}
    used = Counter(f.exempted_by for f in report.findings if f.exempted_by)
    given = [d for d in report.decisions if d.kind is DecisionKind.EXEMPTION]
    today = report.snapshot.as_of
    return tuple(
        Exemption(d, "withdrawn" if d.id in withdrawn else _state(d.expires, today), used[d.id])
        for d in sorted(given, key=lambda d: (d.expires or date.max, d.id))
    )


def _state(expires: date | None, today: date) -> str:
    left = (expires - today).days if expires else 0
    if expires is None or left > 30:
        return "active"
    if left < 0:
        return "expired"
    return "ends_very_soon" if left <= 7 else "ends_soon"


def gaps(report: Report) -> tuple[tuple[SubnetCoverage, Gap], ...]:
    """List everything that was not assessed, network by network."""
    return tuple((s, gap) for s in report.coverage.subnets for gap in s.gaps)


def unclassified(drawn: Iterable[Line]) -> int:
    """Count the devices on the wire whose maker stayed unknown."""
    return sum(
        line.assessed.device.on_wire and line.assessed.identity.standing is Standing.UNKNOWN
        for line in drawn
    )
