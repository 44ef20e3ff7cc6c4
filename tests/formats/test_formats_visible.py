"""Text of strangers in reports: everything is read, nothing acts, nothing calculates."""

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.formats.visible import cell, dump, visible
from auditor.store.encoding import chained, dumps, loads, moment_text, pack, unpack

ANYTHING = st.text(st.characters(), max_size=60)
PLAIN = st.text(st.characters(categories=("L", "N")), max_size=30)
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@given(ANYTHING)
def test_nothing_that_moves_a_cursor_or_turns_a_line_is_left(text):
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not set(shown) & set(BIDI)


@given(ANYTHING)
def test_what_was_shown_once_is_shown_again_as_it_is(text):
    assert visible(visible(text)) == visible(text)


@given(PLAIN)
def test_letters_of_every_script_stay(text):
    kept = "".join(c for c in text if c not in "\u180e\u200b")
    assert visible(kept) == kept


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [("\x1b", "\\x1b"), ("\u202e", "\\u202e"), ("\U000e0041", "\\U000e0041"), ("\n", "\\n"),
     ("\x00", "\\x00"), ("\ufeff", "\\ufeff"), ("\ud800", "\\ud800"), ("\u2028", "\\u2028")],
)  # fmt: skip
def test_what_is_hidden_is_shown_as_its_number(hidden, shown):
    assert visible(f"a{hidden}b") == f"a{shown}b"


@given(st.sampled_from("=+-@|%\uff1d\uff0b\uff0d\uff20\t\r\n"), ANYTHING)
def test_no_cell_begins_a_formula(sign, rest):
    assert cell(sign + rest).startswith("'")
    if not sign.isspace():
        assert cell(f"  {sign}{rest}").startswith("'")
        assert cell(f"\u00a0{sign}{rest}").startswith("'")


@given(ANYTHING)
def test_a_cell_goes_through_a_table_and_comes_back(text):
    out = io.StringIO()
    csv.writer(out).writerow([cell(text), "next"])
    (row,) = csv.reader(io.StringIO(out.getvalue()))
    assert row == [cell(text), "next"]


@given(st.binary(max_size=700), st.integers(0, 600))
def test_a_dump_shows_every_byte_up_to_its_limit(raw, limit):
    lines = dump(raw, limit)
    shown = bytes.fromhex(" ".join(octets for _, octets, _ in lines))
    assert raw.startswith(shown)
    assert len(shown) >= min(len(raw), limit)
    assert all(signs.isascii() and signs.isprintable() for _, _, signs in lines)
    assert [int(offset, 16) for offset, _, _ in lines] == list(range(0, len(shown), 16))


# ---------------------------------------------------------------- as the ledger writes it

DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), ANYTHING),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(ANYTHING, inner, max_size=3)
    ),
    max_leaves=6,
)


@given(ANYTHING)
def test_text_is_written_so_that_every_database_takes_it_and_read_back_whole(text):
    written = pack(text)
    assert unpack(written) == text
    assert "\x00" not in written
    assert written.encode("utf-8")[:1] or not text


@given(ANYTHING, ANYTHING)
def test_two_texts_never_become_one(one, other):
    assert (pack(one) == pack(other)) == (one == other)


@given(DOCUMENTS)
def test_a_document_is_one_line_and_reads_back(document):
    written = dumps(document)
    assert "\n" not in written and "\x00" not in written
    assert loads(written) == document
    assert written.encode("utf-8")


@given(st.lists(st.tuples(st.integers(0, 99), ANYTHING.map(dumps)), min_size=1, max_size=5),
       st.data())  # fmt: skip
def test_a_chain_breaks_wherever_one_row_is_changed(rows, data):
    sealed, last = chained(bytes(32), rows)
    assert [row[-1] for row in sealed][-1] == last
    at = data.draw(st.integers(0, len(rows) - 1))
    forged = [*rows]
    forged[at] = (rows[at][0] + 1, rows[at][1])
    again, other = chained(bytes(32), forged)
    assert other != last
    assert [row[-1] for row in again][:at] == [row[-1] for row in sealed][:at]


@given(st.lists(st.datetimes(timezones=st.timezones()), min_size=2, max_size=4))
def test_moments_sort_as_their_texts_do_where_they_are_as_fine(moments):
    whole = []
    for moment in moments:
        try:
            whole.append(
                (moment.replace(microsecond=0), moment_text(moment.replace(microsecond=0)))
            )
        except OverflowError:
            continue
    by_time = sorted(whole, key=lambda pair: pair[0].timestamp())
    assert [text for _, text in by_time] == sorted(text for _, text in whole)
