"""Leases of DHCP servers: who held which address, and until when."""

import io
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import DataError
from auditor.importers import asset_csv, dhcp_dnsmasq, dhcp_isc
from auditor.importers.duid import hardware_in
from auditor.model.block import Block
from auditor.model.observation import Attempt, Origin
from auditor.plugins import Noted, Options, Rejected, Sample

SAMPLES = Path(__file__).parent / "samples"
MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)


def read(module, raw):
    raw = raw.encode() if isinstance(raw, str) else raw
    return list(module.read(io.BytesIO(raw), Options("hq", MOMENT, name="f")))


def facts(items):
    return [item for item in items if isinstance(item, Attempt)]


def refused(items):
    return [item for item in items if isinstance(item, Rejected)]


def said(attempt):
    return {o.field: o.value for o in attempt.observations}


def sample(name):
    return (SAMPLES / name).read_bytes()


def lease(words, ip="10.0.0.1"):
    return f"lease {ip} {{\n  hardware ethernet 44:19:b6:00:00:01;\n  {words}\n}}\n"


def test_the_last_entry_of_an_address_and_holder_counts():
    first, second = facts(read(dhcp_isc, sample("dhcp_isc/dhcpd.leases")))
    assert said(first) == {"mac": "44:19:b6:00:23:01", "dhcp.hostname": "cam-isc-2"}
    assert first.started == datetime(2019, 10, 21, 10, tzinfo=UTC)
    assert second.started == datetime(2019, 10, 24, 9, 58, 13, tzinfo=UTC)  # epoch
    assert first.origin is Origin.SIGHTING


def test_an_earlier_holder_of_the_address_was_there_too():
    other = lease("").replace("00:01;", "00:02;")
    found = facts(read(dhcp_isc, lease("") + other))
    assert [f.endpoint.mac for f in found] == ["44:19:b6:00:00:01", "44:19:b6:00:00:02"]


def test_a_lease_without_a_holder_is_told_with_its_line():
    (only,) = refused(read(dhcp_isc, sample("dhcp_isc/dhcpd.leases")))
    assert (only.line, only.text) == (32, "10.23.0.9")
    assert "abandoned" in only.reason


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ('client-hostname "a;b}c";', {"dhcp.hostname": "a;b}c"}),
        (r'client-hostname "caf\303\251";', {"dhcp.hostname": "cafÃ©"}),
        ('set vendor-class-identifier = "acme";', {"dhcp.vendor_class": "acme"}),
        ("on commit { set x = 1; }", {}),
        ('on expiry {\n set client-hostname = "no";\n }\n client-hostname "yes";', {"dhcp.hostname": "yes"}),
    ],
)  # fmt: skip
def test_statements_are_read_whatever_stands_in_them(words, expected):
    (found,) = facts(read(dhcp_isc, lease(words)))
    assert said(found) == {"mac": "44:19:b6:00:00:01"} | expected


def test_an_active_lease_that_has_ended_was_held_to_its_end():
    words = "binding state active;\n starts 1 2024/01/01 00:00:00;\n ends 2 2024/01/02 00:00:00;"
    (found,) = facts(read(dhcp_isc, lease(words)))
    assert found.started == datetime(2024, 1, 2, tzinfo=UTC)


def test_no_time_lies_in_the_future_or_breaks_the_reader():
    for when in ("starts 1 2030/01/01 00:00:00;", "starts never;", "starts 1 2024/13/45 99:00:00;"):
        (found,) = facts(read(dhcp_isc, lease(when)))
        assert found.started == MOMENT


def test_an_entry_without_an_end_is_told_and_the_next_is_read():
    items = read(dhcp_isc, "lease 10.0.0.7 {\n  binding state active;\n" + lease(""))
    assert [r.reason for r in refused(items)] == ["the entry has no end"]
    assert len(facts(items)) == 1


@pytest.mark.parametrize("name", ["dhcp_isc/dhcpd.leases", "dhcp_dnsmasq/dnsmasq.leases"])
def test_leases_may_end_anywhere(name):
    module = dhcp_isc if "isc" in name else dhcp_dnsmasq
    raw = sample(name)
    whole = {f.endpoint.mac for f in facts(read(module, raw))}
    for cut in range(len(raw)):
        try:
            assert {f.endpoint.mac for f in facts(read(module, raw[:cut]))} <= whole | {None}
        except DataError:
            continue


