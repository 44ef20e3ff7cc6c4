"""Killed at any moment: what was said to be committed is there, once, and the chain holds."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import psycopg
import pytest

from auditor.errors import LedgerError
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome, Run
from auditor.store.archive import export
from auditor.store.ledger import Ledger
from auditor.store.merge import merge

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
KILLS = int(os.environ.get("AUDITOR_KILLS", "10"))  # nightly: 50

COMMON = """
import random, sys
from datetime import UTC, datetime
from auditor.model.block import Block
from auditor.model.observation import *
from auditor.store.ledger import Ledger
moment = datetime(2026, 3, 4, 12, tzinfo=UTC)
def attempt(at):
    seen = (Observation("http.title", f"t{at}", b"raw %d" % (at % 50)),)
    return Attempt("http", Endpoint(f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}", None, 80),
                   Outcome.ANSWERED, seen, moment, 0.0, str(at))
"""

SCAN = (
    COMMON
    + """
with Ledger.open(sys.argv[1]) as ledger:
    if not ledger.runs():
        ledger.start(Run("scan", "hq", "scan", moment))
    at = len(ledger.answered("scan"))
    print("ready", flush=True)
    while True:
        count = random.choice((1, 3, 20, 100))
        ledger.append("scan", [attempt(n) for n in range(at, at + count)])
        at += count
        print(at, flush=True)
"""
)

IMPORT = (
    COMMON
    + """
def blocks():
    for first in range(0, 20_000, 500):
        records = [(None, None, str(at), [f"T{at}"]) for at in range(first, first + 500)]
        if first == 500:
            print("ready", flush=True)
        yield Block("asset_csv", ("asset.tag",), records, moment)
with Ledger.open(sys.argv[1]) as ledger:
    with ledger.importing(Run(f"import-{sys.argv[2]}", "hq", "import", moment), "ab" * 32, "hq") as batch:
        print(batch.append(blocks()), flush=True)
