"""The tables of the ledger, and our frozen values as their rows and back.

Facts: run closing shape attempt decision journal snapshot signature imported (append-only, chained
by `link`) and raw (kept under its own SHA-256). Opinions: opinion (may be deleted at will).

Every fact table is laid out alike: a number counting from 1, columns to search by, one JSON
document with all else, and the row's hash. What the columns are stands in schema; rows leave this
room only as values of auditor.model.
"""

from datetime import date, datetime
from typing import Any, Final

from auditor.model.decision import Decision, DecisionKind
from auditor.model.journal import Sent
from auditor.model.observation import Run
from auditor.store.encoding import dumps, loads, moment_text, pack, unpack
from auditor.store.values import Imported, Signature, StoredSnapshot

Row = tuple[Any, ...]
# The columns of each fact table, in the order in which its rows are written.
FACTS: Final[dict[str, tuple[str, ...]]] = {
    "run": ("n", "id", "site", "kind", "started", "doc", "hash"),
    "closing": ("n", "run", "status", "ended", "doc", "hash"),
    "shape": ("n", "doc", "hash"),
    "attempt": (
        "seq",
        "run",
        "shape",
        "tool",
        "port",
        "transport",
        "vlan",
        "outcome",
        "origin",
        "started",
        "elapsed_s",
        "ip",
        "mac",
        "detail",
        "doc",
        "hash",
    ),
    "decision": ("n", "id", "kind", "at", "doc", "hash"),
    "journal": ("n", "run", "moment", "doc", "hash"),
    "snapshot": ("n", "id", "made", "doc", "hash"),
    "signature": ("n", "snapshot", "at", "doc", "hash"),
    "imported": ("n", "site", "sha256", "run", "doc", "hash"),
}
_KEPT: Final = FACTS | {
    "link": ("seq", "kind", "first", "last", "run", "nth", "rows", "hash"),
    "raw": ("sha256", "data"),
}
APPEND_ONLY: Final = tuple(_KEPT)


def columns(kind: str) -> tuple[str, ...]:
    """Name the columns of an append-only table in the order in which its rows are written."""
    return _KEPT[kind]


# ---------------------------------------------------------------- values -> rows and back
# A row here is the columns between the number and the hash.


def run_row(run: Run) -> Row:
    """Write how a run began."""
    doc = dumps([run.operator, run.scope, run.vantage, run.tool_version])
    return pack(run.id), pack(run.site), pack(run.kind), moment_text(run.started), doc


def closing_row(number: int, status: str, ended: datetime | None, notes: tuple[str, ...]) -> Row:
    """Write how run `number` ended."""
    return number, pack(status), ended and moment_text(ended), dumps(list(notes))


def run_value(begun: Row, closing: Row | None) -> Run:
    """Read a run: how it began (without number and hash) and how it last ended, if it did."""
    operator, scope, vantage, tool_version = loads(begun[4])
    _, status, ended, notes = closing or (0, "running", None, "[]")
    return Run(
        id=unpack(begun[0]),
        site=unpack(begun[1]),
        kind=unpack(begun[2]),
        started=datetime.fromisoformat(begun[3]),
        operator=operator,
        scope=scope,
        vantage=vantage,
        tool_version=tool_version,
        ended=datetime.fromisoformat(ended) if ended else None,
        status=unpack(status),
        notes=tuple(loads(notes)),
    )


def decision_row(decision: Decision) -> Row:
    """Write an officer's act."""
    doc = {
        "by": decision.by,
        "reason": decision.reason,
        "subject": [list(pair) for pair in decision.subject],
        "values": [list(pair) for pair in decision.values],
        "requested_by": decision.requested_by,
        "expires": decision.expires.isoformat() if decision.expires else None,
        "zone": decision.zone,
        "controls": list(decision.controls),
        "document_sha256": decision.document_sha256,
        "withdraws": decision.withdraws,
        "notes": list(decision.notes),
    }
    return pack(decision.id), decision.kind.value, moment_text(decision.at), dumps(doc)


def decision_value(row: Row) -> Decision:
    """Read an officer's act."""
    doc = loads(row[3])
    for name in ("subject", "values"):
        doc[name] = tuple((key, value) for key, value in doc[name])
    for name in ("controls", "notes"):
        doc[name] = tuple(doc[name])
    doc["expires"] = date.fromisoformat(doc["expires"]) if doc["expires"] else None
    kind, at = DecisionKind(row[1]), datetime.fromisoformat(row[2])
    return Decision(id=unpack(row[0]), kind=kind, at=at, **doc)


def journal_row(number: int, sent: Sent) -> Row:
    """Write what run `number` sent."""
    doc = [sent.kind, sent.ip, sent.port, sent.count, sent.size, sent.tool, sent.detail]
    return number, moment_text(sent.moment), dumps(doc)


def journal_value(row: Row) -> Sent:
    """Read what was sent."""
    return Sent(datetime.fromisoformat(row[1]), *loads(row[2]))


def snapshot_value(row: Row) -> StoredSnapshot:
    """Read what a report said."""
    head, rows, summary = loads(row[2])
    return StoredSnapshot(unpack(row[0]), datetime.fromisoformat(row[1]), head, rows, summary)


def signature_row(signature: Signature) -> Row:
    """Write a person's signature."""
    doc = dumps([signature.by, signature.signature, signature.key, signature.words])
    return pack(signature.snapshot), moment_text(signature.at), doc


def signature_value(row: Row) -> Signature:
    """Read a person's signature."""
    by, signature, key, words = loads(row[2])
    moment = datetime.fromisoformat(row[1])
    return Signature(unpack(row[0]), by, moment, signature, key, words)


def imported_value(row: Row) -> Imported:
    """Read that a file was imported: site, SHA-256, run, document."""
    site, sha256, run, doc = row
    (name,) = loads(doc)
    return Imported(unpack(site), sha256, unpack(run), name)
