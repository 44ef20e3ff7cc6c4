"""Frames that the lab writes are what the standards say, and frames that it sees are counted."""

import itertools
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dns import DNS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether

from auditor.lab.announce import frame
from auditor.lab.answers import mdns_answer, snmp_answer
from auditor.lab.datagram import dhip_frame
from auditor.lab.frames import classify, is_call, payload
from auditor.lab.record import Sent, Touches, Window, total
from auditor.lab.talk import choose, lines, render
from auditor.lab.truth import Announce, Datagram, Route

WORDS = {"ip": "10.20.1.9", "mac": "c4:2f:90:1a:00:09", "model": "DS-0", "name": "made-up"}


def announced(what, **more):
    return Ether(frame(Announce(kind="announce", what=what, **more), WORDS))


def test_an_arp_announcement_asks_for_its_own_address():
    told = announced("arp")
    assert (told.src, told.dst, told[ARP].op) == ("c4:2f:90:1a:00:09", "ff:ff:ff:ff:ff:ff", 1)
    assert told[ARP].psrc == told[ARP].pdst == "10.20.1.9"


def test_a_dhcp_request_carries_class_and_name_and_a_right_checksum():
    told = announced("dhcp", vendor_class="MADE,Network Camera,$model", hostname="cam-$name")
    options = dict(option for option in told[DHCP].options if isinstance(option, tuple))
    assert options["vendor_class_id"] == b"MADE,Network Camera,DS-0"
    assert options["hostname"] == b"cam-made-up"
    assert options["requested_addr"] == "10.20.1.9"
    assert told[BOOTP].chaddr[:6] == bytes.fromhex("c42f901a0009")
    sum_told = told[IP].chksum
    del told[IP].chksum
    assert Ether(bytes(told))[IP].chksum == sum_told


def test_a_tagged_datagram_goes_to_its_group():
    told = announced("datagram", text="NOTIFY * HTTP/1.1\nNT: $model", ending="\r\n", vlan=42)
    assert told[Dot1Q].vlan == 42
    assert (told.dst, told[IP].dst, told[UDP].dport) == (
        "01:00:5e:7f:ff:fa",
        "239.255.255.250",
        1900,
    )
    assert bytes(told[UDP].payload).rstrip(b"\0") == b"NOTIFY * HTTP/1.1\r\nNT: DS-0"


def test_a_frame_is_sent_as_it_is_written():
    assert (
        frame(
            Announce(kind="announce", what="frame", hex="ffffffffffff0200000000018033"), WORDS
        ).hex()
        == "ffffffffffff0200000000018033"
    )


TO = Ether(src="00:15:5d:a0:00:00", dst="02:00:00:00:00:01")


@pytest.mark.parametrize(
    ("sent", "kind", "target"),
    [
        (TO / ARP(pdst="10.20.1.7"), "arp", "10.20.1.7"),
        (TO / IP(dst="10.20.1.7") / TCP(dport=80, flags="S"), "tcp-syn", "10.20.1.7"),
        (TO / IP(dst="10.20.1.7") / TCP(dport=80, flags="RA"), "tcp-rst", "10.20.1.7"),
        (TO / IP(dst="10.20.1.7") / TCP(dport=80, flags="FA"), "tcp-fin", "10.20.1.7"),
        (TO / IP(dst="10.20.1.7") / TCP(dport=80, flags="A"), "tcp", "10.20.1.7"),
        (TO / IP(dst="10.20.1.7", options=b"\x01" * 4) / UDP(dport=161), "udp-161", "10.20.1.7"),
        (TO / IP(dst="10.20.1.7") / ICMP(), "icmp", "10.20.1.7"),
        (TO / IP(dst="224.0.0.22", proto=2), "igmp", "224.0.0.22"),
        (TO / IP(dst="10.20.1.7", proto=47), "ip-47", "10.20.1.7"),
        (TO / IPv6(dst="ff02::1") / ICMPv6EchoRequest(), "icmp6", "ff02::1"),
        (TO / Dot1Q(vlan=5) / ARP(pdst="10.20.1.7"), "vlan-arp", "10.20.1.7"),
        (Ether(bytes(TO)[:12] + b"\x88\xcc" + bytes(46)), "ether-88cc", "02:00:00:00:00:01"),
    ],
)
def test_each_kind_of_frame_is_told_apart(sent, kind, target):
    assert classify(bytes(sent).ljust(60, b"\0"))[:2] == (kind, target)


def test_ports_and_flags_of_tcp_are_told():
    sent = TO / IP(dst="10.20.1.7") / TCP(sport=4711, dport=554, flags="S")
    assert classify(bytes(sent))[2] == (554, 4711, 2)


@given(st.binary(min_size=14, max_size=80))
def test_any_frame_is_counted_and_none_crashes_the_witness(raw):
    kind, target, _ = classify(raw)
    assert kind
    assert target


@given(st.lists(st.floats(0, 20), min_size=1, max_size=80).map(sorted))
def test_the_peak_of_a_window_is_the_most_in_any_one_second(moments):
    window = Window()
    for moment in moments:
        window.add(moment)
    slow = max(sum(end - 1 < m <= end for m in moments) for end in moments)
    assert (window.peak, window.count) == (slow, len(moments))


