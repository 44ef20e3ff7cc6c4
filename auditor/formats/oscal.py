"""OSCAL assessment results and plan of action and milestones (NIST OSCAL 1.1, JSON).

A satisfied or unsatisfied objective is a finding. OSCAL has no state for "to review" or
"undetermined": these stand as an observation with a risk under investigation, never as a
finding. What was not assessed is an observation of its own.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from auditor.formats.lines import ATTENTION, Line, gaps, lines
from auditor.formats.saying import mac_codes
from auditor.formats.visible import visible
from auditor.model.policy import Finding, Verdict
from auditor.model.report import Report
from auditor.plugins import Format, Words, Written

VERSION = "1.1.2"
NAMESPACE = uuid.UUID("5d0ef5a5-9f6d-5d0e-8f5c-0d9f6f3a7c11")
_STATES = {
    Verdict.NONCONFORMING: {"state": "not-satisfied", "reason": "fail"},
    Verdict.CONFORMING: {"state": "satisfied", "reason": "pass"},
}
_NO_TOKEN = re.compile(r"[^A-Za-z0-9._-]")


def _id(report: Report, *parts: str) -> str:
    """Name a thing by what it is, so that the same snapshot gives the same identifiers."""
    return str(uuid.uuid5(NAMESPACE, "\x1f".join(map(visible, (report.snapshot.id, *parts)))))


def _line(text: str) -> str:
    return visible(text).strip() or "-"


def _token(text: str) -> str:
    return "_" + _NO_TOKEN.sub("-", text) if not text[:1].isalpha() else _NO_TOKEN.sub("-", text)


def _props(**values: str) -> list[dict[str, str]]:
    return [
        {"name": name.replace("_", "-"), "value": _line(value)}
        for name, value in values.items()
        if value
    ]


def _full(table: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is empty: OSCAL has no empty lists."""
    return {key: value for key, value in table.items() if value not in ([], {}, None, "")}


def _metadata(report: Report, title: str) -> dict[str, Any]:
    party = {
        "uuid": _id(report, "party"),
        "type": "organization",
        "name": _line(report.organisation),
    }
    return {
        "title": title,
        "last-modified": report.generated.isoformat(),
        "version": _line(report.snapshot.id),
        "oscal-version": VERSION,
        "props": _props(marking=report.marking, chain_head=report.snapshot.chain_head, tool_version=report.tool_version),
        "parties": [party],
    }  # fmt: skip


def _item(report: Report, line: Line) -> dict[str, Any]:
    device, identity = line.assessed.device, line.assessed.identity
    props = _props(
        device_id=device.id,
        site=device.site,
        ipv4_address=" ".join(ip for ip in device.ips if ":" not in ip),
        ipv6_address=" ".join(ip for ip in device.ips if ":" in ip),
        mac_address=" ".join(device.macs),
        mac_sources=mac_codes(device),
        vendor_name=identity.maker.value or "",
        brand=identity.brand.value or "",
        model=identity.model.value or "",
        serial_number=identity.serial.value or "",
        standing=identity.standing.value,
        verdict=line.verdict.value,
    )
    title = " ".join(filter(None, (identity.maker.value, identity.model.value, line.address)))
    return {"uuid": _id(report, "item", device.id), "description": _line(title), "props": props}


def _key(finding: Finding) -> tuple[str, ...]:
    return (finding.device, finding.pack, finding.rule)


def _observation(report: Report, line: Line, finding: Finding) -> dict[str, Any]:
    evidence = [
        _full({
            "description": _line(f"{piece.trait} {piece.claim}: {piece.field} = {piece.value}"),
            "props": _props(rule=piece.rule, strength=piece.strength.value, sha256=piece.raw_sha256 or ""),
        })
        for piece in finding.evidence
    ]  # fmt: skip
    device = line.assessed.device
    return _full({
        "uuid": _id(report, "observation", *_key(finding)),
        "description": _line(finding.because.en),
        "props": _props(pack=finding.pack, pack_version=finding.pack_version, rule=finding.rule, verdict=finding.verdict.value),
        "methods": ["TEST" if device.on_wire else "EXAMINE"],
        "types": ["finding"],
        "subjects": [{"subject-uuid": _id(report, "item", device.id), "type": "inventory-item"}],
        "relevant-evidence": evidence,
        "collected": device.last_seen.isoformat(),
        "remarks": _line(finding.because.fr),
    })  # fmt: skip


def _unlooked(report: Report) -> Iterator[dict[str, Any]]:
    for subnet, gap in gaps(report):
        yield {
            "uuid": _id(report, "gap", subnet.site, subnet.network, gap.reach.value, *gap.ranges),
            "title": "Not assessed",
            "description": _line(f"{subnet.site} {subnet.network}: {', '.join(gap.ranges)}"),
            "props": _props(reason=gap.reach.value, addresses=str(gap.count), detail=gap.detail),
            "methods": ["TEST"],
            "types": ["historic"],
            "collected": (subnet.ended or report.generated).isoformat(),
        }


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
    return _full({
        "uuid": _id(report, "finding", *_key(finding)),
        "title": _line(finding.because.en)[:240],
        "description": _line(f"{finding.because.en} {finding.consequence.en}"),
        "target": {
            "type": "objective-id",
            "target-id": _token(finding.rule),
            "title": _line(finding.citation or finding.pack),
            "status": _STATES[finding.verdict],
        },
        "related-observations": [{"observation-uuid": _id(report, "observation", *_key(finding))}],
        "related-risks": [{"risk-uuid": _id(report, "risk", *_key(finding))}] if finding.verdict in ATTENTION else [],
        "remarks": _line(finding.because.fr),
    })  # fmt: skip


