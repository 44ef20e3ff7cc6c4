"""The lab's servers misbehave as told, and witness what nobody should send."""

import socket
import time

import pytest

from auditor.lab.department import Department
from auditor.wire import dns, sip, snmp, ssdp

pytestmark = pytest.mark.network

PAGE = {"head": "HTTP/1.1 200 OK\nServer: made-up\nContent-Length: $length", "body": "0123456789"}
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def web(manner="plain", **more):
    return {"kind": "http", "port": 80, "manner": manner, "routes": [PAGE], **more}


MANNERS = ("plain", "tarpit", "drip", "endless", "reset", "cut")
DEVICES = [
    *(
        {"name": manner, "ip": f"10.20.1.{at}", "services": [web(manner)]}
        for at, manner in enumerate(MANNERS, 1)
    ),
    {
        "name": "witness",
        "ip": "10.20.1.20",
        "services": [
            web(),
            {"kind": "banner", "port": 21, "text": "220 hello\n"},
            {"kind": "banner", "port": 8000, "hex": "00ff", "quiet": True},
        ],
    },
    {
        "name": "agent",
        "ip": "10.20.1.21",
        "services": [
            {
                "kind": "snmp",
                "community": "glass",
                "values": [
                    ["1.3.6.1.2.1.1.1.0", "a made-up agent at $ip"],
                    ["1.3.6.1.2.1.1.2.0", "oid:1.3.6.1.4.1.99999.1"],
                    ["1.3.6.1.2.1.4.22.1.2.2.10.20.1.77", "hex:c42f901a0077"],
                ],
            },
            {"kind": "mdns", "service": "_made-up._tcp.local", "txt": ["mac=$mac"]},
            {"kind": "ssdp", "reply": "HTTP/1.1 200 OK\nLOCATION: http://$ip/d.xml\nST: $search"},
            {"kind": "sip", "reply": "SIP/2.0 200 OK\nUser-Agent: made-up"},
            {"kind": "sadp", "reply": "<ProbeMatch><Uuid>$uuid</Uuid></ProbeMatch>"},
        ],
    },
    {"name": "flap", "ip": "10.20.1.22", "flap": ["02:00:00:00:0a:01", "02:00:00:00:0a:02"]},
    {
        "name": "flood",
        "ip": "10.20.1.23",
        "services": [{"kind": "ssdp", "times": 500, "reply": "HTTP/1.1 200 OK"}],
    },
]


@pytest.fixture(scope="module")
def lab(start):
    with start(Department.of, DEVICES) as department:
        yield department


def listen(lab, ip, port=80, words=GET, most=100_000, wait=1.5):
    """Give what came until the end, `most` bytes or `wait` seconds, and how it ended."""
    got, until = b"", time.monotonic() + wait
    with lab.inside(), socket.create_connection((ip, port), 2) as own:
        own.sendall(words)
        while len(got) < most:
            own.settimeout(max(0.01, until - time.monotonic()))
            try:
                piece = own.recv(65_536)
            except TimeoutError:
                return got, "idle"
            except ConnectionResetError:
                return got, "reset"
            if not piece:
                return got, "closed"
            got += piece
    return got, "more"


@pytest.mark.parametrize(
    ("manner", "end", "least", "most"),
    [
        ("plain", "idle", 60, 100),
        ("tarpit", "idle", 0, 0),
        ("drip", "idle", 1, 3),
        ("endless", "more", 100_000, 10_000_000),
        ("reset", "reset", 0, 50),
        ("cut", "closed", 20, 50),
    ],
)
def test_a_server_answers_in_its_manner(lab, manner, end, least, most):
    got, ended = listen(lab, lab.truth.device(manner).ip)
    assert ended == end
    assert least <= len(got) <= most


