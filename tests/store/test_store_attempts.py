"""Attempts in bulk: blocks say what their attempts say, and nothing is lost on the way."""

import weakref
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from auditor.errors import DataError, LedgerError
from auditor.model.block import Block
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome, Run
from auditor.store import attempts as bulk

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
FIELDS = ("asset.tag", "asset.owner", "mac")


def record(at, tag="T"):
    return (f"10.0.{at >> 8}.{at & 255}", None, f"a.csv:{at}", [f"{tag}{at}", None, ""])


def block(rows, **changes):
    values = {"tool": "asset_csv", "fields": FIELDS, "records": rows, "started": NOON, **changes}
    return Block(**values)


def started(ledger, name="imp"):
    ledger.start(Run(name, "hq", "import", NOON))
    return name


def test_a_block_is_stored_as_its_attempts_would_be(ledger):
    rows = [record(at) for at in range(1700)]
    started(ledger)
    assert ledger.append("imp", [block(rows)]) == 1700
    assert [s.attempt for s in ledger.attempts()] == list(block(rows).attempts())
    assert ledger.verify().ok


def test_what_was_not_observed_is_no_empty_observation():
    (one,) = block([record(7)]).attempts()
    assert one.observations == (Observation("asset.tag", "T7"), Observation("mac", ""))
    assert (one.origin, one.endpoint.transport) == (Origin.FILE, "file")


def test_a_block_is_refused_when_it_is_ragged_or_timeless():
    with pytest.raises(DataError, match="one value for each of 3"):
        block([(None, None, "", ["a"])])
    with pytest.raises(DataError, match="without a zone"):
        block([], started=datetime(2026, 3, 4))


def test_blocks_and_attempts_mix_and_keep_their_order(ledger):
    one = Attempt("http", Endpoint("10.9.9.9", None, 80), Outcome.SILENT, (), NOON)
    items = [one, block([record(1), record(2)]), one, one, block([]), block([record(3)]), one]
    started(ledger)
    assert ledger.append("imp", items) == 7
    expected = [one, *block([record(1), record(2)]).attempts(), one, one,
                *block([record(3)]).attempts(), one]  # fmt: skip
    assert [s.attempt for s in ledger.attempts()] == expected
    assert ledger.verify().ok


