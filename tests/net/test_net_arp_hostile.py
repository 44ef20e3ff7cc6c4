"""ARP that lies: both engines, frame by frame and in one volley, see through the same forgeries.

One scene for each engine holds all of them, on addresses of their own.
"""

import os
import socket

import pytest

from auditor.model.address import AddressSet
from auditor.model.coverage_note import read_note
from auditor.model.observation import Outcome
from auditor.net.arp import BULK_PER_S, BULK_SIZE, sweep_arp
from auditor.net.interfaces import interfaces, named
from tests.net.stage import Aside, Cable, guard, inside, paced
from tests.net.test_net_arp import arp_of, gather, reply

pytestmark = pytest.mark.network
NET = AddressSet.parse(["10.9.0.0/22"])
TRUE = {"10.9.0.10", "10.9.0.11", "10.9.0.12"}
ROUTER, FORGER = "02aabbccdd01", "02aabbccdd66"
ENGINES = {"singly": paced(arp_per_s=1_900.0), "in-a-volley": paced(arp_per_s=2_500.0)}


def lies(ip):
    """What the station says to the question for `ip`; it floods with ten more replies each time."""
    match ip.split("."):
        case [_, _, "1", _]:
            yield reply(ROUTER, ip)
        case [_, _, "2", "5"]:
            yield reply("02aabbccdd02", ip)
            yield reply("02aabbccdd03", ip)
        case [_, _, "2", "6"]:
            yield from (reply(f"02aabbccee{last:02x}", ip) for last in range(60))
        case [_, _, "2", "7"]:
            yield reply("02aabbccdd04", ip, tag=b"\x81\x00\x00\x2a")
        case [_, _, "2", "8"]:
            yield reply("03aabbccdd05", ip)  # a group address
        case [_, _, "2", "9"]:
            yield reply("ffffffffffff", ip)
        case [_, _, "2", "10"]:
            yield reply("000000000000", ip)
        case [_, _, "2", "11"]:
            yield reply(FORGER, ip)[:30]
        case [_, _, "2", "12"]:  # a question, not an answer
            yield reply(FORGER, ip).replace(b"\6\4\0\2", b"\6\4\0\1")
    yield from (reply(FORGER, f"10.8.{last}.1") for last in range(10))  # nobody asked
    yield reply(FORGER, "0.0.0.0") + reply(FORGER, "255.255.255.255")


def station(ready):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        sock.bind(("v1", 3))
        ready.set()
        while True:
            raw = sock.recv(2_048)
            if raw[12:14] == b"\x08\x06" and raw[20:22] == b"\0\1" and raw[22:28] != b"\2\xaa":
                for frame in lies(socket.inet_ntoa(raw[38:42])):
                    sock.send(frame)


@pytest.fixture(scope="module", params=ENGINES)
def found(request):
    if os.geteuid() != 0:
        pytest.skip("skipped, because network namespaces need root here")
    pace, cable = ENGINES[request.param], Cable()
    assert (pace.arp_per_s >= BULK_PER_S) is (request.param == "in-a-volley")
    assert NET.size >= BULK_SIZE

    def look():
        gate = guard("10.9.0.0/22", pace=pace)
        return gather(sweep_arp(gate, NET, named("v0", interfaces())))

    try:
        cable.lay()
        with Aside(cable.there, station):
            yield inside(cable.here, look)
    finally:
        cable.cut()


def test_only_the_true_and_the_plausible_are_there(found):
    assert set(arp_of(found)) == TRUE | {"10.9.2.5", "10.9.2.6", "10.9.2.7"}


def test_a_router_that_answers_for_a_network_is_one_finding_and_no_cameras(found):
    (proxy,) = (a for a in found if a.outcome is Outcome.GARBLED)
    assert proxy.endpoint.mac == "02:aa:bb:cc:dd:01" and proxy.endpoint.ip is None
    assert read_note(proxy.detail).proxy == AddressSet.parse(["10.9.1.0/24"])
    (whole,) = (a for a in found if a.endpoint.ip is None and a.endpoint.mac is None)
    note = read_note(whole.detail)
    assert note.proxy.size == 256
    assert not note.silent.meet(note.proxy)


def test_two_stations_with_one_address_are_both_told(found):
    claims = [a for a in found if a.endpoint.ip == "10.9.2.5"]
    assert {a.endpoint.mac for a in claims} == {"02:aa:bb:cc:dd:02", "02:aa:bb:cc:dd:03"}
    assert all(a.detail == "2 stations claim this address" for a in claims)


def test_an_address_that_flaps_is_bounded_and_told(found):
    claims = [a for a in found if a.endpoint.ip == "10.9.2.6"]
    assert len({a.endpoint.mac for a in claims}) == len(claims) == 4
    assert all("stations claim" in a.detail for a in claims)


def test_a_tagged_answer_keeps_its_tag(found):
    assert arp_of(found)["10.9.2.7"].endpoint.vlan == 42


def test_addresses_that_only_lied_are_silent_and_what_nobody_asked_is_nowhere(found):
    (whole,) = (a for a in found if a.endpoint.ip is None and a.endpoint.mac is None)
    note = read_note(whole.detail)
    for last in range(8, 13):
        assert f"10.9.2.{last}" in note.silent
    assert "02:aa:bb:cc:dd:66" not in {a.endpoint.mac for a in found}
