"""The tables of the ledger as SQLModel classes, which new revisions are made from and tested by.

Whoever only reads and writes rows does without them (see tables): to load them takes longer than
to open a ledger.
"""

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
