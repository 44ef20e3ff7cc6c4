"""SNMP, SIP and UPnP: asked only where somebody allowed or announced it."""

import pytest

from auditor.model.observation import Observation, Outcome
from auditor.probes import router_arp, sip, snmp, upnp
from auditor.wire import ber
from auditor.wire import snmp as wire
from tests.drive import capture, peer, play

READER = peer(161, community="observer-7f3a")


def response(number, pairs):
    """Write an agent's answer: (object id, tag, contents)."""
    listed = b"".join(
        ber.write_item(ber.SEQUENCE, ber.write_object_id(name) + ber.write_item(tag, body))
        for name, tag, body in pairs
    )
    head = b"".join(map(ber.write_integer, (number, 0, 0)))
    pdu = ber.write_item(wire.RESPONSE, head + ber.write_item(ber.SEQUENCE, listed))
    start = ber.write_integer(1) + ber.write_item(ber.OCTETS, b"observer-7f3a")
    return ber.write_item(ber.SEQUENCE, start + pdu)


def row(number):
    name = f"{wire.ARP_TABLE}.2.192.0.{number >> 8}.{number & 255}"
    return name, ber.OCTETS, b"\xc4\x2f\x90\0" + number.to_bytes(2, "big")


# ---------------------------------------------------------------- SNMP


@pytest.mark.parametrize("probe", [snmp, router_arp])
def test_without_a_community_nothing_is_asked(probe):
    assert play(probe.speak(peer(161))).said == []


def test_a_device_says_what_it_is():
    played = play(snmp.speak(READER), [capture("snmp_v2c_reply.bin")])
    assert len(played.said) == 1
    assert played.value == {
        "snmp.sysdescr": "Linux IPC 3.10.61 armv7l",
        "snmp.sysobjectid": "1.3.6.1.4.1.1004849.3.2.10",
        "snmp.sysname": "cam-lobby",
    }


def test_an_old_device_is_asked_again_in_its_own_version_and_then_left_alone():
    played = play(snmp.speak(READER))
    assert [say.data[4] for say in played.said] == [wire.V2C, wire.V1]
    assert played.outcome is Outcome.SILENT


def test_an_answer_of_another_protocol_is_garbled():
    assert play(snmp.speak(READER), [b"hello"]).outcome is Outcome.GARBLED


def agent(rows):
    """Answer GetBulk like an agent with that table, and one object behind it."""
    table = [*rows, ("1.3.6.1.2.1.4.22.1.3.2.192.0.0.1", 0x40, b"\xc0\0\0\1")]

    def answer(say):
        pdu = list(ber.read_items(next(ber.read_items(say.data)).body))[2]
        number, _, most, pairs = ber.read_items(pdu.body)
        after = ber.read_object_id(next(ber.read_items(next(ber.read_items(pairs.body)).body)).body)
        behind = [one for one in table if arcs(one[0]) > arcs(after)]
        return response(ber.read_integer(number.body), behind[: ber.read_integer(most.body) or 1])

    return answer


def arcs(name):
    return [int(arc) for arc in name.split(".")]


def test_a_routers_whole_table_is_walked():
    rows = sorted((row(number) for number in range(1, 100)), key=lambda one: arcs(one[0]))
    played = play(router_arp.speak(READER), agent(rows))
    lines = "\n".join(played.values("snmp.neighbours")).split("\n")
    assert len(lines) == len(set(lines)) == 99
    assert lines[0] == "192.0.0.1 c4:2f:90:00:00:01"
    assert len(played.said) == 5  # and the other table, which is empty
    seen = [one for kept in played.observations for one in wire.seen(kept.raw)]
    assert len(seen) == 99


def test_an_agent_that_repeats_itself_is_left():
    played = play(router_arp.speak(READER), lambda _say: response(1, [row(5)]))
    assert len(played.said) == 3


def test_ipv6_neighbours_come_from_the_newer_table():
    octets = ".".join(map(str, bytes.fromhex("20010db8000000000000000000000064")))
    rows = [
        (f"{wire.NEIGHBOUR_TABLE}.2.1.4.192.0.2.64", ber.OCTETS, b"\xc4\x2f\x90\0\0\1"),
        (f"{wire.NEIGHBOUR_TABLE}.2.2.16.{octets}", ber.OCTETS, b"\xc4\x2f\x90\0\0\2"),
        (f"{wire.NEIGHBOUR_TABLE}.2.2.4.1.2.3.4", ber.OCTETS, b"\xc4\x2f\x90\0\0\3"),  # no IPv6
    ]
    played = play(router_arp.speak(READER), agent(rows))
    assert played.values("snmp.neighbours") == [
        "192.0.2.64 c4:2f:90:00:00:01\n2001:db8::64 c4:2f:90:00:00:02"
    ]
    (kept,) = played.observations
    assert [one.endpoint.ip for one in wire.seen(kept.raw)] == ["192.0.2.64", "2001:db8::64"]


def test_a_router_of_the_first_version_is_walked_row_by_row():
    rows = sorted((row(number) for number in range(1, 4)), key=lambda one: arcs(one[0]))

    def old(say):
        return b"" if say.data[4] == wire.V2C else agent(rows)(say)

    played = play(router_arp.speak(READER), old)
    assert len("\n".join(played.values("snmp.neighbours")).split("\n")) == 3


def test_a_table_without_an_end_is_left_after_a_bounded_number_of_questions():
    count = iter(range(1, 1 << 16))
    played = play(router_arp.speak(READER), lambda _say: response(1, [row(next(count))]))
    assert len(played.said) == router_arp.MOST_ANSWERS


# ---------------------------------------------------------------- SIP


def test_a_door_station_says_what_it_is():
    played = play(sip.speak(peer(5060)), [capture("sip_reply.txt")])
    assert played.value == {
        "sip.user_agent": "AXIS A8105-E Network Video Door Station",
        "sip.server": "Embedded Net DVR/NVR/DVS",
    }


# ---------------------------------------------------------------- UPnP


def announced(*places):
    return tuple(Observation("ssdp.location", place) for place in places)


def test_a_description_is_fetched_from_where_it_was_announced():
    known = announced("http://192.0.2.7:49152/rootdesc1.xml")
    played = play(upnp.speak(peer(49152, known=known)), [capture("upnp_description.http")])
    assert played.said[0].data.startswith(
        b"GET /rootdesc1.xml HTTP/1.1\r\nHost: 192.0.2.7:49152\r\n"
    )
    assert played.value["ssdp.description"].startswith('<?xml version="1.0"?>')
    assert "AXIS P3301" in played.value["ssdp.description"]


@pytest.mark.parametrize(
    "place",
    [
        "http://192.0.2.8:49152/x", "http://192.0.2.7:49153/x", "https://192.0.2.7:49152/x",
        "http://169.254.169.254/", "file:///etc/passwd", "http://a:b@192.0.2.7:49152/x",
        "http://router.local:49152/x",
    ],
)  # fmt: skip
def test_a_place_anywhere_else_is_not_asked(place):
    assert play(upnp.speak(peer(49152, known=announced(place)))).said == []


def test_nothing_announced_is_nothing_asked():
    assert play(upnp.speak(peer(80))).said == []


def test_a_redirect_to_somewhere_else_is_not_followed():
    known = announced("http://192.0.2.7:80/x", "http://192.0.2.7:80/x")
    away = b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.9/\r\n\r\n"
    played = play(upnp.speak(peer(80, known=known)), lambda _say: away)
    assert len(played.said) == 1
    assert played.observations == []
