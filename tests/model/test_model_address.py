"""Addresses and sets of them."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import DataError
from auditor.model.address import AddressSet, Mac, Range, canonical_ip

RANGES = st.lists(
    st.tuples(st.integers(0, 255), st.integers(0, 40)).map(
        lambda pair: Range(4, pair[0], min(255, pair[0] + pair[1]))
    ),
    max_size=12,
)


@pytest.mark.parametrize(
    "text",
    [
        "44:19:b6:00:00:01",
        "44-19-B6-00-00-01",
        "4419.b600.0001",
        "4419B6000001",
        " 44 19 b6 00 00 01",
    ],
)
def test_a_hardware_address_is_read_in_every_usual_form(text):
    assert str(Mac.parse(text)) == "44:19:b6:00:00:01"


@pytest.mark.parametrize(
    "text", ["", "44:19:b6", "1E+11", "zz:19:b6:00:00:01", "44:19:b6:00:00:01:02"]
)
def test_anything_else_is_no_hardware_address(text):
    with pytest.raises(DataError):
        Mac.parse(text)


def test_the_low_bits_of_the_first_octet_say_group_and_local():
    assert Mac.parse("01:00:5e:00:00:01").is_group
    assert Mac.parse("02:00:00:00:00:01").is_local
    assert not Mac.parse("44:19:b6:00:00:01").is_local


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("192.168.1.0/24", "192.168.1.0", "192.168.1.255"),
        ("192.168.1.77/24", "192.168.1.0", "192.168.1.255"),
        ("10.0.0.1-10.0.0.9", "10.0.0.1", "10.0.0.9"),
        ("10.0.0.1-9", "10.0.0.1", "10.0.0.9"),
        ("10.0.*.*", "10.0.0.0", "10.0.255.255"),
        ("10.0.0.7", "10.0.0.7", "10.0.0.7"),
        ("fe80::/64", "fe80::", "fe80::ffff:ffff:ffff:ffff"),
    ],
)
def test_targets_are_read_as_people_write_them(text, first, last):
    piece = AddressSet.parse([text]).ranges[0]
    assert (ipaddress.ip_address(first), ipaddress.ip_address(last)) == (
        ipaddress.ip_address(piece.first if piece.version == 4 else first),
        ipaddress.ip_address(piece.last if piece.version == 4 else last),
    )
    assert str(piece) in {f"{first}-{last}", first}


@pytest.mark.parametrize(
    "text",
    ["", "camera.local", "10.0.0.0/33", "10.0.0.9-10.0.0.1", "10.1", "10.0.0.1-fe80::1", "1-2"],
)
def test_what_is_no_target_is_refused_with_a_hint(text):
    with pytest.raises(DataError) as refused:
        AddressSet.parse([text])
    assert refused.value.hint


@given(RANGES, RANGES)
def test_sets_of_addresses_are_sets(one, other):
    a, b = AddressSet.of(one), AddressSet.of(other)
    left, right = set(a), set(b)
    assert set(a.minus(b)) == left - right
    assert set(a.meet(b)) == left & right
    assert set(a.join(b)) == left | right
    assert a.size == len(left)
    assert all((ip in a) == (ip in left) for ip in right)


@given(RANGES)
def test_a_set_is_read_back_as_it_is_written(pieces):
    whole = AddressSet.of(pieces)
    assert AddressSet.parse(whole.texts()) == whole
    assert AddressSet.parse(whole.cidrs()) == whole


def test_a_whole_network_of_sixteen_million_costs_nothing():
    whole = AddressSet.parse(["10.0.0.0/8"])
    assert whole.size == 1 << 24
    assert len(whole.ranges) == 1
    assert next(iter(whole)) == "10.0.0.0"


def test_the_canonical_form_of_an_address():
    assert canonical_ip(" 2001:DB8:0:0::1 ") == "2001:db8::1"
    with pytest.raises(DataError):
        canonical_ip("999.1.1.1")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("::ffff:10.0.0.7", "10.0.0.7/32"),
        ("::ffff:10.0.0.0/120", "10.0.0.0/24"),
        ("::ffff:10.0.0.1-::ffff:10.0.0.2", "10.0.0.1-10.0.0.2"),
        ("fe80::7%eth0", "fe80::7/128"),
    ],
)
def test_an_ipv4_mapped_target_is_the_ipv4_one_and_a_zone_is_no_part_of_one(text, meant):
    assert AddressSet.parse([text]) == AddressSet.parse([meant])


def test_an_ipv4_mapped_address_is_in_the_sets_that_its_ipv4_address_is_in():
    four, six = AddressSet.parse(["10.0.0.0/24"]), AddressSet.parse(["::/0"])
    assert "::ffff:10.0.0.7" in four and "::ffff:10.0.0.7" not in six
    assert AddressSet.single(["::ffff:10.0.0.7%x", "10.0.0.7"]).size == 1


def test_what_is_left_of_an_ipv6_network_was_not_named_one_by_one():
    named = AddressSet.parse(["fd00::7", "fd00:1::/120", "fd00:2::/64", "10.0.0.0/24"]).named6()
    assert named.cidrs() == ("fd00::7/128", "fd00:1::/120")
