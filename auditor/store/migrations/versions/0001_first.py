"""The first released schema: facts that cannot be changed, their chain, and opinions.

Frozen: a released revision is never edited. The next change is a new file.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

FACTS = ("run", "closing", "shape", "attempt", "decision", "journal", "snapshot", "signature", "imported")
KEPT = (*FACTS, "link", "raw")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create everything."""
    _runs()
    _attempts()
    _said()
    _chain()
    for table in KEPT:
        _refuse_changes(table)


def _number(name: str = "n") -> "sa.Column[int]":
    return sa.Column(name, NUMBER, primary_key=True, autoincrement=False)


def _texts(*names: str) -> list["sa.Column[str]"]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _hash(name: str = "hash") -> "sa.Column[bytes]":
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _run() -> "sa.Column[int]":
    return sa.Column("run", NUMBER, sa.ForeignKey("run.n"), nullable=False)


def _runs() -> None:
    op.create_table(
        "run", _number(), *_texts("id", "site", "kind", "started", "doc"), _hash(),
        sa.UniqueConstraint("id", name="run_id"),
    )  # fmt: skip
    op.create_index("run_site", "run", ["site"])
    op.create_table(
        "closing", _number(), _run(), *_texts("status"),
        sa.Column("ended", sa.Text), *_texts("doc"), _hash(),
    )  # fmt: skip
    op.create_index("closing_run", "closing", ["run"])


def _attempts() -> None:
    op.create_table("shape", _number(), *_texts("doc"), _hash())
    op.create_table(
        "attempt",
        _number("seq"),
        sa.Column("run", NUMBER, nullable=False),  # unchecked: the chain covers it, a million times
        sa.Column("shape", NUMBER),
        *_texts("tool"),
        sa.Column("port", sa.Integer, nullable=False),
        *_texts("transport"),
        sa.Column("vlan", sa.Integer),
        *_texts("outcome", "origin", "started"),
        sa.Column("elapsed_s", sa.Double, nullable=False),
        sa.Column("ip", sa.Text),
        sa.Column("mac", sa.Text),
        *_texts("detail", "doc"),
        _hash(),
    )
    op.create_index("attempt_mac", "attempt", ["mac"])
    op.create_index("attempt_ip", "attempt", ["ip"])
    op.create_table("raw", sa.Column("sha256", sa.Text, primary_key=True), _hash("data"))


def _said() -> None:
    op.create_table(
        "decision", _number(), *_texts("id", "kind", "at", "doc"), _hash(),
        sa.UniqueConstraint("id", name="decision_id"),
    )  # fmt: skip
    op.create_table("journal", _number(), _run(), *_texts("moment", "doc"), _hash())
    op.create_index("journal_run", "journal", ["run"])
    op.create_table(
        "snapshot", _number(), *_texts("id", "made", "doc"), _hash(),
        sa.UniqueConstraint("id", name="snapshot_id"),
    )  # fmt: skip
    op.create_table("signature", _number(), *_texts("snapshot", "at", "doc"), _hash())
    op.create_index("signature_snapshot", "signature", ["snapshot"])
    op.create_table(
        "imported", _number(), *_texts("site", "sha256"), _run(), *_texts("doc"), _hash(),
        sa.UniqueConstraint("site", "sha256", "run", name="imported_once"),
    )  # fmt: skip
    op.create_table(
        "opinion",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("device", sa.Text, primary_key=True),
        *_texts("facts", "doc"),
    )


def _chain() -> None:
    numbers = ("first", "last", "nth", "rows")
    op.create_table(
        "link", _number("seq"), *_texts("kind"),
        *(sa.Column(name, NUMBER, nullable=False) for name in numbers),
        sa.Column("run", NUMBER), _hash(),
    )  # fmt: skip
    op.create_index("link_run", "link", ["run", "nth"])
    op.create_index("link_hash", "link", ["hash"])


def _refuse_changes(table: str) -> None:
    """Facts are append-only: the database itself refuses to change or delete them."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION auditor_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'facts are append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION auditor_append_only()"
    )
