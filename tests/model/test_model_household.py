"""Which addresses are one device's while it is asked."""

from auditor.model.household import MOST_MEMBERS, households

MAC = "02:00:00:00:00:01"


def test_the_ipv6_addresses_of_a_mac_stand_behind_its_ipv4_one():
    ips = ("fe80::1", "10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2")
    macs = dict.fromkeys(("fe80::1", "10.0.0.1", "fd00::1"), MAC)
    assert households(ips, macs) == [
        ("10.0.0.1", "fd00::1", "fe80::1"),
        ("10.0.0.2",),
        ("fd00::2",),
    ]


def test_a_router_that_answers_for_ipv4_addresses_does_not_make_them_one():
    ips = ("10.0.0.1", "10.0.0.2", "fd00::1")
    assert households(ips, dict.fromkeys(ips, MAC)) == [("10.0.0.1", "fd00::1"), ("10.0.0.2",)]


def test_a_forger_of_many_addresses_is_no_household():
    ips = [f"fd00::{n:x}" for n in range(1, 100)]
    found = households(ips, dict.fromkeys(ips, MAC))
    assert len(found[0]) == MOST_MEMBERS
    assert sorted(ip for house in found for ip in house) == sorted(ips)
