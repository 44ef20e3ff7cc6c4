"""The tables of the ledger, and our frozen values as their rows and back.

Facts: run closing shape attempt decision journal snapshot signature imported (append-only, chained
by `link`) and raw (kept under its own SHA-256). Opinions: opinion (may be deleted at will).

Every fact table is laid out alike: a number counting from 1, columns to search by, one JSON
document with all else, and the row's hash. Rows of SQLModel neither validate nor freeze, so
they leave this room only as values of auditor.model.
"""

from datetime import date, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from auditor.model.journal import Sent
from auditor.model.observation import Run
from auditor.model.policy import Decision, DecisionKind
from auditor.store.encoding import dumps, loads, moment_text, pack, unpack
from auditor.store.values import Imported, Signature, StoredSnapshot

Row = tuple[Any, ...]
_NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")


def _number() -> Any:
    return Field(sa_column=Column(_NUMBER, primary_key=True, autoincrement=False))


def _text() -> Any:
    return Field(sa_column=Column(Text, nullable=False))


def _run() -> Any:
    return Field(sa_column=Column(_NUMBER, ForeignKey("run.n"), nullable=False))


def _hash() -> Any:
    return Field(sa_column=Column(LargeBinary, nullable=False))


class RunRow(SQLModel, table=True):
    """A visit as it began; how it ended stands in `closing`."""

    __tablename__ = "run"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("id", name="run_id"),
        Index("run_site", "site"),
    )
    n: int = _number()
    id: str = _text()
    site: str = _text()
    kind: str = _text()
    started: str = _text()
    doc: str = _text()  # [operator, scope, vantage, tool_version]
    hash: bytes = _hash()


class ClosingRow(SQLModel, table=True):
    """How a run ended; the last one counts (a run may be resumed and end again)."""

    __tablename__ = "closing"
    __table_args__: ClassVar[Any] = (Index("closing_run", "run"),)
    n: int = _number()
    run: int = _run()
    status: str = _text()
    ended: str | None = Field(default=None, sa_column=Column(Text))
    doc: str = _text()  # notes
    hash: bytes = _hash()


class ShapeRow(SQLModel, table=True):
    """The fields of an attempt, in order; attempts of one tool share a few of them."""

    __tablename__ = "shape"
    n: int = _number()
    doc: str = _text()  # [field, …]
    hash: bytes = _hash()


class AttemptRow(SQLModel, table=True):
    """One attempt or imported record. Its site is that of its run; which rows belong to a run
    stands in `link`, so neither costs an index here.

    doc: one item for each field of the shape: the value, [value, SHA-256 of raw], or null
    for "not observed"; without a shape [[field, …], [item, …]].
    """

    __tablename__ = "attempt"
    __table_args__: ClassVar[Any] = (Index("attempt_mac", "mac"), Index("attempt_ip", "ip"))
    seq: int = _number()
    run: int = Field(sa_column=Column(_NUMBER, nullable=False))
    shape: int | None = Field(default=None, sa_column=Column(_NUMBER))
    tool: str = _text()
    port: int = Field(sa_column=Column(Integer, nullable=False))
    transport: str = _text()
    vlan: int | None = Field(default=None, sa_column=Column(Integer))
    outcome: str = _text()
    origin: str = _text()
    started: str = _text()
    elapsed_s: float = Field(sa_column=Column(Double, nullable=False))
    ip: str | None = Field(default=None, sa_column=Column(Text))
    mac: str | None = Field(default=None, sa_column=Column(Text))
    detail: str = _text()
    doc: str = _text()
    hash: bytes = _hash()


class DecisionRow(SQLModel, table=True):
    """One act of an officer."""

    __tablename__ = "decision"
    __table_args__: ClassVar[Any] = (UniqueConstraint("id", name="decision_id"),)
    n: int = _number()
    id: str = _text()
    kind: str = _text()
    at: str = _text()
    doc: str = _text()
    hash: bytes = _hash()


class JournalRow(SQLModel, table=True):
    """What was sent."""

    __tablename__ = "journal"
    __table_args__: ClassVar[Any] = (Index("journal_run", "run"),)
    n: int = _number()
    run: int = _run()
    moment: str = _text()
    doc: str = _text()  # [kind, ip, port, count, size, tool, detail]
    hash: bytes = _hash()


class SnapshotRow(SQLModel, table=True):
    """What a report said, and the state of the chain that it spoke of."""

    __tablename__ = "snapshot"
    __table_args__: ClassVar[Any] = (UniqueConstraint("id", name="snapshot_id"),)
    n: int = _number()
    id: str = _text()
    made: str = _text()
    doc: str = _text()
    hash: bytes = _hash()


class SignatureRow(SQLModel, table=True):
    """A named person's signature under a snapshot."""

    __tablename__ = "signature"
    __table_args__: ClassVar[Any] = (Index("signature_snapshot", "snapshot"),)
    n: int = _number()
    snapshot: str = _text()
    at: str = _text()
    doc: str = _text()
    hash: bytes = _hash()


class ImportedRow(SQLModel, table=True):
    """A file that was imported for a site, by its content."""

    __tablename__ = "imported"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("site", "sha256", "run", name="imported_once"),
    )
    n: int = _number()
    site: str = _text()
    sha256: str = _text()
    run: int = _run()
    doc: str = _text()  # [name]
    hash: bytes = _hash()


class LinkRow(SQLModel, table=True):
    """One link of the chain: rows `first` to `last` of the fact table `kind`.

    run, nth: for attempts, their run and the place of the first of them in it. rows: facts in the ledger up
    to here. hash: over this link and the last row's hash.
    """

    __tablename__ = "link"
    __table_args__: ClassVar[Any] = (Index("link_run", "run", "nth"), Index("link_hash", "hash"))
    seq: int = _number()
    kind: str = _text()
    first: int = Field(sa_column=Column(_NUMBER, nullable=False))
    last: int = Field(sa_column=Column(_NUMBER, nullable=False))
    run: int | None = Field(default=None, sa_column=Column(_NUMBER))
    nth: int = Field(sa_column=Column(_NUMBER, nullable=False))
    rows: int = Field(sa_column=Column(_NUMBER, nullable=False))
    hash: bytes = _hash()


class RawRow(SQLModel, table=True):
    """Bytes as they were received, once however often they came."""

    __tablename__ = "raw"
    sha256: str = Field(sa_column=Column(Text, primary_key=True))
    data: bytes = _hash()


class OpinionRow(SQLModel, table=True):
    """A derived answer on one device under one state of the knowledge; deletable."""

    __tablename__ = "opinion"
    version: str = Field(sa_column=Column(Text, primary_key=True))
    device: str = Field(sa_column=Column(Text, primary_key=True))
    facts: str = _text()  # what it was derived from, in the caller's words
    doc: str = _text()


FACTS: Final[dict[str, type[SQLModel]]] = {
    "run": RunRow,
    "closing": ClosingRow,
    "shape": ShapeRow,
    "attempt": AttemptRow,
    "decision": DecisionRow,
    "journal": JournalRow,
    "snapshot": SnapshotRow,
    "signature": SignatureRow,
    "imported": ImportedRow,
}
APPEND_ONLY: Final = (*FACTS, "link", "raw")


def columns(kind: str) -> tuple[str, ...]:
    """Name the columns of a fact table in the order in which its rows are written."""
    return tuple(FACTS[kind].__table__.columns.keys())  # type: ignore[attr-defined]


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