print("in", flush=True)
"""
)


def kill_after(code, seconds, *arguments):
    """Run a program and kill it so long after it said that it is ready; give what it said."""
    program = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    first = program.stdout.readline()
    assert first == "ready\n"
    time.sleep(seconds)
    program.send_signal(signal.SIGKILL)
    said = program.stdout.read()
    program.wait(20)
    program.stdout.close()
    return [int(line) for line in said.splitlines() if line.isdigit()], said.endswith("in\n")


def test_a_scan_killed_at_random_moments_loses_and_doubles_nothing(url):
    chance = random.Random(5)
    promised = 0
    for _ in range(KILLS):
        said, _ = kill_after(SCAN, chance.uniform(0.0, 0.25), url)
        promised = said[-1] if said else promised
        with Ledger.open(url) as ledger:
            found = [int(stored.attempt.detail) for stored in ledger.attempts()]
            assert found == list(range(len(found)))  # in order, none lost, none twice
            assert promised <= len(found) <= promised + 100  # one commit may not have been told
            promised = len(found)
            verified = ledger.verify()
            assert (verified.ok, verified.reason) == (True, "")
    assert promised > 0


def test_an_import_killed_at_random_moments_is_in_or_not_in(url):
    chance = random.Random(6)
    was_in = False
    for at in range(KILLS):
        _, told = (
            kill_after(IMPORT, chance.uniform(0.0, 0.3), url, at) if not was_in else ([], True)
        )
        with Ledger.open(url) as ledger:
            counts = ledger.counts()
            state = (counts["run"], counts["attempt"], counts["imported"])
            assert state in {(0, 0, 0), (1, 20_000, 1)}
            was_in = state[0] == 1
            assert was_in or not told
            assert ledger.verify().ok
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, url, "last"], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.endswith("in\n"), done.stderr
    with Ledger.open(url) as ledger:
        assert ledger.counts()["attempt"] == 20_000


def test_a_killed_importer_holds_nobody_up(url):
    """The lock of a dead process is gone with it, on SQLite and on PostgreSQL."""
    Ledger.open(url).close()
    program = subprocess.Popen(
        [sys.executable, "-c", IMPORT.replace('print("ready", flush=True)',
         'print("ready", flush=True); import time; time.sleep(60)'), url, "x"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stdout.readline() == "ready\n"
    program.kill()
    program.wait(20)
    program.stdout.close()
    began = time.monotonic()
    with Ledger.open(url) as ledger:
        ledger.start(Run("next", "hq", "scan", NOON))
        assert ledger.counts()["attempt"] == 0
    assert time.monotonic() - began < 5


def test_a_server_that_loses_our_connection_is_reported_and_can_be_used_again(fresh_postgres):
    with (
        Ledger.open(fresh_postgres) as ledger,
        psycopg.connect(fresh_postgres, autocommit=True) as server,
    ):
        ledger.start(Run("scan", "hq", "scan", NOON))
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'auditor' AND datname = current_database()"
        )
        seen = (Observation("http.title", "t"),)
        one = Attempt("http", Endpoint("10.0.0.1"), Outcome.ANSWERED, seen, NOON)
        with pytest.raises(LedgerError) as caught:
            ledger.append("scan", [one])
        assert caught.value.hint
        assert ledger.append("scan", [one]) == 1
        assert ledger.verify().ok


def test_a_server_that_crashes_in_the_middle_loses_nothing_committed(server, fresh_postgres):
    for _ in range(3):
        program = subprocess.Popen(
            [sys.executable, "-c", SCAN, fresh_postgres],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert program.stdout.readline() == "ready\n"
        time.sleep(0.2)
        server.crash()
        said, errors = program.communicate(timeout=30)
        server.start()
        assert "LedgerError" in errors
        with Ledger.open(fresh_postgres) as ledger:
            found = [int(stored.attempt.detail) for stored in ledger.attempts()]
            assert found == list(range(len(found)))
            assert len(found) >= max([0, *map(int, said.split())])
            assert ledger.verify().ok


def test_a_power_cut_in_the_log_leaves_the_last_whole_commit(tmp_path):
    """Cut SQLite's write-ahead log anywhere: every commit before the cut is there, whole."""
    path = tmp_path / "ledger.db"
    with Ledger.open(f"sqlite:///{path}") as ledger:
        ledger.start(Run("scan", "hq", "scan", NOON))
        for at in range(30):
            seen = (Observation("http.title", f"{at}"),)
            ledger.append(
                "scan", [Attempt("http", Endpoint("10.0.0.1"), Outcome.ANSWERED, seen, NOON)]
            )
        main, log = path.read_bytes(), path.with_name("ledger.db-wal").read_bytes()
    counts, dice = [], random.Random(9)
    for cut in (0, *sorted(dice.sample(range(1, len(log)), 60)), len(log)):
        other = tmp_path / f"cut{cut}.db"
        other.write_bytes(main)
        other.with_name(f"{other.name}-wal").write_bytes(log[:cut])
        with Ledger.open(f"sqlite:///{other}") as ledger:
            assert ledger.verify().ok
            counts.append(ledger.counts()["attempt"])
    assert counts == sorted(counts)
    assert counts[-1] == 30


