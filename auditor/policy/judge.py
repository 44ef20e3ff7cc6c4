"""Devices, officers' facts, packs, decisions and a day in; findings out. Nothing else matters.

Every rule of every pack says something of every device. Decisions change what a finding comes
to and never what was judged: that stays beside it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from auditor.model.decision import Decision, DecisionKind
from auditor.model.device import Assessed, Coverage
from auditor.model.policy import SEVERITY, Finding, Relations, Text, Verdict
from auditor.plugins import Answer, Case
from auditor.policy.clocks import dues
from auditor.policy.decisions import with_decisions
from auditor.policy.exemptions import holding
from auditor.policy.pack import Pack, Rule
from auditor.policy.records import UNKNOWN, owner_type
from auditor.policy.removals import Removal, removal_of
from auditor.policy.subjects import Register, speaks_of, standing, value_of
from auditor.policy.words import (
    EXEMPTED,
    NOT_BOUND,
    NOT_IN_FORCE,
    NOTHING,
    OVERRIDDEN,
    OWNED_BY,
    REAPPEARED,
    REMOVED,
    fill,
)

_RANK = {verdict: rank for rank, verdict in enumerate(SEVERITY)}
_OPEN = frozenset({Verdict.NONCONFORMING, Verdict.REVIEW, Verdict.UNDETERMINED})
_OWN = frozenset({"own", UNKNOWN})


@dataclass(frozen=True, slots=True)
class World:
    """What is the same for every device of one assessment."""

    relations: Relations
    coverage: Coverage
    today: date
    zone: str
    site_facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    organisation: Mapping[str, str] = field(default_factory=dict)
    identified: Mapping[str, datetime] = field(default_factory=dict)
    register: Register = field(default_factory=Register)
    exemptions: frozenset[str] = frozenset()  # ids of those that hold today


def judge(
    assessed: Sequence[Assessed],
    packs: Sequence[Pack],
    relations: Relations,
    decisions: Iterable[Decision],
    coverage: Coverage,
    today: date,
    zone: str = "UTC",
    *,
    site_facts: Mapping[str, Mapping[str, str]] | None = None,
    organisation: Mapping[str, str] | None = None,
    identified: Mapping[str, datetime] | None = None,
    now: datetime | None = None,
) -> tuple[Finding, ...]:
    """Judge every device under every rule, in the order of devices, packs and rules.

    site_facts: per site, e.g. {"HQ": {"sensitive": "yes"}}. organisation: e.g. {"kind":
    "ca_agency"}; without a kind the packs are taken to bind. identified: per device id, when
    its maker was first established (default: when it was first seen). now: the moment for
    exemptions of other time zones; without it, the start of `today` in `zone`.
    """
    world = world_of(
        assessed,
        relations,
        decisions,
        coverage,
        today,
        zone,
        site_facts=site_facts,
        organisation=organisation,
        identified=identified,
        now=now,
    )
    return tuple(findings_of(assessed, packs, world))


def world_of(
    assessed: Sequence[Assessed],
    relations: Relations,
    decisions: Iterable[Decision],
    coverage: Coverage,
    today: date,
    zone: str = "UTC",
    *,
    site_facts: Mapping[str, Mapping[str, str]] | None = None,
    organisation: Mapping[str, str] | None = None,
    identified: Mapping[str, datetime] | None = None,
    now: datetime | None = None,
) -> World:
    """Gather what is the same for every device. assessed: all, for the limits of exemptions."""
    active = standing(decisions)
    register = Register.of(active)
    return World(
        relations,
        coverage,
        today,
        zone,
        site_facts or {},
        organisation or {},
        identified or {},
        register,
        holding(active, register, assessed, today, zone, now) if active else frozenset(),
    )


def findings_of(
    assessed: Iterable[Assessed], packs: Sequence[Pack], world: World
) -> Iterator[Finding]:
    """Judge devices one by one, so that a million of them need not be held at once."""
    for device in assessed:
        yield from _of_device(device, packs, world)


def _of_device(assessed: Assessed, packs: Sequence[Pack], world: World) -> Iterator[Finding]:
    decisions = world.register.about(assessed)
    assessed = with_decisions(assessed, decisions)
    device = assessed.device
    removal = removal_of(assessed, world.register.about(assessed, anywhere=True))
    case = Case(
        assessed,
        world.coverage,
        world.today,
        world.identified.get(device.id, device.first_seen),
        world.site_facts.get(device.site, {}),
        world.organisation,
    )
    owner = owner_type(device.recorded("asset.owner_type"))
    for pack in packs:
        for rule in pack.rules:
            finding = _of_rule(pack, rule, case, world)
            if finding.verdict in _OPEN and owner not in _OWN:
                note = fill(OWNED_BY, (("owner", owner),))
                finding = replace(finding, consequence=_joined(finding.consequence, note))
            finding = _decided(finding, decisions, removal, world)
            if finding.judged in {None, finding.verdict} and pack.raw.duty:
                due = dues(pack, finding, case, decisions, world.zone)
                finding = replace(finding, due=due)
            yield finding


def _of_rule(pack: Pack, rule: Rule, case: Case, world: World) -> Finding:
    """Ask one rule, unless the instrument does not reach this organisation or this day."""
    kind = world.organisation.get("kind", "")
    if not pack.applies_on(case.today):
        facts = (("today", case.today.isoformat()), ("status", pack.raw.status))
        words = (fill(NOT_IN_FORCE, facts), NOTHING)
        answer = Answer(Verdict.NOT_APPLICABLE, "not_in_force")
    elif kind and pack.raw.binds.kinds and kind not in pack.raw.binds.kinds:
        words = (fill(NOT_BOUND, (("kind", kind),)), NOTHING)
        answer = Answer(Verdict.NOT_APPLICABLE, "not_bound")
    else:
        answer = rule.check.examine(case, rule.params, world.relations)
        said = rule.words[answer.reason]
        words = (fill(said.because, answer.facts), fill(said.consequence, answer.facts))
    maker = case.assessed.identity.maker
    return Finding(
        rule=rule.id,
        pack=pack.id,
        pack_version=pack.version,
        device=case.assessed.device.id,
        verdict=answer.verdict,
        because=words[0],
        consequence=words[1],
        citation=rule.citation.en,
        citation_fr=rule.citation.fr,
        evidence=(*maker.supporting, *maker.against) if maker.against else maker.supporting,
        ask=answer.ask,
        reason=answer.reason,
    )


def _joined(one: Text, other: Text) -> Text:
    return Text(one.en + other.en, one.fr + other.fr)


def _decided(
    finding: Finding, decisions: Sequence[Decision], removal: Removal | None, world: World
) -> Finding:
    """Apply what persons decided: an override, then an exemption, then a proved removal."""
    for decision in decisions:
        if not speaks_of(decision, finding.pack, finding.rule):
            continue
        if decision.kind is DecisionKind.VERDICT:
            finding = _overridden(finding, decision)
        elif decision.id in world.exemptions and finding.verdict in _OPEN:
            finding = _exempted(finding, decision)
    if removal and finding.verdict in _OPEN:
        facts = (("day", removal.day.isoformat()), ("id", removal.decision))
        if removal.reappeared:
            note = fill(REAPPEARED, facts)
            return replace(finding, because=_joined(finding.because, note))
        return replace(
            finding,
            verdict=Verdict.NOT_APPLICABLE,
            judged=finding.judged or finding.verdict,
            because=fill(REMOVED, facts),
            ask=(),
        )
    return finding


def _overridden(finding: Finding, decision: Decision) -> Finding:
    facts = (("by", decision.by), ("id", decision.id), ("reason", decision.reason))
    said = value_of(decision, "verdict")
    if said not in Verdict.__members__.values():
        return finding  # made by another program: shown with the decisions, applied never
    return replace(
        finding,
        verdict=Verdict(said),
        judged=finding.judged or finding.verdict,
        because=_joined(
            fill(OVERRIDDEN, facts), Text(f" — {finding.because.en}", f" — {finding.because.fr}")
        ),
        overridden_by=decision.id,
    )


def _exempted(finding: Finding, decision: Decision) -> Finding:
    expires = decision.expires.isoformat() if decision.expires else ""
    facts = (
        ("expires", expires),
        ("id", decision.id),
        ("by", decision.by),
        ("reason", decision.reason),
    )
    return replace(
        finding,
        verdict=Verdict.NOT_APPLICABLE,
        judged=finding.judged or finding.verdict,
        because=_joined(
            fill(EXEMPTED, facts), Text(f" — {finding.because.en}", f" — {finding.because.fr}")
        ),
        exempted_by=decision.id,
    )


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Give the worst verdict; of no finding at all, NOT_APPLICABLE."""
    return min(
        (finding.verdict for finding in findings),
        key=_RANK.__getitem__,
        default=Verdict.NOT_APPLICABLE,
    )


def verdicts(findings: Iterable[Finding]) -> dict[str, dict[str, Verdict]]:
    """Give the verdict per device id and pack id."""
    found: dict[str, dict[str, Verdict]] = {}
    for finding in findings:
        of_device = found.setdefault(finding.device, {})
        before = of_device.get(finding.pack, finding.verdict)
        of_device[finding.pack] = min(before, finding.verdict, key=_RANK.__getitem__)
    return found
