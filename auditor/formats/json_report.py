"""report.json and the per-device object that `auditor devices --json` prints.

The published schema is auditor/data/schemas/report.schema.json (JSON Schema 2020-12).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from auditor.formats import lines as drawn
from auditor.model.device import Assessed, SubnetCoverage
from auditor.model.identity import TRAITS, Evidence
from auditor.model.policy import Finding, PackSummary, Verdict
from auditor.model.report import Report
from auditor.plugins import Format, Words, Written

SCHEMA = "urn:legacy-equipment-auditor:report:1"
# Legal in JSON text, and yet able to act on a terminal or to turn a line round.
_ACTING = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def compact(value: Any) -> str:
    """Write JSON on one line: keys in the order given, whatever could act escaped (RFC 8259, 7)."""
    return _ACTING.sub(_unit, json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _unit(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def plain(value: Any) -> Any:
    """Turn a frozen value into what JSON knows; moments as ISO 8601, bytes never."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple | list | frozenset | set):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    return value


def device_json(assessed: Assessed, verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """Give the object that stands for one device everywhere: JSON Lines and report.json."""
    device, identity = assessed.device, assessed.identity
    return {
        "id": device.id,
        "site": device.site,
        "ips": list(device.ips),
        "macs": list(device.macs),
        "mac_sources": [plain(one) for one in device.mac_sources],
        "hostnames": list(device.hostnames),
        **{name: getattr(identity, name).value for name in TRAITS},
        "standing": identity.standing.value,
        "verdicts": {pack: verdict.value for pack, verdict in sorted(verdicts.items())},
        "evidence": [evidence_json(piece) for piece in identity.evidence],
        "contradictions": [plain(one) for one in identity.contradictions],
        "first_seen": device.first_seen.isoformat(),
        "last_seen": device.last_seen.isoformat(),
        "sources": list(device.sources),
        "on_wire": device.on_wire,
        "relationship": identity.relationship,
        "inferences": [plain(one) for one in identity.inferences],
        "records": _records(assessed),
        "asked": [
            {"tool": a.tool, "port": a.port, "outcome": a.outcome.value, "when": a.when.isoformat()}
            for a in device.asked
        ],
    }


def evidence_json(piece: Evidence) -> dict[str, Any]:
    """Give one piece of evidence; `claim` is what it says of `trait`."""
    return {
        "trait": piece.trait,
        "claim": piece.claim,
        "rule": piece.rule,
        "strength": piece.strength.value,
        "kind": piece.kind,
        "field": piece.field,
        "value": piece.value,
        "attempt": piece.attempt,
        "raw_sha256": piece.raw_sha256,
        **({"doubt": piece.doubt} if piece.doubt else {}),
    }


def _records(assessed: Assessed) -> dict[str, str]:
    names = {s.observation.field for s in assessed.device.sightings}
    wanted = sorted(name for name in names if name.startswith("asset."))
    return {name: assessed.device.recorded(name) or "" for name in wanted}


def finding_json(finding: Finding) -> dict[str, Any]:
    """Give one finding, in both languages."""
    return {**plain(finding), "evidence": [evidence_json(piece) for piece in finding.evidence]}


def coverage_json(report: Report) -> dict[str, Any]:
    """Name every address of the scope that was not assessed, in ranges, with the reason."""
    coverage = report.coverage
    return {
        "complete": coverage.complete,
        "not_assessed_count": coverage.not_assessed,
        "not_assessed": [
            {
                "site": subnet.site,
                "network": subnet.network,
                "ranges": list(gap.ranges),
                "count": gap.count,
                "reason": gap.reach.value,
                "detail": gap.detail,
            }
            for subnet, gap in drawn.gaps(report)
        ],
        "networks": [_network(subnet) for subnet in coverage.subnets],
        "notes": list(coverage.notes),
        "listening": [plain(one) for one in coverage.unheard],
    }


def _network(subnet: SubnetCoverage) -> dict[str, Any]:
    said = plain(subnet)
    said["tools"] = {
        tool: {outcome.value: count for outcome, count in counted} for tool, counted in subnet.tools
    }
    return {key: value for key, value in said.items() if key != "gaps"}


def _pack(pack: PackSummary) -> dict[str, Any]:
    return {**plain(pack), "actions": dict(pack.actions)}


def counts(found: Sequence[drawn.Line], report: Report) -> dict[str, Any]:
    """Count devices by verdict, in all, per site and per pack, and what was not assessed."""
    whole = drawn.tally(found)
    return {
        "devices": whole.devices,
        "verdicts": {verdict.value: count for verdict, count in whole.verdicts},
        "not_assessed": report.coverage.not_assessed,
        "sites": {
            site: {
                **{verdict.value: count for verdict, count in one.verdicts},
                "not_assessed": one.not_assessed,
            }
            for site, one in drawn.by_site(report, found)
        },
        "packs": {
            pack: {verdict.value: count for verdict, count in counted.items()}
            for pack, counted in drawn.by_pack(report, found)
        },
    }


def _head(report: Report) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "generated": report.generated.isoformat(),
        "tool": {"name": "auditor", "version": report.tool_version},
        "snapshot": plain(report.snapshot),
        "organisation": report.organisation,
        "marking": report.marking,
        "prepared_by": report.prepared_by,
        "data_versions": [plain(one) for one in report.data_versions],
        "sites": list(report.sites),
        "runs": [plain(run) for run in report.runs],
        "coverage": coverage_json(report),
        "packs": [_pack(pack) for pack in report.packs],
    }


def _tail(report: Report) -> dict[str, Any]:
    return {
        "decisions": [plain(one) for one in report.decisions],
        "changes": [plain(one) for one in report.changes],
        "reconciliation": [plain(one) for one in report.reconciliation],
        "history": [
            {"day": day.isoformat(), "verdicts": {v.value: count for v, count in counted}}
            for day, counted in report.history
        ],
        "warnings": list(report.warnings),
    }


def pieces(report: Report) -> Iterator[bytes]:
    """Write report.json from front to back; no more than one device is held as JSON."""
    found = drawn.lines(report)
    head = {**_head(report), "counts": counts(found, report)}
    yield b"{\n" + ",\n".join(_pairs(head)).encode()
    yield from _list("devices", (device_json(one.assessed, dict(one.by_pack)) for one in found))
    yield from _list("findings", (finding_json(one) for line in found for one in line.findings))
    yield (",\n" + ",\n".join(_pairs(_tail(report))) + "\n}\n").encode()


def _pairs(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"{json.dumps(key)}: {compact(value)}" for key, value in table.items())


def _list(name: str, values: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    yield f",\n{json.dumps(name)}: [".encode()
    for at, value in enumerate(values):
        yield (",\n" if at else "\n").encode() + compact(value).encode()
    yield b"\n]"


def render(
    report: Report, words: Mapping[str, Words], languages: Sequence[str], resources: Path
) -> Iterator[Written]:
    """Write the one machine-readable file; it carries both languages."""
    del words, languages, resources
    yield Written("report.json", pieces(report))


FORMAT = Format("json", render=render, source="RFC 8259; JSON Schema 2020-12")
