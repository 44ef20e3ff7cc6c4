"""The straight line: facts → devices → identities → findings → report. One screen each.

From the ledger's facts on everything is a pure function of its arguments; the day and the
moment are two of them.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from auditor import __version__
from auditor.identify.correlate import correlate
from auditor.identify.identify import identify
from auditor.identify.knowledge import Knowledge
from auditor.identify.meant import meant
from auditor.inventory.coverage import coverage as covered
from auditor.inventory.reconcile import reconcile
from auditor.model.data_version import DataVersion
from auditor.model.decision import Decision
from auditor.model.device import Assessed, Coverage
from auditor.model.observation import Run, StoredAttempt
from auditor.model.policy import Finding, Relation, Relations
from auditor.model.report import RawBytes, Report, Snapshot
from auditor.policy.annexes import annexes_of
from auditor.policy.decisions import decided_by_persons
from auditor.policy.judge import judge
from auditor.policy.pack import Pack
from auditor.policy.packs import summary

MOST_RAWS = 20_000  # pieces of raw evidence that a report carries with it


class Facts(Protocol):
    """What a ledger is asked for; `auditor.store.ledger.Ledger` answers it."""

    def runs(self, site: str | None = None) -> tuple[Run, ...]:
        """Give the visits, oldest first."""

    def attempts(
        self, *, site: str | None = None, after: int = 0, run: str | None = None
    ) -> Iterable[StoredAttempt]:
        """Give the attempts in the order of the chain."""

    def decisions(self) -> tuple[Decision, ...]:
        """Give the officers' decisions in the order of the chain."""

    def head(self) -> tuple[int, str]:
        """Give how many facts there are and the hash of the last one."""

    def raw(self, sha256: str) -> bytes | None:
        """Give kept bytes by their hash."""

    def site_facts(self, site: str) -> dict[str, str]:
        """Give what officers recorded of a site."""

    def organisation_facts(self) -> dict[str, str]:
        """Give what officers recorded of the organisation."""


@dataclass(frozen=True, slots=True)
class When:
    """The day that is judged by, and the zone it is a day of."""

    as_of: date
    zone: str

    def moment(self, runs: Iterable[Run], decisions: Iterable[Decision]) -> datetime:
        """Give the moment of the newest fact, within that day: no wall clock is asked.

        So the same ledger gives the same report, byte for byte, whenever it is rendered.
        """
        start = datetime.combine(self.as_of, time(), ZoneInfo(self.zone))
        end = datetime.combine(self.as_of, time(23, 59, 59), ZoneInfo(self.zone))
        facts = [run.ended or run.started for run in runs] + [d.at for d in decisions]
        return min(max([start, *facts]), end).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that was concluded from one state of the ledger."""

    devices: tuple[Assessed, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage
    runs: tuple[Run, ...]
    decisions: tuple[Decision, ...]
    packs: tuple[Pack, ...]
    versions: tuple[DataVersion, ...]
    relations: Relations
    snapshot: Snapshot
    moment: datetime


def assess(
    facts: Facts,
    knowledge: Knowledge,
    packs: Sequence[Pack],
    when: When,
    presence: frozenset[str],
    organisation: Mapping[str, str] | None = None,
) -> Assessment:
    """Identify and judge everything in the ledger.

    presence: sweeps that say only that somebody is there. organisation: e.g. its kind.
    """
    runs, decisions = facts.runs(), facts.decisions()
    learned = _Learned(runs)
    known = dict(organisation or {}) | facts.organisation_facts()
    moment = when.moment(runs, decisions)
    seen = covered(runs, facts.attempts(), presence)
    devices = decided_by_persons(
        (
            Assessed(device, identify(device, knowledge))
            for device in correlate(learned.watch(facts.attempts()), decisions)
        ),
        decisions,
        partial(meant, makers=knowledge.makers),
    )
    relations = relations_of(knowledge)
    sites = sorted({assessed.device.site for assessed in devices})
    findings = judge(
        devices,
        packs,
        relations,
        decisions,
        seen,
        when.as_of,
        when.zone,
        site_facts={site: facts.site_facts(site) for site in sites},
        organisation=known,
        identified={a.device.id: found for a in devices if (found := learned.when(a))},
        now=moment,
    )
    versions = knowledge.versions(when.as_of)
    return Assessment(
        devices=devices,
        findings=findings,
        coverage=seen,
        runs=runs,
        decisions=decisions,
        packs=tuple(packs),
        versions=versions,
        relations=relations,
        snapshot=snapshot_of(facts, packs, versions, when),
        moment=moment,
    )


class _Learned:
    """Knows when the ledger learned of an attempt: when its run began, not what a list says.

    A reporting duty runs from the day on which the organisation identified a device.
    """

    def __init__(self, runs: Iterable[Run]) -> None:
        self._started = {run.id: run.started for run in runs}
        self._firsts: list[int] = []  # of each stretch of attempts of one run
        self._moments: list[datetime] = []

    def watch(self, attempts: Iterable[StoredAttempt]) -> Iterator[StoredAttempt]:
        """Pass attempts on, and note where each run's stretches begin."""
        before = ""
        for stored in attempts:
            if stored.run != before and stored.run in self._started:
                before = stored.run
                self._firsts.append(stored.seq)
                self._moments.append(self._started[before])
            yield stored

    def when(self, assessed: Assessed) -> datetime | None:
        """Give when the maker's first evidence came in; None where there is none."""
        attempts = [e.attempt for e in assessed.identity.maker.supporting if e.attempt]
        places = (bisect_right(self._firsts, attempt) - 1 for attempt in attempts)
        return min((self._moments[at] for at in places if at >= 0), default=None)