def test_a_lease_of_dnsmasq_was_held_to_its_end_and_one_for_ever_until_now():
    first, second, six = facts(read(dhcp_dnsmasq, sample("dhcp_dnsmasq/dnsmasq.leases")))
    assert first.started == datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)
    assert said(first)["dhcp.hostname"] == "cam-lobby"
    assert second.started == MOMENT
    assert "dhcp.hostname" not in said(second)
    assert (six.endpoint.ip, six.endpoint.mac) == ("2001:db8::22", "44:19:b6:00:22:03")


def test_what_is_no_lease_is_told_with_its_line():
    items = read(dhcp_dnsmasq, "0 44:19:b6:00:00:01 10.0.0.1 * *\nhello\n")
    assert [(r.line, r.text) for r in refused(items)] == [(2, "hello")]


def test_many_leases_are_not_all_held():
    lines = (lease("", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in range(1, 3_000))
    assert len(facts(read(dhcp_isc, "".join(lines)))) == 2_999


@pytest.mark.parametrize("module", [dhcp_isc, dhcp_dnsmasq])
@settings(max_examples=80, deadline=None)
@given(raw=st.text(alphabet='lease {};"\\0123456789:.\n abc', max_size=300))
def test_noise_is_leases_or_a_refusal_in_words(module, raw):
    raw = b"lease 10.0.0.1 {" + raw.encode()
    assert 0 <= module.recognise(Sample("x", raw, len(raw))) <= 100
    with suppress(DataError):
        read(module, raw)


# ---------------------------------------------------------------- what clients call themselves


@pytest.mark.parametrize(
    ("identifier", "digits"),
    [
        ("01:44:19:b6:02:00:02", "4419b6020002"),
        ("00:03:00:01:44:19:b6:02:01:02", "4419b6020102"),
        ("00-01-00-01-2a-bb-cc-dd-44-19-B6-02-01-03", "4419b6020103"),
        ("ff:12:34:56:78:00:03:00:01:44:19:b6:02:01:04", "4419b6020104"),
        ("00:63:61:6d:31:32", None),  # text
        ("ff:aa", None),
        ("00:02:00:00:ab:11:44:19:b6:02:01:05", None),  # of an enterprise's own making
        ("00:03:00:06:44:19:b6:02:01:06", None),  # not Ethernet
        ("", None),
        ("camera-12", None),
    ],
)
def test_an_identifier_holds_a_hardware_address_or_not(identifier, digits):
    assert hardware_in(identifier) == digits


def kea(rows, head="address,hwaddr,client_id,valid_lifetime,expire,subnet_id,hostname,state"):
    items = asset_csv.IMPORTER.read(
        io.BytesIO(f"{head}\n{rows}".encode()), Options("hq", MOMENT, name="kea")
    )
    found = []
    for item in items:
        assert not isinstance(item, Rejected | Noted)
        found += item.attempts() if isinstance(item, Block) else []
        found += [item] if isinstance(item, Attempt) else []
    return [(fact.endpoint.ip, fact.endpoint.mac) for fact in found]


def test_a_client_identifier_says_the_address_where_the_server_does_not():
    rows = (
        "10.21.0.5,44:19:b6:02:00:01,01:44:19:b6:02:00:99,4000,1764194293,1,cam1,0\n"
        "10.21.0.6,,01:44:19:b6:02:00:02,4000,1764194293,1,cam2,0\n"
        "10.21.0.7,44:19:b6:02:00:04,ff:aa,4000,1764194293,1,cam,1\n"
    )
    assert kea(rows) == [
        ("10.21.0.5", "44:19:b6:02:00:01"),
        ("10.21.0.6", "44:19:b6:02:00:02"),
        ("10.21.0.7", "44:19:b6:02:00:04"),
    ]


def test_a_lease_of_ipv6_has_its_address_and_the_one_in_its_identifier():
    head = "address,duid,valid_lifetime,expire,subnet_id,hostname,hwaddr,state"
    rows = (
        "2001:db8::5,00:03:00:01:44:19:b6:02:01:01,4000,1764194293,1,cam6,44:19:b6:02:01:11,0\n"
        "2001:db8::6,00:01:00:01:2a:bb:cc:dd:44:19:b6:02:01:02,4000,1764194293,1,cam7,,0\n"
    )
    assert kea(rows, head) == [
        ("2001:db8::5", "44:19:b6:02:01:11"),
        ("2001:db8::6", "44:19:b6:02:01:02"),
    ]
