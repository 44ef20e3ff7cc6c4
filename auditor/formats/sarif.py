"""SARIF 2.1.0: findings for tools that collect results of analyses (OASIS, Errata 01).

The five verdicts are SARIF's kinds: fail, review, open, pass, notApplicable. Only `fail` has
a level; some readers ignore kinds, which is why passes carry the level `none`.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.formats.lines import Line, gaps, lines
from auditor.formats.speech import text_of
from auditor.formats.template import phrases
from auditor.formats.visible import visible
from auditor.formats.words import Phrases
from auditor.model.policy import Finding, Verdict
from auditor.model.report import Report
from auditor.plugins import Format, Words, Written

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
NAMESPACE = uuid.UUID("7a1e4c52-3c0f-5b6e-8d4a-92f0c7d1b6e3")
KINDS = {
    Verdict.NONCONFORMING: "fail",
    Verdict.REVIEW: "review",
    Verdict.UNDETERMINED: "open",
    Verdict.CONFORMING: "pass",
    Verdict.NOT_APPLICABLE: "notApplicable",
}


def _rules(report: Report, language: str) -> list[dict[str, Any]]:
    titles = {pack.id: text_of(language, pack.title) for pack in report.packs}
    found = sorted(
        {(one.rule, one.pack, one.pack_version, one.citation) for one in report.findings}
    )
    rules: dict[str, dict[str, Any]] = {}
    for rule, pack, version, citation in found:
        rules.setdefault(visible(rule), {
            "id": visible(rule),
            "shortDescription": {"text": visible(titles.get(pack, pack))},
            "properties": {"pack": pack, "version": version, "citation": visible(citation)},
        })  # fmt: skip
    return list(rules.values())


def _result(line: Line, finding: Finding, language: str) -> dict[str, Any]:
    device = line.assessed.device
    said = " ".join(text_of(language, text) for text in (finding.because, finding.consequence))
    where = {
        "name": visible(line.address),
        "fullyQualifiedName": visible(f"{device.site}/{device.id}"),
    }
    result: dict[str, Any] = {
        "ruleId": visible(finding.rule),
        "kind": KINDS[finding.verdict],
        "level": "error" if finding.verdict is Verdict.NONCONFORMING else "none",
        "message": {"text": visible(said)},
        "locations": [{"logicalLocations": [{**where, "kind": "resource"}]}],
        "fingerprints": {"device/v1": f"{finding.pack}/{finding.rule}/{device.id}"},
        "properties": {
            "pack": finding.pack,
            "verdict": finding.verdict.value,
            "evidence": [visible(f"{p.rule} {p.field}={p.value}") for p in finding.evidence],
            "ask": [visible(text_of(language, question.ask)) for question in finding.ask],
        },
    }
    if finding.exempted_by:
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": visible(finding.exempted_by),
            }
        ]
    return result


def _notifications(report: Report, speech: Phrases) -> list[dict[str, Any]]:
    return [
        {
            "level": "warning",
            "message": {
                "text": visible(
                    f"{subnet.network}: {', '.join(gap.ranges)} – "
                    f"{speech.word(f'reach.{gap.reach.value}.name')}"
                )
            },
        }
        for subnet, gap in gaps(report)
    ]


def log(report: Report, found: Sequence[Line], speech: Phrases) -> dict[str, Any]:
    """Give the SARIF log of one snapshot in one language."""
    language = speech.language
    run = {
        "tool": {"driver": {"name": "auditor", "semanticVersion": report.tool_version, "language": language, "rules": _rules(report, language)}},
        "language": language,
        "automationDetails": {"id": report.snapshot.id, "guid": str(uuid.uuid5(NAMESPACE, report.snapshot.id))},
        "invocations": [{
            "executionSuccessful": report.coverage.complete,
            "toolExecutionNotifications": _notifications(report, speech),
        }],
        "results": [_result(line, one, language) for line in found for one in line.findings],
        "properties": {"marking": visible(report.marking), "chain_head": report.snapshot.chain_head},
    }  # fmt: skip
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def render(
    report: Report, words: Mapping[str, Words], languages: Sequence[str], resources: Path
) -> Iterator[Written]:
    """Write one log per language."""
    del resources
    found = lines(report)
    for language in languages:
        said = log(report, found, phrases(words, language, report))
        text = json.dumps(said, indent=1, ensure_ascii=True)
        yield Written(f"report.{language}.sarif", (text.encode(), b"\n"))


FORMAT = Format("sarif", render=render, source="OASIS SARIF 2.1.0", per_language=True)
