"""Multicast DNS against messages that another implementation writes, and hostile ones."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.config import conf

from auditor.wire import dns
from tests.drive import capture

conf.route_autoload = False
from scapy.layers.dns import DNS, DNSQR, DNSRR, dns_compress  # noqa: E402

SENDER = "192.0.2.90"
LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)


def told(seen):
    found = {}
    for one in seen.observations:
        found.setdefault(one.field, []).append(one.value)
    return found


def test_a_camera_announces_its_service_name_and_address():
    (seen,) = dns.seen(capture("mdns_reply.bin"), SENDER)
    assert told(seen) == {
        "mdns.service": ["_axis-video._tcp", "_http._tcp"],
        "mdns.instance": ["AXIS M1065-L - ACCC8E000001"],
        "mdns.txt": ["macaddress=ACCC8E000001", "v=1"],
        "mdns.hostname": ["axis-accc8e000001"],
        "mac": ["ac:cc:8e:00:00:01"],
    }
    assert (seen.endpoint.ip, seen.endpoint.mac) == (SENDER, "ac:cc:8e:00:00:01")


def test_another_implementation_reads_our_question():
    read = DNS(dns.question())
    names = [question.qname.decode() for question in read.qd]
    assert names == [f"{name}." for name in dns.ASKED]
    assert {question.qtype for question in read.qd} == {dns.PTR}
    to_us_alone = b"\x00\x0c\x80\x01"
    assert dns.question().count(to_us_alone) == len(dns.ASKED)


@given(st.lists(st.lists(LABEL, min_size=1, max_size=4), min_size=1, max_size=6))
def test_compressed_names_of_another_implementation_are_read(names):
    dotted = [".".join(labels) + ".local." for labels in names]
    made = DNS(qr=1, qd=[], an=[DNSRR(rrname=n, type="PTR", rdata=n) for n in dotted])
    records = dns.read_records(bytes(dns_compress(made)))
    assert [f"{record.name}." for record in records] == dotted
    assert [f"{record.target}." for record in records] == dotted


def message(body, answers=1):
    return struct.pack("!6H", 0, 0x8400, 0, answers, 0, 0) + body


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",
        b"\xc0\x0e\xc0\x0c",
        b"\x01a\xc0\x0c",
        b"\xc0\xff",
        b"\xc0",
        b"\x3fshort",
        b"\x40" + b"a" * 64 + b"\0",
        (b"\x3f" + b"a" * 63) * 5 + b"\0",
        b"\x01a" * 90 + b"\0",
    ],
    ids=[
        "itself",
        "each other",
        "after a label",
        "forward",
        "half",
        "cut",
        "long label",
        "long",
        "deep",
    ],
)
def test_a_name_that_never_ends_is_no_name(name):
    record = struct.pack("!HHIH", dns.PTR, 1, 0, 0)
    assert dns.read_records(message(name + record)) == ()


def test_records_before_the_damage_are_kept():
    good = dns.write_name("_rtsp._tcp.local") + struct.pack("!HHIH", dns.TXT, 1, 0, 4) + b"\x03a=b"
    records = dns.read_records(message(good + b"\xc0\xff", answers=9))
    assert [record.name for record in records] == ["_rtsp._tcp.local"]


def test_a_question_tells_of_nobody_even_with_answers_it_knows():
    asked = bytes(
        DNS(qr=0, qd=[DNSQR(qname="_http._tcp.local")], an=[DNSRR(rrname="x.local", rdata=SENDER)])
    )
    assert dns.seen(asked, SENDER) == ()


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("_rtsp._tcp.local", "_rtsp._tcp"),
        ("Front door\\. north._rtsp._tcp.local", "_rtsp._tcp"),
        ("_services._dns-sd._udp.local", None),
        ("camera.local", None),
        ("local", None),
        ("", None),
        ("_tcp.local", None),
    ],
)
def test_the_service_stands_in_the_name(name, service):
    assert dns.service_of(name) == service


@pytest.mark.parametrize(
    ("data", "strings"),
    [
        (b"\x03a=b\x00\x01c", ("a=b", "c")),
        (b"\x09short", ("short",)),
        (b"", ()),
        (b"\x02\xff\x00", ("\\xff\\x00",)),
    ],
)
def test_strings_are_read_as_far_as_they_go(data, strings):
    assert dns.read_strings(data) == strings


def test_a_flood_of_records_tells_a_bounded_number_of_things():
    made = DNS(
        qr=1,
        qd=[],
        an=[
            DNSRR(rrname=f"_s{n}._tcp.local", type="TXT", rdata=[b"k%d=v" % n]) for n in range(900)
        ],
    )
    (seen,) = dns.seen(bytes(made), SENDER)
    assert len(seen.observations) <= 4 * dns.MOST_VALUES + 1
