"""Signed snapshots: what a signed report said, and what has changed since the last one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from auditor.commands.setting import Setting
from auditor.formats.json_report import device_json, finding_json
from auditor.inventory.changes import changes
from auditor.model.policy import SEVERITY, Verdict
from auditor.model.report import Report
from auditor.policy.judge import verdicts
from auditor.store.ledger import Ledger
from auditor.store.values import Signature, StoredSnapshot

KEPT = (
    "id",
    "site",
    "maker",
    "brand",
    "model",
    "serial",
    "firmware",
    "standing",
    "macs",
    "records",
)
EVIDENCE = ("field", "value", "kind")


def summary(report: Report) -> dict[str, Any]:
    """Give what is kept of a signed report: enough to compare a later one with it."""
    worst = verdicts(report.findings)
    decided = [f for f in report.findings if f.exempted_by or f.overridden_by]
    return {
        "as_of": report.snapshot.as_of.isoformat(),
        "devices": [_device(device_json(a, worst.get(a.device.id, {}))) for a in report.devices],
        "packs": [{"id": pack.id, "version": pack.version} for pack in report.packs],
        "data_versions": [[version.name, version.sha256] for version in report.data_versions],
        "findings": [finding_json(finding) for finding in decided],
        "decisions": [{"kind": str(d.kind), "subject": list(d.subject)} for d in report.decisions],
        "counts": {str(verdict): count for verdict, count in _counts(worst).items()},
    }


def _device(said: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: said.get(name) for name in KEPT}
    kept["verdicts"] = {pack: str(verdict) for pack, verdict in said["verdicts"].items()}
    kept["evidence"] = [{name: e.get(name) for name in EVIDENCE} for e in said["evidence"]]
    return kept


def _counts(worst: Mapping[str, Mapping[str, Verdict]]) -> Counter[Verdict]:
    return Counter(min(mine.values(), key=SEVERITY.index) for mine in worst.values() if mine)


def compared(report: Report, ledger: Ledger) -> Report:
    """Add to a report what changed since the last signed snapshot, and the counts of all."""
    signed = [s for s in ledger.snapshots() if ledger.signatures(s.id)]
    now = summary(report)
    before = [snapshot for snapshot in signed if snapshot.id != report.snapshot.id]
    moved = changes(_said(before[-1]), now) if before else ()
    history = [(_day(s), _verdicts(_said(s)["counts"])) for s in before]
    history.append((report.snapshot.as_of, _verdicts(now["counts"])))
    return replace(report, changes=moved, history=tuple(history))


def _said(snapshot: StoredSnapshot) -> Mapping[str, Any]:
    said: Any = snapshot.summary
    assert isinstance(said, Mapping)
    return said


def _day(snapshot: StoredSnapshot) -> date:
    return date.fromisoformat(_said(snapshot)["as_of"])


def _verdicts(counts: Mapping[str, int]) -> tuple[tuple[Verdict, int], ...]:
    return tuple((verdict, counts.get(str(verdict), 0)) for verdict in SEVERITY)


def sign(setting: Setting, ledger: Ledger, report: Report, by: str) -> None:
    """Keep a report's summary and that a person signed it."""
    snapshot = report.snapshot
    ledger.save_snapshot(
        snapshot.id, report.generated, snapshot.chain_head, snapshot.rows, summary(report)
    )
    ledger.sign_snapshot(Signature(snapshot.id, by, setting.now(), "", "", "signed by name"))
