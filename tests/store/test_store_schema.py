"""Every released schema is brought forward with its data, or left exactly as it was.

The files in `schemas/` are what each revision made, frozen. The rows are chained here by a
few lines of the test's own, so that they also check the chain as it is described: each row's
hash is SHA-256 over the hash before it, the row's columns as a JSON array, a line feed and
its document; each link's is over the link's columns and the last row's hash.
"""

import contextlib
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

import auditor.store.schema  # noqa: F401
from auditor.errors import LedgerError
from auditor.store import migrate
from auditor.store.ledger import Ledger
from auditor.store.tables import APPEND_ONLY, columns

SCHEMAS = Path(__file__).parent / "schemas"
RELEASED = sorted({path.name.split(".")[0] for path in SCHEMAS.glob("*.sql")})
ROWS = 100_000
NOON = "2026-03-04T12:00:00+00:00"


class Chain:
    """The chain as it is described, written without the program."""

    def __init__(self):
        self.last, self.rows, self.links = bytes(32), 0, []

    def add(self, kind, first, rows, run=None, nth=1):
        sealed = []
        for at, row in enumerate(rows, first):
            head = json.dumps(row[:-1], separators=(",", ":"))
            self.last = hashlib.sha256(self.last + f"{head}\n{row[-1]}".encode()).digest()
            sealed.append((at, *row, self.last))
        self.rows += len(sealed)
        link = (kind, first, first + len(sealed) - 1, run, nth, self.rows)
        head = json.dumps(link, separators=(",", ":")).encode()
        self.last = hashlib.sha256(head + self.last).digest()
        self.links.append((len(self.links) + 1, *link, self.last))
        return sealed


def content_0001():
    """Give the rows of every table of revision 0001."""
    chain = Chain()
    tables = {
        "run": chain.add("run", 1, [["r1", "hq", "import", NOON, '["op","","",""]']]),
        "shape": chain.add("shape", 1, [['["http.title","asset.tag"]']]),
        "attempt": [],
    }
    raw = b"HTTP/1.1 200 OK"
    name = hashlib.sha256(raw).hexdigest()
    for first in range(1, ROWS + 1, 10_000):
        rows = []
        for at in range(first, first + 10_000):
            doc = f'[["t{at}","{name}"],null]'
            rows.append([1, 1, "http", 80, "tcp", None, "answered", "wire", NOON, 0.5,
                         f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}", None, f"d{at}", doc])  # fmt: skip
        tables["attempt"] += chain.add("attempt", first, rows, 1, first)
    decision = {"by": "A", "reason": "r", "subject": [], "values": [["k", "v"]],
                "requested_by": "", "expires": None, "zone": "UTC", "controls": [],
                "document_sha256": "", "withdraws": None, "notes": []}  # fmt: skip
    tables["decision"] = chain.add("decision", 1, [["d1", "record", NOON, json.dumps(decision)]])
    sent = '["arp","10.0.0.1",0,1,28,"",""]'
    tables["journal"] = chain.add("journal", 1, [[1, NOON, sent]])
    tables["snapshot"] = chain.add("snapshot", 1, [["s1", NOON, f'["{chain.last.hex()}",1,{{}}]']])
    tables["signature"] = chain.add("signature", 1, [["s1", NOON, '["A","sig","key","words"]']])
    tables["imported"] = chain.add("imported", 1, [["hq", "ab" * 32, 1, '["a.csv"]']])
    tables["closing"] = chain.add("closing", 1, [[1, "complete", NOON, "[]"]])
    tables["raw"] = [(name, raw)]
    tables["link"] = chain.links
    return tables


CONTENT = {"0001": content_0001}


def load(url, revision):
    """Make a database as that revision made it, with 100,000 attempts."""
    kind = "sqlite" if url.startswith("sqlite") else "postgresql"
    script = (SCHEMAS / f"{revision}.{kind}.sql").read_text()
    tables = CONTENT[revision]()
    if kind == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.executescript(script)
            for table, rows in tables.items():
                marks = ",".join("?" * len(rows[0]))
                connection.executemany(
                    f"INSERT INTO {table} VALUES ({marks})", [in_order(table, row) for row in rows]
                )
        connection.close()
        return
    with psycopg.connect(url) as connection:
        connection.execute(script)
        for table, rows in tables.items():
            names = ", ".join(
                row[0] for row in connection.execute(
                    "SELECT column_name FROM information_schema.columns"
                    " WHERE table_name = %s ORDER BY ordinal_position", (table,))
            )  # fmt: skip
            with connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(in_order(table, row))


def in_order(table, row):
    """Links were laid out with `run` last."""
    return (*row[:4], *row[5:7], row[4], row[7]) if table == "link" else row


@pytest.mark.parametrize("revision", RELEASED)
def test_a_ledger_of_every_released_schema_comes_forward_with_its_data(url, revision):
    load(url, revision)
    with Ledger.open(url) as ledger:
        found = ledger.verify()
        assert (found.ok, found.first_broken, found.reason) == (True, None, "")
        assert ledger.counts()["attempt"] == ROWS
        stream = ledger.attempts(after=ROWS - 1)
        last = next(stream)
        stream.close()
        assert (last.run, last.site, last.attempt.detail) == ("r1", "hq", f"d{ROWS}")
        assert last.attempt.observations[0].raw == b"HTTP/1.1 200 OK"
        assert ledger.organisation_facts() == {"k": "v"}
        assert ledger.runs()[0].status == "complete"
        assert ledger.signatures("s1")[0].by == "A"
        assert [one.name for one in ledger.imports()] == ["a.csv"]
        assert refusing(ledger) == set(APPEND_ONLY)


def refusing(ledger):
    """Name the tables that refuse to be changed (a schema change may lose triggers)."""
    tables = set()
    for table in APPEND_ONLY:
        column = "sha256" if table == "raw" else "hash"
        acts = (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}")
        if all(refuses(ledger, act) for act in acts):
            tables.add(table)
    return tables


def refuses(ledger, act):
    with ledger.engine.connect() as connection:
        try:
            connection.execute(text(act))
        except DBAPIError as error:
            return "append-only" in str(error)
    return False


def test_every_revision_is_released_with_its_frozen_schema():
    files = (migrate.MIGRATIONS / "versions").glob("[0-9]*.py")
    assert sorted(path.name.split("_")[0] for path in files) == RELEASED == sorted(CONTENT)
    for revision in RELEASED:
        assert (SCHEMAS / f"{revision}.postgresql.sql").exists()


def test_the_tables_are_those_of_the_newest_revision(ledger):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrate.VERSION_TABLE, "compare_type": True}
        )
        ours = [
            one for one in compare_metadata(context, SQLModel.metadata) if "remove" not in one[0]
        ]
    assert ours == []
    for kind in APPEND_ONLY:  # who reads and writes rows does without the classes
        assert columns(kind) == tuple(SQLModel.metadata.tables[kind].columns.keys())


