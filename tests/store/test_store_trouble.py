"""What can be wrong with a database, and that the ledger says so plainly."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from auditor.errors import LedgerError
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome, Run
from auditor.store import database, migrate
from auditor.store.ledger import Ledger

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
RUN = Run("run-1", "hq", "scan", NOON)


def attempt(at, size=100):
    value = f"{at:08}" * (size // 8)
    seen = (Observation("http.title", value),)
    return Attempt("http", Endpoint(f"10.0.{at >> 8}.{at & 255}"), Outcome.ANSWERED, seen, NOON)


def refused(url):
    with pytest.raises(LedgerError) as caught:
        Ledger.open(url)
    assert caught.value.what
    assert caught.value.hint
    return caught.value


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


def filled(path):
    with Ledger.open(f"sqlite:///{path}") as ledger:
        ledger.start(RUN)
        ledger.append("run-1", [attempt(at) for at in range(2000)])
        return ledger.head()


def test_a_file_of_another_kind_is_no_ledger(path):
    path.write_bytes(b"PK\x03\x04" + bytes(5000))
    assert "is no ledger" in refused(f"sqlite:///{path}").what


def test_a_database_of_another_program_is_left_alone(path):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    error = refused(f"sqlite:///{path}")
    assert "is no ledger" in error.what
    assert "recipes" in error.why


def test_a_damaged_ledger_says_so(path):
    filled(path)
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(LedgerError, match="is damaged"), Ledger.open(f"sqlite:///{path}") as ledger:
        ledger.verify()


def test_an_empty_file_becomes_a_ledger(path):
    path.touch()
    with Ledger.open(f"sqlite:///{path}") as ledger:
        assert ledger.head()[0] == 0


def test_a_ledger_of_a_newer_version_is_not_touched(path):
    filled(path)
    with sqlite3.connect(path) as later:
        later.execute(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9001'")
    later.close()
    error = refused(f"sqlite:///{path}")
    assert "newer version" in error.what
    assert "9001" in error.why


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////no/such/place/ledger.db", "does not exist"),
        ("sqlite:////", "is a directory"),
        ("sqlite://", "names no ledger"),
        ("sqlite:///:memory:", "names no ledger"),
        ("mysql://localhost/x", "names no ledger"),
        ("a ledger", "names no ledger"),
        ("", "names no ledger"),
        ("postgresql://auditor:secret@127.0.0.1:1/ledger", "cannot be reached"),
    ],
)
def test_an_address_that_leads_nowhere_is_explained(url, words):
    import re

    error = refused(url)
    assert re.search(words, error.what)
    assert "secret" not in " ".join(error.lines())


def test_a_postgresql_database_that_does_not_exist_is_explained(postgres):
    assert "does not exist" in refused(postgres.replace("/postgres?", "/nobody?")).what


def test_a_postgresql_database_of_a_narrow_encoding_is_refused(postgres):
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute("CREATE DATABASE narrow ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
        try:
            error = refused(postgres.replace("/postgres?", "/narrow?"))
        finally:
            server.execute("DROP DATABASE narrow WITH (FORCE)")
    assert "every character" in error.what
    assert "LATIN1" in error.why


def test_a_postgresql_user_without_rights_is_told_what_to_grant(postgres, fresh_postgres):
    with psycopg.connect(fresh_postgres, autocommit=True) as server:
        server.execute("CREATE ROLE visitor LOGIN")
        try:
            error = refused(fresh_postgres.replace("auditor@", "visitor@"))
        finally:
            server.execute("DROP ROLE visitor")
    assert "permission" in error.what
    assert "GRANT" in error.hint


def test_a_database_shared_with_another_program_is_fine_on_postgresql(fresh_postgres):
    with psycopg.connect(fresh_postgres, autocommit=True) as server:
        server.execute("CREATE TABLE jobs (n integer)")
    with Ledger.open(fresh_postgres) as ledger:
        assert ledger.verify().ok


def test_tables_of_the_same_names_are_not_overwritten(fresh_postgres):
    with psycopg.connect(fresh_postgres, autocommit=True) as server:
        server.execute("CREATE TABLE run (n integer)")
    assert "is no ledger" in refused(fresh_postgres).what


def test_a_locked_ledger_says_who_may_be_at_fault(url, monkeypatch):
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 100)
    with Ledger.open(url) as one, Ledger.open(url) as other:
        one.start(RUN)
        with one.importing(Run("run-2", "hq", "import", NOON), "ab" * 32, "hq"):
            with pytest.raises(LedgerError, match="in use"):
                other.append("run-1", [attempt(1)])
            assert list(other.attempts()) == []
        assert other.append("run-1", [attempt(1)]) == 1


def test_two_programs_that_open_a_new_ledger_at_once_agree(url):
    code = "import sys; from auditor.store.ledger import Ledger; Ledger.open(sys.argv[1]).close()"
    both = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(3)]
    assert [one.wait(60) for one in both] == [0, 0, 0]
    with Ledger.open(url) as ledger:
        assert ledger.verify().ok


def as_nobody(code, *arguments):
    """Run as a user whom the file system can refuse; root is refused nothing."""
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    command = [sys.executable, "-c", code, *map(str, arguments)]
    if os.geteuid() == 0:
        command = prefix + command
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


OPEN = """
import sys
from auditor.errors import AuditorError
from auditor.store.ledger import Ledger
try:
    Ledger.open(sys.argv[1]).close()
