"""SNMP and SIP: what is asked, byte for byte, and what another implementation makes of it."""

import pytest
from scapy.config import conf

from auditor.wire import ber, sip, snmp
from auditor.wire.head import read_message
from tests.drive import capture

conf.route_autoload = False
from scapy.layers.snmp import SNMP  # noqa: E402


def test_the_question_is_byte_for_byte_that_of_the_standard():
    assert snmp.get("public", 1, [snmp.SYS_DESCR]).hex() == (
        "3026020101" "04067075626c6963" "a019020101020100020100" "300e300c06082b06010201010100" "0500"
    )  # fmt: skip


@pytest.mark.parametrize("version", [snmp.V1, snmp.V2C])
def test_another_implementation_reads_our_question(version):
    read = SNMP(snmp.get("observer", 77, [snmp.SYS_DESCR, snmp.SYS_OBJECT_ID], version))
    assert read.version.val == version
    assert read.community.val == b"observer"
    assert read.PDU.id.val == 77
    assert [pair.oid.val for pair in read.PDU.varbindlist] == [snmp.SYS_DESCR, snmp.SYS_OBJECT_ID]


def test_another_implementation_reads_our_walk():
    read = SNMP(snmp.get_bulk("observer", 5, snmp.ARP_TABLE, 32))
    assert read.PDU.max_repetitions.val == 32
    assert read.PDU.non_repeaters.val == 0


def test_the_three_values_are_read_as_text():
    answer = snmp.read_response(capture("snmp_v2c_reply.bin"))
    assert (answer.request_id, answer.error) == (1, 0)
    assert answer.value(snmp.SYS_DESCR) == "Linux IPC 3.10.61 armv7l"
    assert answer.value(snmp.SYS_OBJECT_ID) == "1.3.6.1.4.1.1004849.3.2.10"
    assert answer.value(snmp.SYS_NAME) == "cam-lobby"
    assert answer.value("1.3.6.1.2.1.1.4.0") is None


@pytest.mark.parametrize(
    ("tag", "body", "expected"),
    [
        (ber.OCTETS, b"", None),
        (ber.OCTETS, b"\xff\x00", "\\xff\\x00"),
        (ber.INTEGER, b"\xff", "-1"),
        (0x43, b"\x01\x00", "256"),
        (0x40, b"\xc0\x00\x02\x07", "192.0.2.7"),
        (0x40, b"\xc0", None),
        (ber.NULL, b"", None),
        (0x80, b"", None),
        (0x82, b"", None),
        (ber.OBJECT_ID, b"\x2b\x86", None),
    ],
)
def test_a_value_is_text_or_nothing(tag, body, expected):
    assert snmp.value_text(ber.Item(tag, body, b"")) == expected


def test_a_router_names_its_neighbours():
    raw = capture("snmp_arp_reply.bin")
    assert snmp.neighbours(raw) == (
        ("192.0.2.64", "c4:2f:90:00:00:01"),
        ("192.0.2.108", "6c:1c:71:00:00:01"),
    )
    first, _ = snmp.seen(raw)
    assert (first.endpoint.ip, first.endpoint.mac) == ("192.0.2.64", "c4:2f:90:00:00:01")
    assert first.observations[0].value == "c4:2f:90:00:00:01"


@pytest.mark.parametrize("raw", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x01", snmp.get("x", 1, [])])
def test_anything_else_is_no_response(raw):
    assert snmp.read_response(raw) is None
    assert snmp.neighbours(raw) == ()


def test_a_sip_question_is_well_formed_and_asks_for_nothing_but_options():
    raw = sip.options("192.0.2.7")
    read = read_message(raw, "SIP")
    assert read.start == "OPTIONS"
    assert raw.startswith(b"OPTIONS sip:192.0.2.7:5060 SIP/2.0\r\n")
    assert raw.endswith(b"\r\n\r\n")
    assert {"Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq"} <= {
        name for name, _ in read.headers
    }
    assert read.first("via").endswith(";rport"), "the answer comes back to where we asked from"
    assert read.first("cseq") == "1 OPTIONS"


def test_two_hosts_are_asked_under_different_ids():
    first, second = (
        read_message(sip.options(ip)).first("call-id") for ip in ("192.0.2.7", "192.0.2.8")
    )
    assert first != second
