"""A scan into PostgreSQL that is killed again and again ends as one that nobody killed."""

import os
import random
import signal
import subprocess

import pytest

from auditor.store.ledger import Ledger
from tests.net.stage import Cable
from tests.test_interrupted import ENV, ended, facts, run, start

TARGETS = "127.0.7.0/28"
KILLS, QUICK = 6, ("--pace", "60")
pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def cable():
    if os.geteuid() != 0:
        pytest.skip("skipped, because network namespaces need root here")
    made = Cable()
    made.lay()
    yield made
    made.cut()


def killed(cable, db, delay_s, *words, env):
    """Kill a scan after so long; it must not have ended by then."""
    running = start(cable, db, *words, env=env)
    try:
        running.wait(delay_s)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        return True
    raise AssertionError(running.communicate())


def test_a_scan_into_a_server_that_is_killed_ends_as_one_that_is_not(
    cable, fresh_postgres, tmp_path
):
    dice, env = random.Random(7), {**ENV, "XDG_DATA_HOME": str(tmp_path)}
    assert run(cable, tmp_path / "whole.db", "scan", TARGETS, *QUICK)[0] == 0
    words, kills = ("scan", TARGETS, *QUICK), 0
    for _ in range(KILLS):
        kills += killed(cable, fresh_postgres, dice.uniform(1.2, 2.2), *words, env=env)
        words = ("scan", "--resume") if begun(fresh_postgres) else words
    assert kills == KILLS
    last = start(cable, fresh_postgres, "scan", "--resume", env=env)
    _, err = last.communicate(timeout=120)
    assert last.returncode == 0, err
    assert ended(fresh_postgres).status == "complete"
    assert facts(fresh_postgres) == facts(tmp_path / "whole.db")
    assert not list((tmp_path / "auditor" / "sent").glob("*"))


def begun(db):
    with Ledger.open(db) as ledger:
        return bool(ledger.runs())
