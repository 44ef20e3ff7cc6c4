"""What the ledger promises, asked of both databases."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from auditor.errors import LedgerError
from auditor.model.decision import Decision, DecisionKind
from auditor.model.journal import Sent
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome, Run
from auditor.store.attempts import Decoder, Shapes, groups, raws_of, sealed, whole
from auditor.store.encoding import canonical
from auditor.store.ledger import Ledger
from auditor.store.tables import (
    closing_row,
    decision_row,
    decision_value,
    journal_row,
    journal_value,
    run_row,
    run_value,
)
from auditor.store.values import Opinion, Signature

NOON = datetime(2026, 3, 4, 12, 0, 0, 1, tzinfo=UTC)
RUN = Run("run-1", "hq", "scan", NOON, operator="M. Tremblay", scope='{"site":"hq"}')
HOSTILE = "\x00 \x1a \ud800 \udfff\U0001f4f7é\u2028'\"\\ud800 \ud83d\ude00"


def attempt(at: int = 1, **changes: object) -> Attempt:
    values = {
        "tool": "http",
        "endpoint": Endpoint(f"10.0.{at >> 8}.{at & 255}", f"00:aa:01:00:{at >> 8:02x}:{at & 255:02x}", 80),
        "outcome": Outcome.ANSWERED,
        "observations": (Observation("http.server", f"Acme-Webs/{at}", b"HTTP/1.1 200 OK\r\n"),),
        "started": NOON + timedelta(seconds=at),
        "elapsed_s": 0.1,
    }  # fmt: skip
    return Attempt(**{**values, **changes})  # type: ignore[arg-type]


def decision(name: str = "d1", **changes: object) -> Decision:
    values = {"kind": DecisionKind.RECORD, "by": "A. Roy", "at": NOON, "reason": "invoice 12",
              "subject": (("site", "hq"),), "values": (("sensitive", "yes"),)}  # fmt: skip
    return Decision(name, **{**values, **changes})  # type: ignore[arg-type]


# ---------------------------------------------------------------- every type, there and back

anything = st.text(st.characters(codec=None, categories=None), max_size=40) | st.just(HOSTILE)
moments = st.datetimes(timezones=st.just(UTC))
pairs = st.lists(st.tuples(anything, anything), max_size=3).map(tuple)
texts = st.lists(anything, max_size=3).map(tuple)
small = st.integers(0, 2**31 - 1)
runs = st.builds(Run, anything, anything, anything, moments, anything, anything, anything, anything,
                 st.none() | moments, anything, texts)  # fmt: skip
attempts = st.builds(
    Attempt,
    anything,
    st.builds(Endpoint, st.none() | anything.filter(bool), st.none() | anything.filter(bool),
              small, anything, st.none() | small),
    st.sampled_from(Outcome),
    st.lists(st.builds(Observation, anything, anything, st.binary(max_size=50)), max_size=4).map(tuple),
    moments,
    st.floats(allow_nan=False, allow_infinity=False),
    anything,
    st.sampled_from(Origin),
)  # fmt: skip
decisions = st.builds(
    Decision, anything, st.sampled_from(DecisionKind), anything, moments, anything, pairs, pairs,
    anything, st.none() | st.dates(), anything, texts, anything, st.none() | anything, texts,
)  # fmt: skip
sendings = st.builds(Sent, moments, anything, anything, small, small, small, anything, anything)


@given(runs)
def test_a_run_survives_the_tables(run):
    assert run_value(run_row(run), closing_row(1, run.status, run.ended, run.notes)) == run


@given(attempts)
def test_an_attempt_survives_the_tables(one):
    shapes = Shapes([])
    (group,) = groups(7, [one], shapes)
    rows, end = sealed(bytes(32), 1, group)
    ((_, _, *row, _),) = whole(group[0], rows)
    assert Decoder({1: tuple(o.field for o in one.observations)}).value(row, raws_of(one)) == one
    assert end == hashlib.sha256(bytes(32) + canonical((7, *row))).digest()


@given(decisions)
def test_a_decision_survives_the_tables(act):
    assert decision_value(decision_row(act)) == act


@given(sendings)
def test_what_was_sent_survives_the_tables(sent):
    assert journal_value(journal_row(7, sent)) == sent


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(attempts, min_size=1, max_size=120))
def test_attempts_survive_the_database(ledger, some):
    before = ledger.counts()
    name = f"run-{before['run']}"
    ledger.start(Run(name, "hq", "scan", NOON))
    assert ledger.append(name, some) == len(some)
    assert [stored.attempt for stored in ledger.attempts(run=name)] == some
    assert ledger.verify().ok


def test_sixteen_kibibytes_of_any_bytes_come_back(ledger):
    raw = bytes(range(256)) * 64
    seen = attempt(observations=(Observation("http.response", HOSTILE, raw),))
    ledger.start(RUN)
    ledger.append("run-1", [seen])
    (stored,) = ledger.attempts()
    assert stored.attempt == seen
    assert ledger.raw(seen.observations[0].raw_sha256) == raw
    assert ledger.raw("0" * 64) is None


# ---------------------------------------------------------------- runs


def test_a_run_is_open_until_it_is_finished_and_may_end_again(ledger):
    ledger.start(RUN)
    assert ledger.runs() == (RUN,)
    ledger.finish("run-1", "interrupted", ("Ctrl-C",), NOON)
    ledger.finish("run-1", "complete", (), NOON + timedelta(hours=1))
    (run,) = ledger.runs("hq")
    assert (run.status, run.notes, run.ended) == ("complete", (), NOON + timedelta(hours=1))
    assert ledger.runs("elsewhere") == ()


def test_a_run_has_one_beginning_and_nothing_is_appended_to_an_unknown_one(ledger):
    ledger.start(RUN)
    with pytest.raises(LedgerError, match="was started before"):
        ledger.start(RUN)
    with pytest.raises(LedgerError, match="not in the ledger"):
        ledger.append("run-2", [attempt()])
    assert ledger.counts()["attempt"] == 0


def test_attempts_stream_in_order_by_site_by_run_and_from_a_place_on(ledger):
    ledger.start(RUN)
    ledger.start(Run("run-2", "lab", "scan", NOON))
    for at in range(1, 7):
        ledger.append(f"run-{1 + at % 2}", [attempt(at)])
    assert [s.seq for s in ledger.attempts()] == [1, 2, 3, 4, 5, 6]
    assert [s.seq for s in ledger.attempts(site="lab")] == [1, 3, 5]
    assert [(s.seq, s.run, s.site) for s in ledger.attempts(run="run-1", after=2)] == [
        (4, "run-1", "hq"), (6, "run-1", "hq")]  # fmt: skip
    assert ledger.sites() == ("hq", "lab")


def test_a_stream_does_not_see_what_is_written_while_it_is_read(ledger):
    ledger.start(RUN)
    ledger.append("run-1", [attempt(at) for at in range(3000)])
    stream = ledger.attempts()
    next(stream)
    ledger.append("run-1", [attempt(9)])
    assert sum(1 for _ in stream) == 2999


def test_an_append_that_breaks_off_writes_nothing(ledger):
    def breaking():
        yield from (attempt(at) for at in range(6000))
        raise RuntimeError("the source broke")

    ledger.start(RUN)
    with pytest.raises(RuntimeError, match="the source broke"):
        ledger.append("run-1", breaking())
    assert ledger.counts()["attempt"] == 0
    assert ledger.counts()["raw"] == 0


def test_resuming_asks_again_only_what_was_not_asked(ledger):
    ledger.start(RUN)
    ends = (Outcome.ANSWERED, Outcome.SILENT, Outcome.NOT_TRIED, Outcome.CRASHED)
    ledger.append("run-1", [attempt(at, outcome=end) for at, end in enumerate(ends)])
    assert ledger.answered("run-1") == {("10.0.0.0", "http", 80), ("10.0.0.1", "http", 80)}


# ---------------------------------------------------------------- imports


def test_the_same_file_imported_twice_changes_nothing(ledger):
    first = Run("imp-1", "hq", "import", NOON)
    with ledger.importing(first, "ab" * 32, "hq", "assets.csv") as batch:
        batch.append(attempt(at) for at in range(10))
        batch.finish("complete", ("10 rows",), NOON)
    before = ledger.head()
    with ledger.importing(Run("imp-2", "hq", "import", NOON), "ab" * 32, "hq") as batch:
        assert batch.already == "imp-1"
        assert batch.append([attempt()]) == 0
    assert ledger.head() == before
    (known,) = ledger.imports("hq")
    assert (known.run, known.name, known.sha256) == ("imp-1", "assets.csv", "ab" * 32)
    assert ledger.runs()[0].notes == ("10 rows",)


def test_the_same_file_at_another_site_is_another_import(ledger):
    for site in ("hq", "lab"):
        with ledger.importing(Run(f"imp-{site}", site, "import", NOON), "ab" * 32, site) as batch:
            batch.append([attempt()])
    assert [s.site for s in ledger.attempts()] == ["hq", "lab"]


def test_an_import_that_breaks_off_leaves_no_trace_and_can_be_repeated(ledger):
    before = ledger.head()

    def broken():
        with ledger.importing(RUN, "cd" * 32, "hq") as batch:
            batch.append(attempt(at) for at in range(6000))
            raise RuntimeError("the file broke off")

    with pytest.raises(RuntimeError):
        broken()
    assert ledger.head() == before
    with ledger.importing(RUN, "cd" * 32, "hq") as batch:
        assert batch.already is None
        assert batch.append([attempt()]) == 1


# ---------------------------------------------------------------- decisions, journal, reports


def test_decisions_are_kept_in_order_once_and_never_edited(ledger):
    acts = [decision("d1", expires=date(2027, 1, 1)), decision("d2", notes=(HOSTILE,))]
    for act in (*acts, acts[0]):
        ledger.decide(act)
    assert list(ledger.decisions()) == acts
    with pytest.raises(LedgerError, match="says something else"):
        ledger.decide(decision("d1", reason="another"))


def test_facts_of_a_site_and_of_the_organisation_come_from_decisions(ledger):
    ledger.decide(decision("d1"))
    ledger.decide(decision("d2", values=(("sensitive", "no"), ("floor", "3"))))
    ledger.decide(decision("d3", values=(("wrong", "yes"),)))
    ledger.decide(decision("d4", kind=DecisionKind.WITHDRAWN, withdraws="d3"))
    ledger.decide(decision("d5", subject=(), values=(("receives_grants", "yes"),)))
    ledger.decide(decision("d6", subject=(("site", "hq"), ("mac", "x")), values=(("a", "b"),)))
    assert ledger.site_facts("hq") == {"sensitive": "no", "floor": "3"}
    assert ledger.site_facts("lab") == {}
    assert ledger.organisation_facts() == {"receives_grants": "yes"}


def test_the_journal_can_be_handed_over(ledger):
    ledger.start(RUN)
    ledger.start(Run("run-2", "hq", "scan", NOON))
    sent = [Sent(NOON, "arp", f"10.0.0.{at}", count=2, size=56) for at in range(250)]
    ledger.journal("run-1", sent)
    ledger.journal("run-2", [Sent(NOON, "tcp", "10.0.0.1", 80, tool="http")])
    assert list(ledger.journaled("run-1")) == sent
    assert sum(1 for _ in ledger.journaled()) == 251
    assert ledger.verify().ok


def test_a_report_is_remembered_and_signed(ledger):
    ledger.start(RUN)
    rows, head = ledger.head()
    for _ in range(2):
        ledger.save_snapshot("s1", NOON, head, rows, {"devices": {"d": "nonconforming"}})
    (kept,) = ledger.snapshots()
    assert (kept.id, kept.chain_head, kept.rows) == ("s1", head, 1)
    assert kept.summary == {"devices": {"d": "nonconforming"}}
    signed = Signature("s1", "A. Roy", NOON, "c2ln", "key", "I have read it.")
    ledger.sign_snapshot(signed)
    assert ledger.signatures("s1") == (signed,)
    with pytest.raises(LedgerError, match="not in the ledger"):
        ledger.sign_snapshot(Signature("s9", "A. Roy", NOON, "c2ln"))


def test_opinions_are_replaced_streamed_and_forgotten_without_touching_facts(ledger):
    head = ledger.head()
    ledger.save_opinions("v1", [Opinion(f"d{at:05}", "1", "{}") for at in range(6000)])
    ledger.save_opinions("v1", [Opinion("d00001", "2", HOSTILE)])
    ledger.save_opinions("v2", [Opinion("d00001", "1", "{}")])
    kept = list(ledger.opinions("v1"))
    assert len(kept) == 6000
    assert kept[1] == Opinion("d00001", "2", HOSTILE)
    ledger.forget_opinions("v1", ["d00001"])
    assert sum(1 for _ in ledger.opinions("v1")) == 5999
    ledger.forget_opinions("v1")
    assert ledger.counts()["opinion"] == 1
    ledger.forget_opinions()
    assert ledger.counts()["opinion"] == 0
    assert ledger.head() == head


# ---------------------------------------------------------------- the chain


def filled(ledger: Ledger) -> None:
    ledger.start(RUN)
    ledger.append("run-1", [attempt(at) for at in range(1, 21)])
    ledger.append("run-1", [attempt(at) for at in range(21, 31)])
    ledger.decide(decision())
    ledger.finish("run-1", ended=NOON)


def tamper(ledger: Ledger, *statements: str) -> None:
    """Do what only somebody with the file (or the server) in hand can: go round the triggers."""
    with ledger.engine.begin() as connection:
        if ledger.engine.dialect.name == "sqlite":
            for (name,) in connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))


def test_an_untouched_chain_holds(ledger):
    assert ledger.verify().ok
    filled(ledger)
    found = ledger.verify()
    rows, head = ledger.head()
    assert (found.ok, found.rows, found.head, found.first_broken) == (True, rows, head, None)
    assert rows == 34


@pytest.mark.parametrize("table", ["run", "closing", "attempt", "decision", "link", "raw"])
@pytest.mark.parametrize("act", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_delete_facts(ledger, table, act):
    filled(ledger)
    column = {"raw": "sha256", "link": "kind"}.get(table, "doc")
    with pytest.raises(DBAPIError, match="append-only"), ledger.engine.begin() as connection:
        connection.execute(text(act.format(table, column, column)))
    assert ledger.verify().ok


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE attempt SET ip = '10.9.9.9' WHERE seq = 17", "attempt 17"),
        ("UPDATE attempt SET doc = '[]' WHERE seq IN (3, 17)", "attempt 3"),
        ("UPDATE attempt SET outcome = 'silent' WHERE seq = 30", "attempt 30"),
        ("UPDATE attempt SET elapsed_s = 0.2 WHERE seq = 1", "attempt 1"),
        ("DELETE FROM attempt WHERE seq = 25", "attempt 25"),
        ("DELETE FROM attempt WHERE seq = 30", "attempt 30"),
        ("UPDATE attempt SET seq = 99 WHERE seq = 30", "attempt 30"),
        ("UPDATE run SET site = 'lab'", "run 1"),
        ("UPDATE decision SET doc = '{}'", "decision 1"),
        ("UPDATE closing SET status = 'crashed'", "closing 1"),
        ("UPDATE link SET run = 2 WHERE seq = 3", "link 3"),
        ("UPDATE shape SET doc = '[\"http.title\"]'", "shape 1"),
        ("DELETE FROM link WHERE seq = 3", "attempt 21"),
        ("DELETE FROM link WHERE seq = 6", "closing 1"),
    ],
)
def test_the_first_broken_row_is_named(ledger, statement, broken):
    filled(ledger)
    tamper(ledger, statement)
    found = ledger.verify()
    assert (found.ok, found.first_broken) == (False, broken)
    assert found.reason


def test_changed_raw_bytes_are_found(ledger):
    filled(ledger)
    name = attempt().observations[0].raw_sha256
    tamper(ledger, "UPDATE raw SET data = CAST('forged' AS BLOB)"
           if ledger.engine.dialect.name == "sqlite" else "UPDATE raw SET data = 'forged'")  # fmt: skip
    assert ledger.verify().first_broken == f"raw {name}"


def test_missing_raw_bytes_are_found(ledger):
    filled(ledger)
    tamper(ledger, "DELETE FROM raw")
    assert ledger.verify().first_broken == "attempt 1"


def test_a_ledger_cut_short_after_a_report_is_found(ledger):
    filled(ledger)
    rows, _ = ledger.head()
    ledger.save_snapshot("s1", NOON, "ee" * 32, rows, {})
    assert ledger.verify().first_broken == "snapshot 1"
