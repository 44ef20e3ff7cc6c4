"""Everything that an officer signs beside the findings, filled from one assessment."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from auditor.model.annex import (
    Annex,
    Annexes,
    AnnexItem,
    AnswerRow,
    AnswerTotal,
    Element,
    RemovalRow,
)
from auditor.model.decision import Decision
from auditor.model.device import Assessed
from auditor.model.identity import TRAITS
from auditor.model.policy import Finding, Verdict
from auditor.policy.clocks import clocks
from auditor.policy.decisions import decided_by_persons
from auditor.policy.exemptions import exception_rows
from auditor.policy.judge import verdict_of
from auditor.policy.pack import Blank, Form, Pack
from auditor.policy.records import UNKNOWN, owner_type
from auditor.policy.removals import burn_down, removal_rows
from auditor.policy.ties import known
from auditor.policy.worksheet import question_rows

# how officers write that a device hangs on no network
_APART = frozenset({"none", "no", "not connected", "isolated", "offline", "aucun", "aucune",
                    "non", "non relié", "isolé", "hors ligne"})  # fmt: skip


def annexes_of(
    assessed: Sequence[Assessed],
    findings: Sequence[Finding],
    packs: Sequence[Pack],
    decisions: Sequence[Decision],
    today: date,
    zone: str = "UTC",
    *,
    organisation: Mapping[str, str] | None = None,
    site_facts: Mapping[str, Mapping[str, str]] | None = None,
    now: datetime | None = None,
) -> Annexes:
    """Fill every annex, register and table of a report; the same arguments as `judge`."""
    known_of_us = organisation or {}
    told = decided_by_persons(assessed, decisions)
    must_go = [f.device for f in findings if Verdict.NONCONFORMING in {f.verdict, f.judged}]
    removals = removal_rows(decisions, told, must_go)
    answers = answer_rows(told, removals, known_of_us.get("name", ""))
    return Annexes(
        clocks=clocks(findings, today),
        annexes=tuple(
            form_of(pack, form, findings, told, site_facts or {})
            for pack in packs
            for form in pack.raw.form
            if not known_of_us.get("clause") or form.variant in {"", known_of_us["clause"]}
        ),
        answers=answers,
        totals=answer_totals(answers),
        exceptions=exception_rows(decisions, assessed, today, zone, now),
        removals=removals,
        burn_down=burn_down(removals, told, today),
        questions=question_rows(findings, told),
    )


def form_of(
    pack: Pack,
    form: Form,
    findings: Iterable[Finding],
    assessed: Iterable[Assessed],
    site_facts: Mapping[str, Mapping[str, str]],
) -> Annex:
    """Fill one form for every device whose findings put it there; exempted ones stay on it."""
    wanted: dict[str, list[Finding]] = {}
    for finding in findings:
        stands = finding.judged is None or finding.exempted_by is not None
        if finding.pack == pack.id and finding.reason in form.on and stands:
            wanted.setdefault(finding.device, []).append(finding)
    items = tuple(
        _item(one, form, wanted[one.device.id], site_facts.get(one.device.site, {}))
        for one in assessed
        if one.device.id in wanted
    )
    return Annex(
        form.id,
        pack.id,
        pack.version,
        form.title,
        form.intro,
        form.citation.en,
        items,
        pack.raw.unconfirmed,
        form.citation.fr,
    )


def _item(
    assessed: Assessed, form: Form, findings: Sequence[Finding], site: Mapping[str, str]
) -> AnnexItem:
    due = tuple(dict.fromkeys(due for finding in findings for due in finding.due))
    return AnnexItem(
        assessed.device.id,
        assessed.device.site,
        verdict_of(findings),
        tuple(_element(assessed, blank, site) for blank in form.element),
        due,
    )


def _element(assessed: Assessed, blank: Blank, site: Mapping[str, str]) -> Element:
    for source in blank.source:
        if value := _value(assessed, source, site):
            return Element(blank.key, blank.label, value, blank.required, source)
    return Element(blank.key, blank.label, None, blank.required)


def _value(assessed: Assessed, source: str, site: Mapping[str, str]) -> str | None:
    if source in TRAITS:
        return known(getattr(assessed.identity, source))
    if source.startswith("site."):
        return site.get(source.removeprefix("site."))
    return (assessed.device.recorded(source) or "").strip() or None


def answer_rows(
    assessed: Iterable[Assessed], removals: Iterable[RemovalRow], organisation: str
) -> tuple[AnswerRow, ...]:
    """Give the table that parliaments and access requests ask for, one device a row."""
    gone = {
        row.device: row.steps[-1].day.isoformat() for row in removals if row.state == "disposed"
    }
    rows = [_answer(one, gone.get(one.device.id), organisation) for one in assessed]
    return tuple(sorted(rows, key=lambda r: (r.organisation, r.site, r.device_class, r.device)))


def _answer(assessed: Assessed, gone: str | None, organisation: str) -> AnswerRow:
    device, identity = assessed.device, assessed.identity
    said = {
        name: (device.recorded(f"asset.{name}") or "").strip() or None
        for name in ("organisation", "owner_type", "network_exposure", "acquired", "removed",
                     "replacement", "privacy_assessment")
    }  # fmt: skip
    return AnswerRow(
        device=device.id,
        organisation=said["organisation"] or organisation,
        site=device.site,
        device_class=known(identity.device_class) or UNKNOWN,
        owner_type=owner_type(said["owner_type"]),
        connected=_connected(assessed, said["network_exposure"], gone),
        maker=known(identity.maker),
        brand=known(identity.brand),
        model=known(identity.model),
        bought=said["acquired"],
        removed=gone or said["removed"],
        replacement=said["replacement"],
        privacy_assessment=said["privacy_assessment"],
    )


def _connected(assessed: Assessed, exposure: str | None, gone: str | None) -> str:
    """Tell whether it is connected: what answered is, what nobody heard may be."""
    if gone or (exposure and exposure.casefold() in _APART and not assessed.device.on_wire):
        return "no"
    return "yes" if assessed.device.on_wire else UNKNOWN


def answer_totals(rows: Iterable[AnswerRow]) -> tuple[AnswerTotal, ...]:
    """Count the rows by organisation, site, class, owner type and connection."""
    counts = Counter(
        (r.organisation, r.site, r.device_class, r.owner_type, r.connected) for r in rows
    )
    return tuple(AnswerTotal(*key, count) for key, count in sorted(counts.items()))
