"""Addresses and texts at their edges: typing slips, zones of links, bytes that are no text."""

import ipaddress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import AuditorError, DataError
from auditor.model.address import AddressSet, Mac, Range, canonical_ip
from auditor.model.block import Block
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome, text

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
NAIVE = datetime(2026, 1, 5, 12)


@pytest.mark.parametrize(
    "typed",
    [
        "10.0.0.1-",
        "-10.0.0.1",
        "10.0.0.1--5",
        "10.0.0.1-5-9",
        "10.0.0.1/",
        "/24",
        "10.0.0.1-300",
        "10.0.0.9-1",
        "10.0.0.*/24",
        "10.*.0.1",
        "1",
        "4294967295",
        "0x0a000001",
        "010.0.0.1",
        "10.0.0.1,10.0.0.2",
        "10.0.0.0/-1",
        "\u0661\u0660.0.0.1",
        "http://10.0.0.1",
        "10.0.0.1:80",
        "fe80::1-10.0.0.1",
        "10.0.0.1\x00",
        "²",
    ],
)
def test_a_slip_of_the_fingers_is_never_another_target(typed):
    """Who means a range and types half of one must not be told that it was scanned."""
    with pytest.raises(DataError) as refused:
        AddressSet.parse([typed])
    assert refused.value.hint


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_target_or_a_plain_refusal(typed):
    try:
        found = AddressSet.parse([typed])
    except DataError:
        return
    assert found.size > 0
    assert AddressSet.parse(found.texts()) == found


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_hardware_address_or_a_plain_refusal(typed):
    try:
        mac = Mac.parse(typed)
    except DataError:
        return
    assert Mac.parse(str(mac)) == mac


@given(st.integers(0, (1 << 48) - 1))
def test_a_hardware_address_reads_back_in_every_notation(number):
    plain = str(Mac(number))
    digits = plain.replace(":", "")
    dotted = ".".join(digits[at : at + 4] for at in (0, 4, 8))
    forms = (plain, plain.upper(), plain.replace(":", "-"), digits, dotted)
    assert {Mac.parse(form).value for form in forms} == {number}


@pytest.mark.parametrize("number", [-1, 1 << 48])
def test_a_number_beyond_48_bits_is_no_hardware_address(number):
    with pytest.raises(DataError):
        Mac(number)


@pytest.mark.parametrize(
    ("version", "first", "last"),
    [(4, 5, 4), (4, -1, 4), (4, 0, 1 << 32), (6, 0, 1 << 128), (5, 0, 1)],
)
def test_no_range_ends_before_it_begins_or_leaves_its_version(version, first, last):
    with pytest.raises(DataError):
        Range(version, first, last)


def test_the_same_number_of_two_versions_is_two_addresses():
    both = AddressSet.parse(["0.0.0.1", "::1"])
    assert both.size == 2 and len(both.ranges) == 2
    assert both.minus(AddressSet.parse(["::1"])).texts() == ("0.0.0.1",)


def test_the_zone_of_a_link_local_address_does_not_hide_it_from_an_exclusion():
    assert "fe80::1%eth0" in AddressSet.parse(["fe80::/64"])
    assert "fe80::1%eth1" in AddressSet.single(["fe80::1%eth0"])


def test_the_last_addresses_of_both_versions_join_without_overflow():
    ends = AddressSet.parse(["255.255.255.254", "255.255.255.255", "::", "::1"])
    assert len(ends.ranges) == 2
    whole = AddressSet.parse(["0.0.0.0/0", "::/0"])
    assert whole.size == (1 << 32) + (1 << 128)
    assert not ends.minus(whole)


NUMBERS = st.integers((1 << 64) - 20, (1 << 64) + 20)
SIX = st.lists(
    st.tuples(NUMBERS, st.integers(0, 9)).map(lambda p: Range(6, p[0], p[0] + p[1])), max_size=6
).map(AddressSet.of)


@given(SIX, SIX)
def test_sets_of_long_addresses_are_sets_too(one, other):
    left, right = set(one), set(other)
    assert set(one.minus(other)) == left - right
    assert set(one.meet(other)) == left & right
    assert one.join(other) == other.join(one)


@given(st.ip_addresses())
def test_the_canonical_form_is_its_own_canonical_form(address):
    once = canonical_ip(f" {address.exploded} ")
    assert canonical_ip(once) == once
    assert ipaddress.ip_address(once) == address


@given(st.binary(max_size=60))
def test_any_bytes_become_text_that_a_database_takes(raw):
    said = text(raw)
    assert "\x00" not in said
    assert said.encode("utf-8").decode("utf-8") == said


def test_bytes_of_a_text_are_that_text():
    assert text("Caméra d’entrée".encode()) == "Caméra d’entrée"
    assert text(b"a\xffb\x00") == "a\\xffb\\x00"


def test_no_fact_is_kept_without_a_zone():
    with pytest.raises(DataError):
        Attempt("arp", Endpoint(), Outcome.SILENT, (), NAIVE)
    with pytest.raises(DataError):
        Block("csv", (), (), NAIVE)


def test_a_record_that_is_shorter_than_its_fields_is_refused():
    with pytest.raises(DataError, match="not one value"):
        Block("csv", ("asset.tag", "asset.name"), (("10.0.0.1", None, "l:2", ("A1",)),), NOON)


VALUES = st.lists(st.one_of(st.none(), st.text(max_size=8)), min_size=2, max_size=2)


@given(st.lists(VALUES, max_size=5))
def test_a_block_says_what_its_records_say_and_nothing_where_they_are_silent(rows):
    fields = ("asset.tag", "asset.name")
    block = Block(
        "csv", fields, [("10.0.0.1", None, f"l:{n}", row) for n, row in enumerate(rows)], NOON
    )
    said = [{o.field: o.value for o in attempt.observations} for attempt in block.attempts()]
    assert said == [
        {name: value for name, value in zip(fields, row, strict=True) if value is not None}
        for row in rows
    ]


def test_nothing_received_has_no_name_and_the_same_bytes_have_the_same():
    assert Observation("f", "v").raw_sha256 is None
    one, other = Observation("f", "v", b"x"), Observation("g", "w", b"x")
    assert one.raw_sha256 == other.raw_sha256


def test_an_error_has_one_line_for_each_part_that_it_has():
    assert AuditorError("a", why="b", hint="c").lines() == ("error: a", "  why: b", "  fix: c")
    assert AuditorError("a").lines() == ("error: a",)
