"""Several programs at one ledger: nobody waits for long, nobody's facts are mixed up."""

import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

from auditor.errors import LedgerError
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome, Run
from auditor.store.ledger import Ledger

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)

WRITER = """
import sys
from datetime import UTC, datetime
from auditor.model.observation import *
from auditor.store.ledger import Ledger
moment, name = datetime(2026, 3, 4, 12, tzinfo=UTC), sys.argv[2]
with Ledger.open(sys.argv[1]) as ledger:
    ledger.start(Run(name, f"site-{name}", "scan", moment))
    for at in range(60):
        seen = (Observation("http.title", f"{name}{at}"),)
        ledger.append(name, [Attempt("http", Endpoint("10.0.0.1"), Outcome.ANSWERED, seen, moment)] * 3)
    ledger.finish(name, "complete", (), moment)
"""


def attempt(at):
    seen = (Observation("http.title", f"t{at}"),)
    return Attempt("http", Endpoint("10.0.0.1"), Outcome.ANSWERED, seen, NOON)


def titles(ledger, **which):
    return [stored.attempt.observations[0].value for stored in ledger.attempts(**which)]


def test_programs_that_write_at_once_keep_their_own_order(url):
    Ledger.open(url).close()
    names = ["a", "b", "c"]
    programs = [subprocess.Popen([sys.executable, "-c", WRITER, url, name]) for name in names]
    with Ledger.open(url) as ledger:
        while any(program.poll() is None for program in programs):
            rows, head = ledger.head()
            found = ledger.verify()  # in the middle of it all
            assert found.ok
            assert found.rows >= rows
            assert len(head) == 64
        assert [program.wait(60) for program in programs] == [0, 0, 0]
        assert ledger.verify().ok
        for name in names:
            expected = [f"{name}{at}" for at in range(60) for _ in range(3)]
            assert titles(ledger, run=name) == titles(ledger, site=f"site-{name}") == expected
        assert ledger.counts()["attempt"] == 540


def test_threads_of_one_program_may_share_a_ledger(ledger):
    errors = []

    def write(name):
        try:
            ledger.start(Run(name, "hq", "scan", NOON))
            for at in range(40):
                ledger.append(name, [attempt(at)])
        except LedgerError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(f"t{at}",)) for at in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert errors == []
    assert ledger.verify().ok
    for at in range(4):
        assert titles(ledger, run=f"t{at}") == [f"t{n}" for n in range(40)]


def test_a_reader_sees_one_state_from_beginning_to_end(ledger):
    ledger.start(Run("scan", "hq", "scan", NOON))
    ledger.append("scan", [attempt(at) for at in range(2500)])
    first, second = ledger.attempts(), ledger.attempts()
    next(first)
    ledger.append("scan", [attempt(1)])
    ledger.append("scan", [attempt(2)])
    assert sum(1 for _ in first) == 2499
    assert sum(1 for _ in second) == 2502  # it began to read only now


def test_readers_do_not_wait_for_a_long_import(ledger):
    ledger.start(Run("scan", "hq", "scan", NOON))
    ledger.append("scan", [attempt(1)])
    before = ledger.head()
    with ledger.importing(Run("import", "hq", "import", NOON), "ab" * 32, "hq") as batch:
        batch.append([attempt(at) for at in range(3000)])
        assert ledger.head() == before
        assert titles(ledger) == ["t1"]
        assert ledger.verify().ok
    assert ledger.counts()["attempt"] == 3001


def test_an_abandoned_stream_holds_nobody_up(ledger):
    ledger.start(Run("scan", "hq", "scan", NOON))
    ledger.append("scan", [attempt(at) for at in range(2500)])
    for _ in range(30):  # more than the pool has connections
        stream = ledger.attempts()
        next(stream)
        stream.close()
    ledger.append("scan", [attempt(1)])
    assert ledger.counts()["attempt"] == 2501


def test_a_closed_ledger_leaves_no_files_but_its_own(tmp_path):
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        ledger.start(Run("scan", "hq", "scan", NOON))
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.db"]


def test_what_is_new_costs_what_is_new(ledger):
    """Reading on from a place does not read what stands before it."""
    ledger.start(Run("scan", "hq", "scan", NOON))
    ledger.append("scan", [attempt(at) for at in range(5000)])
    ledger.append("scan", [attempt(at) for at in range(5)])
    assert [s.seq for s in ledger.attempts(after=5000)] == [5001, 5002, 5003, 5004, 5005]
    assert list(ledger.attempts(after=5005)) == []


@pytest.mark.parametrize("size", [1 << 10, 1 << 20])
def test_large_values_and_many_observations_are_kept(ledger, size):
    seen = tuple(Observation(f"f{at}", "é" * (size // 64), b"\x00" * at) for at in range(64))
    one = Attempt("http", Endpoint("10.0.0.1"), Outcome.GARBLED, seen, NOON, 1.5, "x" * size)
    ledger.start(Run("scan", "hq", "scan", NOON))
    ledger.append("scan", [one])
    assert [stored.attempt for stored in ledger.attempts()] == [one]
    assert ledger.verify().ok