def _risk(report: Report, finding: Finding) -> dict[str, Any]:
    status = "open" if finding.verdict is Verdict.NONCONFORMING else "investigating"
    days = [due for due in finding.due if due.done is None]
    first = min(days, key=lambda due: due.due, default=None)
    remediations = [
        {
            "uuid": _id(report, "remediation", *_key(finding), due.duty),
            "lifecycle": "planned",
            "title": _line(due.what.en)[:240],
            "description": _line(f"{due.what.en} ({due.citation})"),
        }
        for due in days
    ]
    return _full({
        "uuid": _id(report, "risk", *_key(finding)),
        "title": _line(finding.because.en)[:240],
        "description": _line(finding.because.en),
        "statement": _line(finding.consequence.en),
        "status": "deviation-approved" if finding.exempted_by else status,
        "deadline": _end_of(first.due, first.zone) if first else None,
        "remediations": remediations,
        "related-observations": [{"observation-uuid": _id(report, "observation", *_key(finding))}],
    })  # fmt: skip


def _end_of(day: Any, zone: str) -> str:
    return datetime.combine(day, time(23, 59, 59), ZoneInfo(zone)).isoformat()


def assessment_results(report: Report, found: Sequence[Line]) -> dict[str, Any]:
    """Give the assessment results of one snapshot."""
    told = [(line, finding) for line in found for finding in line.telling]
    starts = [run.started for run in report.runs] or [report.generated]
    plan = _id(report, "plan")
    result = {
        "uuid": _id(report, "result"),
        "title": "Video surveillance equipment",
        "description": "Devices found, evidence, and what each instrument says of them.",
        "start": min(starts).isoformat(),
        "end": report.generated.isoformat(),
        "props": _props(coverage_complete=str(report.coverage.complete).lower(), addresses_not_assessed=str(report.coverage.not_assessed)),
        "local-definitions": _full({"inventory-items": [_item(report, line) for line in found]}),
        "reviewed-controls": {"control-selections": [{"description": _line("; ".join(pack.title.en for pack in report.packs)), "include-all": {}}]},
        "observations": [*(_observation(report, line, one) for line, one in told), *_unlooked(report)],
        "risks": [_risk(report, one) for _, one in told if one.verdict in ATTENTION],
        "findings": [_finding(report, one) for _, one in told if one.verdict in _STATES],
    }  # fmt: skip
    scope = "; ".join(f"{run.site} {run.kind} {run.id}" for run in report.runs)
    return {"assessment-results": {
        "uuid": _id(report, "assessment-results"),
        "metadata": _metadata(report, "Legacy equipment audit: assessment results"),
        "import-ap": {"href": f"#{plan}"},
        "results": [_full(result)],
        "back-matter": {"resources": [{"uuid": plan, "title": "Scope and authority", "description": _line(scope)}]},
    }}  # fmt: skip


def plan_of_action(report: Report, found: Sequence[Line]) -> dict[str, Any] | None:
    """Give the plan of action: one item per finding that somebody must act on; None for none."""
    told = [(line, one) for line in found for one in line.telling if one.verdict in ATTENTION]
    if not told:
        return None
    items = [
        {
            "uuid": _id(report, "poam-item", *_key(one)),
            "title": _line(f"{line.address}: {one.because.en}")[:240],
            "description": _line(" ".join((one.because.en, one.consequence.en, *(q.ask.en for q in one.ask)))),
            "related-observations": [{"observation-uuid": _id(report, "observation", *_key(one))}],
            "related-risks": [{"risk-uuid": _id(report, "risk", *_key(one))}],
        }
        for line, one in told
    ]  # fmt: skip
    named = {line.assessed.device.id: line for line, _ in told}
    return {"plan-of-action-and-milestones": {
        "uuid": _id(report, "poam"),
        "metadata": _metadata(report, "Legacy equipment audit: plan of action and milestones"),
        "system-id": {"id": _line(report.organisation)},
        "local-definitions": {"inventory-items": [_item(report, line) for line in named.values()]},
        "observations": [_observation(report, line, one) for line, one in told],
        "risks": [_risk(report, one) for _, one in told],
        "poam-items": items,
    }}  # fmt: skip


def render(
    report: Report, words: Mapping[str, Words], languages: Sequence[str], resources: Path
) -> Iterator[Written]:
    """Write both documents; they carry the English words and, as remarks, the French ones."""
    del words, languages, resources
    found = lines(report)
    documents = {
        "oscal-assessment-results.json": assessment_results(report, found),
        "oscal-poam.json": plan_of_action(report, found),
    }
    for name, document in documents.items():
        if document is not None:
            text = json.dumps(document, indent=1, ensure_ascii=True)
            yield Written(name, (text.encode(), b"\n"))


FORMAT = Format("oscal", render=render, source="NIST OSCAL 1.1.2")