except AuditorError as error:
    print("\\n".join(error.lines()))
"""


@pytest.fixture
def folder():
    """Give a directory that everybody can reach."""
    path = Path(tempfile.mkdtemp(prefix="audstore-"))
    yield path
    path.chmod(0o755)
    shutil.rmtree(path)


@pytest.mark.parametrize("mode", [0o555, 0o700])
def test_a_directory_without_the_right_to_write_is_explained(folder, mode):
    """Read-only, or not to be entered at all."""
    if os.geteuid() != 0 and mode == 0o700:
        pytest.skip("skipped, because only root can make a directory that others own")
    folder.chmod(mode)
    shown = as_nobody(OPEN, f"sqlite:///{folder}/ledger.db")
    assert "may not be written" in shown.stdout, shown.stderr
    assert "fix:" in shown.stdout


def test_a_ledger_that_may_only_be_read_is_explained(folder):
    filled(folder / "ledger.db")
    (folder / "ledger.db").chmod(0o444)
    folder.chmod(0o777)
    shown = as_nobody(OPEN, f"sqlite:///{folder}/ledger.db")
    assert "may not be written" in shown.stdout, shown.stderr


FILL = """
import resource, sys
from datetime import UTC, datetime
from auditor.errors import LedgerError
from auditor.model.observation import *
from auditor.store.ledger import Ledger
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
moment = datetime(2026, 3, 4, 12, tzinfo=UTC)
seen = (Observation("http.title", "x" * 4000),)
with Ledger.open(sys.argv[1]) as ledger:
    if len(sys.argv) > 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    ledger.start(Run("full", "hq", "scan", moment))
    try:
        for at in range(100_000):
            ledger.append("full", [Attempt("http", Endpoint(f"10.0.0.{at % 250}"),
                                           Outcome.ANSWERED, seen, moment)] * 5)
            print(at, flush=True)
    except LedgerError as error:
        print("\\n".join(error.lines()))
"""


def committed(output):
    """Read what the writer was told is committed, and its last words."""
    lines = output.splitlines()
    return sum(line.isdigit() for line in lines), "\n".join(x for x in lines if not x.isdigit())


def test_a_file_that_may_not_grow_loses_nothing_committed(path):
    done = subprocess.run(
        [sys.executable, "-c", FILL, f"sqlite:///{path}", "3000000"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    count, words = committed(done.stdout)
    assert "error: the ledger" in words, done.stderr
    with Ledger.open(f"sqlite:///{path}") as ledger:
        assert ledger.counts()["attempt"] == 5 * count > 0
        assert ledger.verify().ok


@pytest.mark.skipif(
    subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode != 0,
    reason="skipped, because this machine allows no mount namespaces",
)
def test_a_full_disk_is_said_plainly_and_loses_nothing_committed(tmp_path):
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    script = (
        f"mount -t tmpfs -o size=4m tmpfs {disk} && {sys.executable} -c '{FILL}' "
        f"sqlite:///{disk}/ledger.db; cp -a {disk}/. {kept}/"
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=120
    )
    count, words = committed(done.stdout)
    assert "the disk is full" in words, done.stderr + words
    with Ledger.open(f"sqlite:///{kept}/ledger.db") as ledger:
        assert ledger.counts()["attempt"] == 5 * count > 0
        assert ledger.verify().ok
    shutil.rmtree(kept)