def relations_of(knowledge: Knowledge) -> dict[str, tuple[Relation, ...]]:
    """Give policy its view of the table of makers and brands, and of where they have their seat."""
    return {
        name: (
            *(
                Relation(
                    name=name,
                    to=row.to,
                    # a trade name is no company: what is sold under it is the maker's own product
                    type="own_brand"
                    if entity.kind == "brand" and row.type == "subsidiary"
                    else row.type,
                    valid_from=row.valid_from,
                    valid_to=row.valid_to,
                    confidence=row.source.confidence,
                    source=row.source.url,
                    scope=row.note,
                )
                for row in entity.relationship
            ),
            *((Relation(name, entity.country, "country"),) if entity.country else ()),
        )
        for name, entity in sorted(knowledge.makers.entities.items())
    }


def snapshot_of(
    facts: Facts, packs: Sequence[Pack], versions: Sequence[DataVersion], when: When
) -> Snapshot:
    """Name the state of everything that a conclusion rests on: facts, data, packs, the day."""
    rows, head = facts.head()
    rests_on = {
        "head": head,
        "as_of": when.as_of.isoformat(),
        "zone": when.zone,
        "data": [(version.name, version.sha256) for version in versions],
        "packs": [(pack.id, pack.sha256) for pack in packs],
    }
    digest = hashlib.sha256(json.dumps(rests_on, sort_keys=True).encode()).hexdigest()
    return Snapshot(digest[:32], head, rows, when.as_of, when.zone)


@dataclass(frozen=True, slots=True)
class Cover:
    """What stands on the cover of a report."""

    organisation: str = ""
    marking: str = ""
    prepared_by: str = ""


def report(facts: Facts, found: Assessment, when: When, cover: Cover) -> Report:
    """Freeze everything that a format may say."""
    sites = sorted({assessed.device.site for assessed in found.devices})
    return Report(
        generated=found.moment,
        tool_version=__version__,
        snapshot=found.snapshot,
        organisation=cover.organisation,
        sites=tuple(
            sorted({a.device.site for a in found.devices} | {run.site for run in found.runs})
        ),
        runs=found.runs,
        coverage=found.coverage,
        packs=tuple(summary(pack, when.as_of) for pack in found.packs),
        devices=found.devices,
        findings=found.findings,
        data_versions=found.versions,
        decisions=found.decisions,
        reconciliation=reconcile(found.devices, found.coverage),
        raws=tuple(_raws(facts, found)),
        marking=cover.marking,
        prepared_by=cover.prepared_by,
        warnings=tuple(_warnings(found, when)),
        annexes=annexes_of(
            found.devices,
            found.findings,
            found.packs,
            found.decisions,
            when.as_of,
            when.zone,
            organisation={"name": cover.organisation} | facts.organisation_facts(),
            site_facts={site: facts.site_facts(site) for site in sites},
            now=found.moment,
        ),
    )


def _raws(facts: Facts, found: Assessment) -> Iterable[RawBytes]:
    """Give the bytes behind the evidence of findings, each once, in order of their hash."""
    named = {
        evidence.raw_sha256
        for finding in found.findings
        for evidence in finding.evidence
        if evidence.raw_sha256
    }
    for sha256 in sorted(named)[:MOST_RAWS]:
        data = facts.raw(sha256)
        if data is not None:
            yield RawBytes(sha256, data)


def _warnings(found: Assessment, when: When) -> Iterable[str]:
    """Name the keys of warnings that every report prints (see reports/words)."""
    for version in found.versions:
        if version.stale:
            yield f"stale_data:{version.name}:{version.age_days}"
    for pack in found.packs:
        if when.as_of > pack.raw.review_by:
            yield f"pack_overdue:{pack.id}:{pack.raw.review_by.isoformat()}"
