"""Whatever is changed in the database, in whichever column, is found and named."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from auditor.errors import LedgerError
from auditor.model.decision import Decision, DecisionKind
from auditor.model.journal import Sent
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome, Run
from auditor.store.ledger import Ledger
from auditor.store.tables import FACTS, columns
from auditor.store.values import Signature

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
EVERY = [(kind, column) for kind in FACTS for column in columns(kind)]
NUMBERS = {"n", "seq", "run", "shape", "port", "vlan"}


def attempt(at):
    seen = (Observation("http.title", f"t{at}", b"raw %d" % at),)
    end = Endpoint(f"10.0.0.{at}", f"00:aa:01:00:00:{at:02x}", 80, "tcp", 7)
    return Attempt("http", end, Outcome.ANSWERED, seen, NOON, 0.5, f"d{at}")


def fill(ledger):
    """Put something into every table, twice into those that allow it."""
    for at in (1, 2):
        with ledger.importing(Run(f"r{at}", "hq", "import", NOON), f"{at:064x}", "hq") as batch:
            batch.append([attempt(n) for n in range(at * 10, at * 10 + 10)])
            batch.finish("complete", ("note",), NOON)
        ledger.journal(f"r{at}", [Sent(NOON, "arp", "10.0.0.1"), Sent(NOON, "tcp", "10.0.0.2", 80)])
        ledger.decide(Decision(f"d{at}", DecisionKind.RECORD, "A. Roy", NOON, "seen", ()))
        ledger.save_snapshot(f"s{at}", NOON, ledger.head()[1], ledger.head()[0], {"n": at})
        ledger.sign_snapshot(Signature(f"s{at}", "A. Roy", NOON, "c2ln"))


def by_force(ledger, statement, **values):
    """Change the database as only its owner can, without triggers and without foreign keys."""
    with ledger.engine.connect() as connection:
        if ledger.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")  # of the transaction that connecting began
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            names = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type='trigger'"
            )
            for (name,) in names.all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            connection.exec_driver_sql("BEGIN")
        else:
            connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text(statement), values)
        connection.commit()
        connection.invalidate()


@pytest.fixture(params=["sqlite", "postgresql"])
def full(request, tmp_path):
    """Give a ledger with something in every table."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres")
    with Ledger.open(url) as ledger:
        fill(ledger)
        assert ledger.verify().ok
        yield ledger


@pytest.mark.parametrize(("kind", "column"), EVERY, ids=[".".join(one) for one in EVERY])
def test_a_change_in_any_column_of_any_fact_is_found(full, kind, column):
    key = columns(kind)[0]
    value = 3001 if column in NUMBERS else 0.25 if column == "elapsed_s" else "changed"
    if column == "hash":
        value = bytes(32)
    last = full.counts()[kind]
    by_force(full, f"UPDATE {kind} SET {column} = :value WHERE {key} = {last}", value=value)
    found = full.verify()
    assert (found.ok, found.first_broken) == (False, f"{kind} {last}")
    assert found.reason


@pytest.mark.parametrize("kind", FACTS)
def test_a_row_put_in_beside_the_chain_is_found(full, kind):
    key, *names = columns(kind)
    last = full.counts()[kind]
    unique = {"id": "'other'", "sha256": "'other'"}
    copied = ", ".join(unique.get(name, name) for name in names)
    by_force(
        full,
        f"INSERT INTO {kind} ({key}, {', '.join(names)})"
        f" SELECT {last + 5}, {copied} FROM {kind} WHERE {key} = {last}",
    )
    assert full.verify().first_broken == f"{kind} {last + 5}"


@pytest.mark.parametrize("column", ["kind", "first", "last", "run", "nth", "rows", "hash"])
def test_a_change_in_any_column_of_a_link_is_found(full, column):
    value = {"kind": "raw", "hash": bytes(32)}.get(column, 4004)
    by_force(full, f"UPDATE link SET {column} = :value WHERE seq = 3", value=value)
    assert not full.verify().ok


def test_two_rows_that_change_places_are_found(full):
    by_force(full, "UPDATE attempt SET seq = 999 WHERE seq = 4")
    by_force(full, "UPDATE attempt SET seq = 4 WHERE seq = 5")
    by_force(full, "UPDATE attempt SET seq = 5 WHERE seq = 999")
    assert full.verify().first_broken == "attempt 4"


def test_opinions_may_change_without_anybody_being_told(full):
    by_force(full, "INSERT INTO opinion (version, device, facts, doc) VALUES ('v', 'd', '', '{}')")
    assert full.verify().ok


def test_a_ledger_that_was_cut_back_to_an_earlier_state_is_found_by_a_later_report(full):
    """Removing the newest links and their rows leaves a whole chain, but not the reported one."""
    head = full.head()
    full.finish("r1", "complete", ("late",), NOON + timedelta(days=1))
    rows, late = full.head()
    full.save_snapshot("s3", NOON, late, rows, {})
    last = full.counts()["closing"]
    snapshot = full.counts()["snapshot"]
    by_force(full, f"DELETE FROM closing WHERE n = {last}")
    by_force(full, f"DELETE FROM snapshot WHERE n = {snapshot}")
    by_force(full, "DELETE FROM link WHERE seq > (SELECT max(seq) - 2 FROM link)")
    assert full.verify().ok  # the rest is whole: only the head can tell
    assert full.verify().head == full.head()[1] == head[1] != late


READERS = {
    "run": lambda ledger: ledger.runs(),
    "closing": lambda ledger: ledger.runs(),
    "decision": lambda ledger: ledger.decisions(),
    "journal": lambda ledger: list(ledger.journaled()),
    "snapshot": lambda ledger: ledger.snapshots(),
    "signature": lambda ledger: ledger.signatures("s2"),
    "imported": lambda ledger: ledger.imports(),
    "attempt": lambda ledger: list(ledger.attempts()),
}


@pytest.mark.parametrize("kind", READERS)
def test_a_row_that_makes_no_sense_is_an_error_with_a_way_out(full, kind):
    by_force(full, f"UPDATE {kind} SET doc = :doc", doc="[")
    with pytest.raises(LedgerError, match="cannot be read") as caught:
        READERS[kind](full)
    assert "verify" in caught.value.hint
    assert not full.verify().ok


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("doc", ["", "null", "17", "{}", "[[[]]]", "[{}]"])
def test_no_row_however_changed_raises_anything_but_our_own_error(full, kind, doc):
    by_force(full, f"UPDATE {kind} SET doc = :doc", doc=doc)
    with contextlib.suppress(LedgerError):
        READERS[kind](full)
    assert not full.verify().ok