def test_a_new_file_is_what_all_revisions_make_of_it(tmp_path, later):
    made = []
    for name in ("at once", "step by step"):
        path = tmp_path / f"{name}.db"
        Ledger.open(f"sqlite:///{path}").close()
        with contextlib.closing(sqlite3.connect(path)) as found:
            asked = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
            plain = [tuple(" ".join(str(v).split()) for v in row) for row in found.execute(asked)]
            mark = found.execute("PRAGMA application_id").fetchall()
            revision = found.execute("SELECT * FROM auditor_schema").fetchall()
            made.append((plain, mark, revision))
        if name == "at once":
            assert "alembic" not in loaded_by_a_new_ledger(tmp_path / "other.db")
            home = later("")
            (home / "versions" / "0002_next.py").unlink()
            for script in home.glob("*.sql"):
                script.unlink()
    assert made[0] == made[1]
    assert len(made[0][0]) > 40


def loaded_by_a_new_ledger(path):
    code = (
        "import sys; from auditor.store.ledger import Ledger; Ledger.open(sys.argv[1]).close();"
        "print(*sys.modules)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, f"sqlite:///{path}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()


# ---------------------------------------------------------------- the next revision

GOOD = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "0002", "0001"

def upgrade():
    with op.batch_alter_table("opinion") as table:
        table.add_column(sa.Column("made", sa.Text))
"""
BAD = GOOD + "    op.execute('INSERT INTO no_such_table VALUES (1)')\n"
SLOW = GOOD + "    print('half', flush=True)\n    import time\n    time.sleep(60)\n"


@pytest.fixture
def later(tmp_path, monkeypatch):
    """Give a program that knows one revision more."""

    def install(code):
        home = tmp_path / "migrations"
        shutil.copytree(migrate.MIGRATIONS, home, ignore=shutil.ignore_patterns("__pycache__"))
        (home / "versions" / "0002_next.py").write_text(code)
        monkeypatch.setattr(migrate, "MIGRATIONS", home)
        return home

    return install


def test_the_next_revision_is_applied_once_and_keeps_everything(url, later):
    load(url, "0001")
    later(GOOD)
    for _ in range(2):
        with Ledger.open(url) as ledger:
            assert ledger.verify().ok
            assert refusing(ledger) == set(APPEND_ONLY)
            with ledger.engine.connect() as connection:
                assert connection.execute(text("SELECT made FROM opinion")).all() == []


def test_a_revision_that_fails_leaves_the_ledger_as_it_was(url, later, monkeypatch):
    known = migrate.MIGRATIONS
    Ledger.open(url).close()
    later(BAD)
    with pytest.raises(LedgerError):
        Ledger.open(url)
    monkeypatch.setattr(migrate, "MIGRATIONS", known)
    with Ledger.open(url) as ledger:
        assert ledger.verify().ok
        with pytest.raises(Exception, match="made"), ledger.engine.connect() as connection:
            connection.execute(text("SELECT made FROM opinion"))


def test_a_migration_killed_halfway_leaves_the_ledger_as_it_was(url, later, tmp_path, monkeypatch):
    known = migrate.MIGRATIONS
    Ledger.open(url).close()
    home = later(SLOW)
    code = (
        "import sys, pathlib; from auditor.store import migrate, ledger;"
        "migrate.MIGRATIONS = pathlib.Path(sys.argv[1]); ledger.Ledger.open(sys.argv[2])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home), url], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout.readline() == "half\n"
        program.kill()
    monkeypatch.setattr(migrate, "MIGRATIONS", known)
    with Ledger.open(url) as ledger:
        assert ledger.verify().ok
