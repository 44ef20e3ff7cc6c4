"""Text and numbers come back from any database as they were; the chain hashes what it says."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.store.encoding import (
    GENESIS,
    canonical,
    chained,
    dumps,
    loads,
    moment_text,
    pack,
    sealed_link,
    unpack,
)

anything = st.text(st.characters(codec=None, categories=None))
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | anything,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(anything, inner, max_size=4),
    max_leaves=12,
)


@given(anything)
def test_packed_text_can_stand_in_any_database(text):
    packed = pack(text)
    packed.encode("utf-8")  # no lone surrogate
    assert not set(packed) & set(map(chr, (*range(0x1A), *range(0x1B, 0x20), 0x7F)))
    assert unpack(packed) == text


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        pytest.param("Caméra 4", "Caméra 4", id="ordinary-text-stays-readable"),
        pytest.param("\U0001f4f7", "\U0001f4f7", id="so-does-text-beyond-the-basic-plane"),
        pytest.param("a\x00b", "a\x1a0000b", id="nul-which-postgresql-cannot-hold"),
        pytest.param("a\tb\nc", "a\x1a0009b\x1a000ac", id="tab-and-line-feed-which-separate-rows"),
        pytest.param("\ud83d\ude00", "\x1ad83d\x1ade00", id="two-halves-are-not-one-character"),
        pytest.param("\x1a0000", "\x1a001a0000", id="what-looks-packed-is-packed-again"),
    ],
)
def test_pack(text, packed):
    assert pack(text) == packed
    assert unpack(packed) == text


@given(documents)
def test_a_document_comes_back_and_stands_on_one_line(document):
    written = dumps(document)
    written.encode("utf-8")
    assert "\n" not in written
    assert "\x00" not in written
    assert loads(written) == document


def test_documents_are_plain_json_for_any_other_program():
    assert json.loads(dumps(["é", None, 1, {"a": "\x00"}])) == ["é", None, 1, {"a": "\x00"}]
    assert dumps(["Acme", None]) == '["Acme",null]'


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))]),
                    min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)))  # fmt: skip
def test_a_moment_comes_back_in_utc(moment):
    assert datetime.fromisoformat(moment_text(moment)) == moment
    assert moment_text(moment).endswith("+00:00")


def test_moments_sort_as_text_as_they_do_in_time():
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    moments = [noon, noon.astimezone(timezone(timedelta(hours=9))) + timedelta(seconds=1)]
    assert sorted(map(moment_text, moments)) == list(map(moment_text, moments))


ROWS = [("a", None, 1, "[1]"), ("b", "c", 2, "[2]")]


def test_the_chain_is_what_the_documentation_says():
    first = hashlib.sha256(GENESIS + b'["a",null,1]\n[1]').digest()
    second = hashlib.sha256(first + b'["b","c",2]\n[2]').digest()
    assert chained(GENESIS, ROWS) == ([(*ROWS[0], first), (*ROWS[1], second)], second)
    assert sealed_link(("run", 1, 2), second) == hashlib.sha256(b'["run",1,2]' + second).digest()


cells = st.tuples(anything.map(pack), st.none() | st.integers(), anything.map(lambda t: dumps([t])))


@given(cells, cells)
def test_two_different_rows_never_have_the_same_canonical_bytes(one, other):
    assert (canonical(one) == canonical(other)) == (one == other)
