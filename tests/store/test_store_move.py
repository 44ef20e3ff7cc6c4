"""A whole ledger that goes to another place: moved, backed up, restored."""

from datetime import UTC, datetime

import pytest

from auditor.errors import LedgerError
from auditor.model.decision import Decision, DecisionKind
from auditor.model.journal import Sent
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome, Run
from auditor.store.ledger import Ledger
from auditor.store.move import backup, move, restore
from auditor.store.values import Opinion, Signature

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def attempt(at):
    seen = (Observation("http.title", f"t\x00\ud800{at}", b"raw %d" % at),)
    return Attempt(
        "http", Endpoint(f"10.0.0.{at % 250}"), Outcome.ANSWERED, seen, NOON, 0.1, f"n{at}"
    )


@pytest.fixture
def address(tmp_path):
    """Give the address of a ledger with a little of everything."""
    url = f"sqlite:///{tmp_path}/site.db"
    with Ledger.open(url) as ledger:
        with ledger.importing(Run("imp", "hq", "import", NOON), "ab" * 32, "hq", "a.csv") as batch:
            batch.append([attempt(at) for at in range(300)])
        ledger.journal("imp", [Sent(NOON, "arp", "10.0.0.1")])
        ledger.decide(
            Decision("d1", DecisionKind.RECORD, "A. Roy", NOON, "seen", (("site", "hq"),))
        )
        ledger.save_snapshot("s1", NOON, ledger.head()[1], ledger.head()[0], {"n": 1})
        ledger.sign_snapshot(Signature("s1", "A. Roy", NOON, "c2ln"))
        ledger.save_opinions("v1", [Opinion("d", "1", "{}")])
    return url


def tampered(address):
    with Ledger.open(address) as ledger, ledger.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER attempt_no_update")
        connection.exec_driver_sql("UPDATE attempt SET detail = 'forged' WHERE seq = 3")


def test_a_ledger_moves_to_another_database_with_its_chain(address, url):
    rows = move(address, url)
    with Ledger.open(address) as site, Ledger.open(url) as moved:
        assert moved.head() == site.head() == (rows, site.head()[1])
        assert list(moved.attempts()) == list(site.attempts())
        assert moved.runs() == site.runs()
        assert moved.snapshots() == site.snapshots()
        assert moved.signatures("s1") == site.signatures("s1")
        assert list(moved.journaled()) == list(site.journaled())
        assert moved.counts() == {**site.counts(), "opinion": 0}
        moved.append("imp", [attempt(99)])
        assert moved.verify().ok


def test_a_ledger_moves_back_from_postgresql(address, fresh_postgres, tmp_path):
    back = f"sqlite:///{tmp_path}/back.db"
    assert move(address, fresh_postgres) == move(fresh_postgres, back)
    with Ledger.open(address) as site, Ledger.open(back) as moved:
        assert list(moved.attempts()) == list(site.attempts())
        assert moved.head() == site.head()


def test_a_ledger_is_moved_only_into_an_empty_one_and_only_if_it_exists(address, url, tmp_path):
    move(address, url)
    with pytest.raises(LedgerError, match="is not empty"):
        move(address, url)
    with pytest.raises(LedgerError, match="does not exist"):
        move(f"sqlite:///{tmp_path}/none.db", url)
    assert not (tmp_path / "none.db").exists()


def test_a_tampered_ledger_does_not_move(address, fresh_postgres):
    tampered(address)
    with pytest.raises(LedgerError, match="does not verify"):
        move(address, fresh_postgres)


def test_a_backup_taken_in_use_is_a_whole_ledger(address, tmp_path):
    copy, again = tmp_path / "copy.db", tmp_path / "again.db"
    with Ledger.open(address) as ledger:
        rows, head = ledger.head()
        assert backup(address, copy) == rows
        ledger.append("imp", [attempt(99)])
    assert restore(copy, f"sqlite:///{again}") == rows
    with Ledger.open(f"sqlite:///{again}") as restored:
        assert restored.head() == (rows, head)
    assert not list(tmp_path.glob("*.part*"))


def test_a_backup_overwrites_nothing_and_needs_a_place(address, tmp_path):
    (tmp_path / "copy.db").touch()
    with pytest.raises(LedgerError, match="exists already"):
        backup(address, tmp_path / "copy.db")
    with pytest.raises(LedgerError):
        backup(address, tmp_path / "no" / "such" / "place.db")
    with pytest.raises(LedgerError, match="exists already"):
        restore(tmp_path / "copy.db", address)
    with pytest.raises(LedgerError, match="only an embedded ledger"):
        backup("postgresql://localhost/x", tmp_path / "other.db")


def test_a_damaged_backup_is_not_restored(address, tmp_path):
    copy = tmp_path / "copy.db"
    backup(address, copy)
    data = bytearray(copy.read_bytes())
    at = data.find(b"n117")
    data[at : at + 4] = b"m117"
    copy.write_bytes(data)
    with pytest.raises(LedgerError, match="is damaged"):
        restore(copy, f"sqlite:///{tmp_path}/again.db")
    assert not (tmp_path / "again.db").exists()
    with pytest.raises(LedgerError, match="does not exist"):
        restore(tmp_path / "none.db", f"sqlite:///{tmp_path}/again.db")


def test_a_backup_of_a_tampered_ledger_is_not_made(address, tmp_path):
    tampered(address)
    with pytest.raises(LedgerError, match="no copy was made"):
        backup(address, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_a_backup_is_restored_into_postgresql_too(address, tmp_path, fresh_postgres):
    rows = backup(address, tmp_path / "copy.db")
    assert restore(tmp_path / "copy.db", fresh_postgres) == rows
