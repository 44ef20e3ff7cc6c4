"""Segments behind a router, devices that speak unasked, plugs that are pulled."""

import errno
import socket
import time

import pytest

from auditor.lab.department import Department
from auditor.wire import snmp

pytestmark = pytest.mark.network

WEB = {"kind": "http", "port": 80, "routes": [{"head": "HTTP/1.1 200 OK", "body": "$name"}]}
FAR = {"name": "annex", "network": "10.20.9.0/24", "via": "router", "gateway": "10.20.9.1"}
DEVICES = [
    {
        "name": "router",
        "ip": "10.20.1.1",
        "services": [{"kind": "snmp", "community": "glass", "neighbours": True}],
    },
    {
        "name": "far-cam",
        "ip": "10.20.9.7",
        "mac": "c4:2f:90:1a:00:07",
        "services": [WEB, {"kind": "trap", "port": 9100}],
    },
    {"name": "near", "ip": "10.20.1.5", "services": [WEB]},
    {
        "name": "speaker",
        "ip": "10.20.1.6",
        "silent": True,
        "services": [
            {"kind": "announce", "what": "arp", "every_s": 0.1},
            {"kind": "announce", "what": "dhcp", "every_s": 0.1, "hostname": "$name"},
            {
                "kind": "announce",
                "what": "datagram",
                "every_s": 0.1,
                "text": "NOTIFY $ip",
                "vlan": 7,
            },
            {
                "kind": "announce",
                "what": "frame",
                "every_s": 0.1,
                "times": 99,
                "hex": "ffffffffffff0200000000ff88b6" + "00" * 46,
            },
        ],
    },
]


@pytest.fixture(scope="module")
def lab(start):
    with start(Department.of, DEVICES, ["10.20.1.0/24", FAR]) as department:
        yield department


def web(lab, ip):
    with lab.inside(), socket.create_connection((ip, 80), 2) as own:
        own.sendall(b"GET / HTTP/1.1\r\n\r\n")
        own.settimeout(2)
        return own.recv(1000)


def test_a_host_behind_a_router_answers_ip_but_no_arp(lab, who_has):
    assert lab.networks == ("10.20.1.0/24", "10.20.9.0/24")
    assert dict(lab.interfaces) == {"lan0": "eth0"}
    assert web(lab, "10.20.9.7").endswith(b"far-cam")
    assert who_has(lab, "eth0", "10.20.9.7") == set()


def test_the_router_knows_its_mac(lab):
    with lab.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.settimeout(2)
        own.sendto(snmp.get_bulk("glass", 3, snmp.ARP_TABLE, 20), ("10.20.1.1", 161))
        table = dict(snmp.neighbours(own.recv(4096)))
    assert table["10.20.9.7"] == "c4:2f:90:1a:00:07"
    assert "10.20.1.5" in table
    assert "10.20.1.1" not in table


def test_what_goes_through_the_router_is_witnessed_too(lab):
    with lab.inside(), socket.socket() as own:
        own.settimeout(1)
        own.connect(("10.20.9.7", 9100))
    assert {"device": "far-cam", "what": "port 9100 was touched"} in lab.report()["violations"]


def test_a_silent_device_is_heard_although_nobody_asks(lab):
    kinds, until = {}, time.monotonic() + 3
    with lab.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300) as own:
        own.bind(("eth0", 3))
        own.settimeout(0.5)
        while time.monotonic() < until and len(kinds) < 4:
            raw = own.recvmsg(2000, 100)[0]
            if raw[6:12] == bytes.fromhex("020000000004") or raw[12:14] == b"\x88\xb6":
                kinds[raw[12:14].hex()] = raw
    assert {"0806", "0800", "88b6"} <= set(kinds)
    assert b"speaker" in kinds["0800"] or b"NOTIFY 10.20.1.6" in kinds["0800"]


def test_a_pulled_plug_takes_a_device_from_the_network(lab, who_has):
    assert web(lab, "10.20.1.5").endswith(b"near")
    lab.unplug("near")
    assert who_has(lab, "eth0", "10.20.1.5") == set()
    lab.plug("near")
    assert who_has(lab, "eth0", "10.20.1.5", rounds=3) == {"02:00:00:00:00:03"}


def echo_to_all(own):
    """Ask as soon as our own address is sure to be ours alone (RFC 4862, 5.4)."""
    for _ in range(100):
        try:
            own.sendto(b"\x80\0\0\0\0\x01\0\x01", ("ff02::1", 0, 0, 2))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            time.sleep(0.1)
        else:
            return


def test_every_speaking_neighbour_answers_an_ipv6_echo_to_all_at_once_and_no_silent_one(start):
    devices = [{}, {}, {"silent": True}]
    with start(Department.of, devices) as lab, lab.inside():
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as own:
            own.settimeout(1)
            echo_to_all(own)
            heard, until = set(), time.monotonic() + 2
            while time.monotonic() < until and len(heard) < 2:
                data, sender = own.recvfrom(1000)
                ours = sender[0].startswith("fe80::215:5dff")
                heard |= {sender[0].partition("%")[0]} if data[0] == 0x81 and not ours else set()
        assert heard == {"fe80::ff:fe00:1", "fe80::ff:fe00:2"}