hostile = st.text(st.characters(codec=None, categories=None), max_size=12) | st.sampled_from(
    ["\\", "\\N", "\\x41", "\t", "\n", "\x1a", "\x1a0041", "'", '"', "\u2028", "\ud800", "é"]
)
records = st.tuples(
    st.none() | hostile.filter(bool), st.none() | hostile.filter(bool), hostile,
    st.lists(st.none() | hostile, min_size=3, max_size=3),
)  # fmt: skip


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(records, min_size=1, max_size=20))
def test_hostile_text_survives_every_way_into_the_database(ledger, some):
    """20 rows go by INSERT, 600 by COPY on PostgreSQL and by one large statement on SQLite."""
    for times in (1, 600 // len(some) + 1):
        name = started(ledger, f"imp{ledger.counts()['run']}")
        ledger.append(name, [block(some * times)])
        stored = [s.attempt for s in ledger.attempts(run=name)]
        assert stored == list(block(some * times).attempts())
    assert ledger.verify().ok


def test_fields_are_written_once_however_many_rows_have_them(ledger):
    started(ledger)
    ledger.append("imp", [block([record(at) for at in range(50)])])
    ledger.append("imp", block([record(at) for at in range(50)]).attempts())
    assert ledger.counts()["shape"] == 2  # with the owner, and without


def test_more_kinds_of_rows_than_are_remembered_are_kept_all_the_same(ledger, monkeypatch):
    monkeypatch.setattr(bulk, "MAX_SHAPES", 3)
    started(ledger)
    some = [
        Attempt("x", Endpoint("10.0.0.1"), Outcome.ANSWERED,
                (Observation(f"f{at}", "v", b"raw"), Observation("g", "w")), NOON)
        for at in range(10)
    ]  # fmt: skip
    some += list(block([record(1)]).attempts())
    ledger.append("imp", some)
    ledger.append("imp", [block([record(1), record(2)])])
    assert [s.attempt for s in ledger.attempts()] == some + list(
        block([record(1), record(2)]).attempts()
    )
    assert ledger.counts()["shape"] == 3
    assert ledger.verify().ok


def test_raw_bytes_are_kept_once_however_often_they_came(ledger):
    started(ledger)
    seen = (Observation("http.response", "x", b"same"), Observation("http.title", "y", b"same"))
    ledger.append("imp", [Attempt("http", Endpoint("10.0.0.1"), Outcome.ANSWERED, seen, NOON)] * 30)
    ledger.append("imp", [Attempt("http", Endpoint("10.0.0.2"), Outcome.ANSWERED, seen, NOON)])
    assert ledger.counts()["raw"] == 1
    assert all(o.raw == b"same" for s in ledger.attempts() for o in s.attempt.observations)


def test_a_value_that_looks_like_the_name_of_raw_bytes_is_only_a_value(ledger):
    started(ledger)
    seen = (Observation("http.title", "x"), Observation("tls.sha256", "ab" * 32))
    one = Attempt("tls", Endpoint("10.0.0.1"), Outcome.ANSWERED, seen, NOON)
    ledger.append("imp", [one])
    assert next(iter(list(ledger.attempts()))).attempt == one
    assert ledger.verify().ok


def test_a_stream_is_let_go_of_as_it_is_taken(ledger):
    class Rows(list):
        """A list that can be watched."""

    made: list[weakref.ref[Rows]] = []
    most = 0

    def blocks():
        nonlocal most
        for first in range(0, 20_000, 500):
            rows = Rows(record(at) for at in range(first, first + 500))
            made.append(weakref.ref(rows))
            most = max(most, sum(ref() is not None for ref in made))
            yield block(rows)

    started(ledger)
    assert ledger.append("imp", blocks()) == 20_000
    assert most < 8


def test_a_row_that_cannot_be_read_is_an_error_with_a_way_out(ledger):
    started(ledger)
    ledger.append("imp", [block([record(1), record(2)])])
    with ledger.engine.begin() as connection:
        if ledger.engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER attempt_no_update"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE attempt SET doc = '[\"T1' WHERE seq = 2"))
    with pytest.raises(LedgerError, match="attempt 2 of the ledger cannot be read") as caught:
        list(ledger.attempts())
    assert "verify" in caught.value.hint
    assert ledger.verify().first_broken == "attempt 2"


def test_what_was_sent_is_recorded_with_what_came_of_it(ledger):
    from auditor.model.journal import Sent

    started(ledger)
    one = Attempt("arp", Endpoint("10.0.0.1"), Outcome.SILENT, (), NOON)
    ledger.append("imp", [one], [Sent(NOON, "arp", "10.0.0.1", count=2)])
    with pytest.raises(LedgerError):
        ledger.append("none", [one], [Sent(NOON, "arp", "10.0.0.1")])
    assert [sent.count for sent in ledger.journaled("imp")] == [2]


def test_one_address_is_looked_up_without_reading_the_rest(ledger):
    ledger.start(Run("lab", "lab", "import", NOON))
    started(ledger)
    mac = "00:aa:01:00:00:01"
    ledger.append("lab", [block([("10.0.0.1", None, "lab", ["T", None, None])])])
    ledger.append("imp", [block([record(at) for at in range(3000)])])
    ledger.append("imp", [block([(None, mac, "m", ["T", None, None])] * 1500)])
    assert [s.attempt.detail for s in ledger.about(ip="10.0.0.1")] == ["lab", "a.csv:1"]
    assert [s.site for s in ledger.about(ip="10.0.0.1", site="hq")] == ["hq"]
    both = list(ledger.about(ip="10.0.0.2", mac=mac))
    assert [s.seq for s in both] == [4, *range(3002, 4502)]
    assert list(ledger.about(ip="10.77.0.1")) == list(ledger.about()) == []


def test_a_long_block_is_cut_into_chunks_of_bounded_size():
    rows = [record(at) for at in range(2_345)]
    some = list(bulk.chunks([block(rows), block(rows[:10])], 1_000))
    assert [sum(map(bulk.size, chunk)) for chunk in some] == [1_000, 1_000, 355]