def test_the_files_of_any_moment_are_a_whole_ledger(tmp_path):
    """What stands on the disk while a scan writes opens elsewhere, without the shared index."""
    path, dice, before = tmp_path / "ledger.db", random.Random(8), 0
    program = subprocess.Popen(
        [sys.executable, "-c", SCAN, f"sqlite:///{path}"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout.readline() == "ready\n"
        for number in range(max(3, KILLS // 3)):
            promised = int(program.stdout.readline())
            time.sleep(dice.uniform(0.0, 0.1))
            program.send_signal(signal.SIGSTOP)
            image = tmp_path / f"image{number}.db"
            for end in ("", "-wal"):
                shutil.copy(f"{path}{end}", f"{image}{end}")
            program.send_signal(signal.SIGCONT)
            with Ledger.open(f"sqlite:///{image}") as ledger:
                assert ledger.verify().ok
                count = ledger.counts()["attempt"]
            assert max(promised, before) <= count
            before = count
    finally:
        program.kill()
        program.wait(20)
        program.stdout.close()


INJECTED = (
    COMMON
    + """
from auditor.errors import LedgerError
done = 0
try:
    with Ledger.open(sys.argv[1]) as ledger:
        if not ledger.runs():
            ledger.start(Run("scan", "hq", "scan", moment))
        for at in range(100):
            try:
                ledger.append("scan", [attempt(at)])
                done += 1
            except LedgerError as error:
                assert error.why and error.hint, error
except LedgerError as error:
    assert error.why and error.hint, error
print("ready", done)
"""
)


@pytest.mark.parametrize(("call", "error"), [("pwrite64", "ENOSPC"), ("fdatasync", "EIO")])
def test_a_call_that_fails_at_any_place_is_told_and_nothing_told_is_lost(tmp_path, call, error):
    if shutil.which("strace") is None:
        pytest.skip("skipped, because strace is not installed")
    for at in (1, 30, "90+"):
        path = tmp_path / f"{at}.db"
        done = subprocess.run(
            ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
             "-e", f"inject={call}:error={error}:when={at}",
             sys.executable, "-c", INJECTED, f"sqlite:///{path}"],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        if "ptrace" in done.stderr:
            pytest.skip("skipped, because this machine lets nobody be traced")
        assert done.returncode == 0, done.stderr
        told = int(done.stdout.split()[-1])
        with Ledger.open(f"sqlite:///{path}") as ledger:
            assert ledger.verify().ok
            # a commit that was refused may stand all the same; one that was told must
            assert told <= ledger.counts()["attempt"] <= 100


FAULTY = (
    COMMON
    + """
import ctypes, os, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import resource
with Ledger.open(sys.argv[1]) as ledger:
    ledger.start(Run("scan", "hq", "scan", moment))
    size = os.path.getsize(sys.argv[2]) if os.path.exists(sys.argv[2]) else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + int(sys.argv[3]),) * 2)
    from auditor.errors import LedgerError
    done = 0
    for at in range(300):
        try:
            ledger.append("scan", [attempt(at)])
            done += 1
        except LedgerError as error:
            assert error.why and error.hint, error
    print(done)
"""
)


@pytest.mark.parametrize("room", [0, 1, 4096, 9000, 33_000, 100_001])
def test_a_write_that_fails_at_any_place_is_told_and_nothing_told_is_lost(tmp_path, room):
    path = tmp_path / "ledger.db"
    done = subprocess.run(
        [sys.executable, "-c", FAULTY, f"sqlite:///{path}", f"{path}-wal", str(room)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Ledger.open(f"sqlite:///{path}") as ledger:
        assert ledger.counts()["attempt"] == int(done.stdout)
        assert ledger.verify().ok


MERGE = """
import sys
from pathlib import Path
from auditor.store.ledger import Ledger
from auditor.store.merge import merge
with Ledger.open(sys.argv[1]) as ledger:
    print("ready", flush=True)
    merge(ledger, Path(sys.argv[2]))
print("in", flush=True)
"""


def test_a_merge_killed_at_random_moments_is_in_or_not_in(tmp_path, url):
    with Ledger.open(f"sqlite:///{tmp_path}/source.db") as source:
        source.start(Run("scan", "hq", "scan", NOON))
        for first in range(0, 6000, 500):
            source.append("scan", [
                Attempt("http", Endpoint(f"10.0.0.{at % 250}"), Outcome.ANSWERED,
                        (Observation("http.title", f"{at}", b"%d" % at),), NOON, 0.0, str(at))
                for at in range(first, first + 500)
            ])  # fmt: skip
        export(source, "hq", tmp_path / "b")
    chance = random.Random(7)
    for _ in range(max(3, KILLS // 3)):
        kill_after(MERGE, chance.uniform(0.0, 0.5), url, tmp_path / "b")
        with Ledger.open(url) as ledger:
            assert ledger.counts()["attempt"] in {0, 6000}
            assert ledger.verify().ok
    with Ledger.open(url) as ledger:
        merge(ledger, tmp_path / "b")
        assert ledger.counts()["attempt"] == 6000
