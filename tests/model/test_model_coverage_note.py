"""What a sweep notes of many addresses can be read back by whoever adds up the coverage."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.address import AddressSet, Range
from auditor.model.coverage_note import Note, notes, read_note
from auditor.model.observation import Attempt, Endpoint, Outcome

SETS = st.lists(st.tuples(st.integers(0, 2**32 - 300), st.integers(0, 255)), max_size=20).map(
    lambda pairs: AddressSet.of(Range(4, first, first + more) for first, more in pairs)
)
WORDS = st.text(st.characters(exclude_characters=";=\n", codec="utf-8"), min_size=1).map(str.strip)


@given(SETS, SETS, SETS, SETS, st.lists(st.tuples(st.just("why"), WORDS), max_size=1))
def test_a_note_reads_back_as_it_was_written(asked, silent, proxy, left, told):
    note = Note(asked, silent, proxy, left, tuple(told))
    assert read_note(str(note)) == note


def test_a_note_is_legible():
    note = Note(
        AddressSet.parse(["10.0.0.0/30"]),
        AddressSet.parse(["10.0.0.2"]),
        told=(("rounds", "2"), ("by", "eth0 10.0.0.1/24")),
    )
    assert str(note) == "asked=10.0.0.0-10.0.0.3; silent=10.0.0.2; rounds=2; by=eth0 10.0.0.1/24"
    assert note.value("rounds") == "2" and note.value("router") is None


@pytest.mark.parametrize(
    "detail", ["", "connected, no reply", "asked=nonsense", "silent=10.0.0.1", "asked=10.0.0.1-x"]
)
def test_prose_and_damaged_notes_are_no_notes(detail):
    assert read_note(detail) is None


def test_only_attempts_about_many_addresses_carry_notes():
    now = datetime.now(UTC)
    text = str(Note(AddressSet.parse(["10.0.0.1"])))
    one = Attempt("arp", Endpoint("10.0.0.1"), Outcome.ANSWERED, (), now, detail=text)
    many = Attempt("arp", Endpoint(), Outcome.SILENT, (), now, detail=text)
    assert [attempt for attempt, _ in notes([one, many])] == [many]


def test_what_a_router_keeps_from_us_is_read_back():
    part = AddressSet.parse(["10.0.0.4-10.0.0.7"])
    note = Note(part, barred=part, told=(("why", "router 10.9.0.1 says no"),))
    assert read_note(str(note)) == note