@pytest.mark.parametrize(
    ("port", "words", "violation"),
    [
        (
            80,
            b"GET / HTTP/1.1\r\nAuthorization: Basic YTpi\r\n\r\n",
            "credential in header Authorization",
        ),
        (80, b"GET / HTTP/1.1\r\nauthorization:\r\n\r\n", "credential in header authorization"),
        (80, b"POST /login HTTP/1.1\r\n\r\n", "method POST"),
        (80, b"\x16\x03\x01 nonsense\r\n\r\n", "malformed request"),
        (21, b"USER anonymous\r\n", "port 21 was sent"),
        (8000, b"\x00", "port 8000 was sent"),
    ],
)
def test_what_nobody_should_send_is_witnessed(lab, port, words, violation):
    listen(lab, "10.20.1.20", port, words, wait=0.3)
    told = [wrong["what"] for wrong in lab.report()["violations"] if wrong["device"] == "witness"]
    assert any(violation in what for what in told), told


def test_a_plain_request_is_no_violation(lab):
    before = len(lab.report()["violations"])
    listen(lab, "10.20.1.20", 80, GET, wait=0.3)
    listen(lab, "10.20.1.20", 21, b"", wait=0.3)
    report = lab.report()
    assert len(report["violations"]) == before
    assert {"port": 80, "line": "GET / HTTP/1.1"} in report["devices"]["witness"]["requests"]


def datagram(lab, port, words, ip="10.20.1.21", wait=1.0):
    with lab.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.settimeout(wait)
        own.sendto(words, (ip, port))
        try:
            return own.recv(65_536)
        except TimeoutError:
            return b""


def test_snmp_answers_only_its_community_and_can_be_walked(lab):
    answer = snmp.read_response(
        datagram(
            lab,
            161,
            snmp.get("glass", 7, ["1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.9.0"]),
        )
    )
    assert answer.request_id == 7
    assert answer.value("1.3.6.1.2.1.1.1.0") == "a made-up agent at 10.20.1.21"
    assert answer.value("1.3.6.1.2.1.1.2.0") == "1.3.6.1.4.1.99999.1"
    assert answer.value("1.3.6.1.2.1.1.9.0") is None
    table = datagram(lab, 161, snmp.get_bulk("glass", 8, snmp.ARP_TABLE, 10))
    assert snmp.neighbours(table) == (("10.20.1.77", "c4:2f:90:1a:00:77"),)
    assert datagram(lab, 161, snmp.get("public", 9, ["1.3.6.1.2.1.1.1.0"]), wait=0.3) == b""
    assert "SNMP with community" in str(lab.report()["violations"])


def test_a_name_service_announces_its_service(lab):
    assert datagram(lab, 5353, dns.question())
    (seen,) = dns.seen(datagram(lab, 5353, dns.question()), "10.20.1.21")
    assert "_made-up._tcp" in str(seen)


def test_searches_are_answered(lab):
    assert b"\r\nLOCATION: http://10.20.1.21/d.xml\r\nST: " in datagram(lab, 1900, ssdp.search())
    assert datagram(lab, 5060, sip.options("10.20.1.21")).endswith(b"User-Agent: made-up\r\n\r\n")


def test_a_sadp_message_that_would_change_the_device_is_a_violation_and_gets_no_answer(lab):
    assert b"<Uuid>A</Uuid>" in datagram(
        lab, 37020, b"<Probe><Uuid>A</Uuid><Types>inquiry</Types></Probe>"
    )
    assert (
        datagram(lab, 37020, b"<Probe><Uuid>A</Uuid><Types>update</Types></Probe>", wait=0.3) == b""
    )
    assert "SADP asked to change: b'update'" in str(lab.report()["violations"])


def test_a_flapping_address_shows_several_macs(lab, who_has):
    macs = who_has(lab, "eth0", "10.20.1.22", rounds=3)
    assert {"02:00:00:00:0a:01", "02:00:00:00:0a:02"} <= macs


def test_a_flood_answers_many_times(lab):
    with lab.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        own.settimeout(1)
        own.sendto(ssdp.search(), ("10.20.1.23", 1900))
        count = 0
        try:
            while True:
                own.recv(2000)
                count += 1
        except TimeoutError:
            assert count > 100
