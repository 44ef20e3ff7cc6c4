"""What was sent and is not yet in the ledger outlives the process that sent it."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from auditor.errors import UsageError
from auditor.model.journal import BEGAN, Sent, conversations
from auditor.store import spool
from auditor.store.spool import Spool, spool_of

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def sent(at, **more):
    return Sent(NOON + timedelta(seconds=at), "tcp", f"10.0.0.{at}", 80, tool="http", **more)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "l.db-sent"


def opened(path):
    return Spool(path, "run-1")


def test_lines_that_the_ledger_lacks_come_back_and_those_that_it_has_do_not(path):
    first = opened(path)
    for at in range(1, 6):
        first.note(at, sent(at, detail=BEGAN))
    first.close(done=False)
    second = opened(path)
    assert second.whole
    assert second.left(0) == [sent(at, detail=BEGAN) for at in range(1, 6)]
    assert second.left(3) == [sent(at, detail=BEGAN) for at in (4, 5)]
    assert second.left(5) == []
    assert conversations(second.left(3)) == {"10.0.0.4": 1, "10.0.0.5": 1}
    second.close(done=True)
    assert not path.exists()


def test_a_line_that_was_cut_short_ends_the_list(path):
    one = opened(path)
    one.note(1, sent(1))
    one.note(2, sent(2))
    one.close(done=False)
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1
    for cut in range(head, len(whole) + 1):
        path.write_bytes(whole[:cut])
        again = opened(path)
        assert again.left(0) == [sent(1), sent(2)][: whole[head:cut].count(b"\n")]
        again.close(done=False)


def test_an_emptied_file_begins_anew(path):
    one = opened(path)
    one.note(1, sent(1))
    one.empty()
    one.note(2, sent(2))
    one.close(done=False)
    again = opened(path)
    assert again.whole
    assert again.left(1) == [sent(2)]
    again.close(done=True)


def test_a_file_of_before_the_machine_stopped_is_not_whole(path, monkeypatch, tmp_path):
    one = opened(path)
    one.note(1, sent(1))
    one.close(done=False)
    other = tmp_path / "boot"
    other.write_text("another start")
    monkeypatch.setattr(spool, "BOOT", other)
    again = opened(path)
    assert not again.whole
    assert again.left(0) == [sent(1)]
    again.empty()
    assert again.whole
    again.close(done=True)


def test_a_run_is_collected_by_one_process_and_a_killed_one_lets_go(path):
    code = "import sys, time; from pathlib import Path; from auditor.store.spool import Spool;"
    code += " s = Spool(Path(sys.argv[1]), 'run-1'); print('ready', flush=True); time.sleep(60)"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "ready\n"
    with pytest.raises(UsageError, match="still going on"):
        opened(path)
    os.kill(other.pid, signal.SIGKILL)
    other.wait(10)
    other.stdout.close()
    opened(path).close(done=True)


def test_a_line_that_cannot_be_written_is_said(path):
    code = """
import resource, signal, sys
from pathlib import Path
from tests.store.test_store_spool import opened, sent
from auditor.errors import LedgerError
one = opened(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (one.size + 10,) * 2)
try:
    one.note(1, sent(1))
except LedgerError as error:
    print(error.what)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60
    )
    assert "sending was stopped" in done.stdout, done.stderr
    again = opened(path)
    assert again.left(0) == []
    again.close(done=True)


def test_the_file_lies_beside_an_embedded_ledger_and_nowhere_a_run_may_choose(tmp_path):
    beside = spool_of(f"sqlite:///{tmp_path}/l.db", "../../etc/passwd", tmp_path / "home")
    assert beside.parent == tmp_path and beside.name.startswith("l.db-sent-")
    apart = spool_of("postgresql://u@h/d", "../x", tmp_path / "home")
    assert apart.parent == tmp_path / "home"