def test_a_report_sums_up_devices_and_frames():
    touches, sent = Touches("cam", "10.20.1.7", "02:00:00:00:00:01"), Sent()
    touches.request(80, "GET / HTTP/1.1")
    touches.violation("port 9100 was touched")
    touches.dead = "a reset to port 80"
    for moment, target in itertools.product((1.0, 1.5), ("10.20.1.7", "10.20.1.8")):
        sent.frame(moment, "arp", target, 60)
    told = total([touches], sent, 1.23456)
    assert told["seconds"] == 1.235
    assert told["violations"] == [{"device": "cam", "what": "port 9100 was touched"}]
    assert told["dead"] == {"cam": "a reset to port 80"}
    assert told["sent"]["kinds"]["arp"] == {"frames": 4, "peak_per_s": 4}
    assert told["sent"]["targets"]["10.20.1.8"] == {"arp": 2}
    assert told["sent"]["bytes"] == 240


ROUTES = (
    Route(method="OPTIONS", head="RTSP/1.0 200 OK\nCSeq: $cseq"),
    Route(path="/", head="HTTP/1.1 200 OK\nContent-Length: $length", body="é$ip"),
    Route(path="/icon", head="HTTP/1.1 200 OK", hex_body="89504e47"),
)


@pytest.mark.parametrize(
    ("method", "target", "at"),
    [
        ("GET", "/", 1),
        ("GET", "/?a=b", 1),
        ("GET", "http://10.20.1.9/", 1),
        ("OPTIONS", "rtsp://10.20.1.9/Streaming", 0),
        ("OPTIONS", "*", 0),
        ("GET", "/icon", 2),
        ("GET", "/other", None),
    ],
)
def test_a_request_finds_its_route(method, target, at):
    assert choose(ROUTES, method, target) is (None if at is None else ROUTES[at])


def test_an_answer_has_the_true_length_and_the_line_ends_of_the_internet():
    answer = render(ROUTES[1], WORDS)
    assert answer == "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\né10.20.1.9".encode()
    assert render(ROUTES[2], WORDS).endswith(b"\r\n\r\n\x89PNG")
    assert lines("a\n$nobody", {}) == b"a\r\n$nobody"


def test_a_dhip_frame_states_its_length_twice():
    assert dhip_frame(b"{}") == struct.pack("<I4sIIIIII", 32, b"DHIP", 0, 0, 2, 0, 2, 0) + b"{}"


def test_a_name_service_answer_is_read_by_another_reader():
    service = Datagram(kind="mdns", service="_axis-video._tcp.local", txt=("macaddress=$mac",))
    question = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x0b_axis-video\x04_tcp\x05local\0\0\x0c\0\x01"
    told = DNS(mdns_answer(service, WORDS, question))
    assert told.ancount == 4
    assert told.an[0].rdata == b"made-up._axis-video._tcp.local."
    assert told.an[2].rdata == [b"macaddress=c4:2f:90:1a:00:09"]
    assert told.an[3].rdata == "10.20.1.9"
    assert mdns_answer(service, WORDS, question.replace(b"axis", b"ipps")) == b""
    assert mdns_answer(service, WORDS, question[:2] + b"\x84" + question[3:]) == b""


@given(st.binary(max_size=120))
def test_no_question_crashes_an_answer(raw):
    mdns_answer(Datagram(kind="mdns", service="_a._tcp.local"), WORDS, raw)
    answer, wrong = snmp_answer(Datagram(kind="snmp"), WORDS, raw)
    assert answer == b"" or not wrong


def test_addresses_are_written_as_the_network_does():
    assert (
        socket.inet_ntoa(frame(Announce(kind="announce", what="arp"), WORDS)[28:32]) == "10.20.1.9"
    )


GROUP4, GROUP6 = "01:00:5e:7f:ff:fa", "33:33:00:00:00:01"


@pytest.mark.parametrize(
    ("made", "call"),
    [
        (Ether(dst=GROUP4) / IP(dst="239.255.255.250") / UDP(dport=37020) / b"who", True),
        (Ether(dst=GROUP6) / IPv6(dst="ff02::fb") / UDP(dport=5353) / b"who", True),
        (Ether(dst=GROUP6) / IPv6(dst="ff02::1") / ICMPv6EchoRequest(), True),
        (Ether(dst=GROUP6) / IPv6(dst="ff02::1") / ICMPv6EchoReply(), False),
        (Ether(dst="02:00:00:00:00:01") / IP(dst="10.0.0.1") / UDP(dport=5060) / b"who", False),
        (Ether(dst=GROUP4) / IP(dst="224.0.0.22", proto=2) / (b"\x22" + bytes(15)), False),
        (Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(pdst="10.0.0.1"), False),
    ],
)
def test_what_everybody_on_a_segment_is_asked_is_told_from_the_rest(made, call):
    assert is_call(bytes(made)) is call


@given(st.binary(max_size=80), st.integers(0, 5))
def test_what_a_segment_carries_begins_behind_its_options_and_ends_before_the_padding(data, words):
    options = [("NOP", None)] * (4 * words)
    made = bytes(Ether() / IP() / TCP(options=options) / data)
    assert payload(made) == payload(made + bytes(20)) == data
