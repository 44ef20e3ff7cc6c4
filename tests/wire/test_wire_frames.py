"""Frames that another implementation builds, overheard and read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.config import conf

from auditor.wire import dhcp, frames, ndp
from auditor.wire.sightings import sightings
from tests.drive import capture

conf.route_autoload = conf.route6_autoload = False
from scapy.layers.dhcp import BOOTP, DHCP  # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    ICMPv6EchoReply,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

CAMERA = "c4:2f:90:00:00:01"
ROUTER = "02:00:00:00:00:fe"


def told(seen):
    return {one.field: one.value for one in seen.observations}


def udp(
    payload,
    port,
    *,
    ttl=1,
    source="192.0.2.64",
    target="239.255.255.250",
    mac=CAMERA,
    dst="01:00:5e:7f:ff:fa",
):
    made = Ether(src=mac, dst=dst) / IP(src=source, dst=target, ttl=ttl)
    return bytes(made / UDP(sport=port, dport=port) / Raw(payload))


# ---------------------------------------------------------------- who has which address


@pytest.mark.parametrize("operation", [1, 2])
def test_whoever_speaks_in_arp_is_there(operation):
    raw = bytes(Ether(src=CAMERA) / ARP(op=operation, hwsrc=CAMERA, psrc="192.0.2.64"))
    (seen,) = sightings(raw)
    assert (seen.endpoint.ip, seen.endpoint.mac) == ("192.0.2.64", CAMERA)
    assert bool(frames.arp_reply(raw)) == (operation == 2)


def test_an_address_probe_speaks_of_a_device_without_an_address():
    (seen,) = sightings(bytes(Ether(src=CAMERA) / ARP(op=1, hwsrc=CAMERA, psrc="0.0.0.0")))
    assert (seen.endpoint.ip, seen.endpoint.mac) == (None, CAMERA)


@pytest.mark.parametrize("mac", ["ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "01:00:5e:00:00:01"])
def test_nobody_has_a_group_address_or_none(mac):
    assert sightings(bytes(Ether(src=CAMERA) / ARP(op=2, hwsrc=mac, psrc="192.0.2.64"))) == ()


@pytest.mark.parametrize(
    ("tags", "vlan"),
    [
        ((), None),
        ((Dot1Q(vlan=20),), 20),
        ((Dot1AD(vlan=7), Dot1Q(vlan=300)), 300),
        ((Dot1Q(vlan=0),), None),
    ],
    ids=["untagged", "tagged", "in two tags", "priority only"],
)
def test_tags_are_understood(tags, vlan):
    made = Ether(src=CAMERA)
    for tag in tags:
        made /= tag
    (seen,) = sightings(bytes(made / ARP(op=2, hwsrc=CAMERA, psrc="192.0.2.64")))
    assert seen.endpoint.vlan == vlan


def test_a_pile_of_tags_is_no_frame():
    assert frames.read_frame(bytes(12) + b"\x81\x00\x00\x01" * 9 + b"\x08\x06") is None


def test_an_ipv6_neighbour_tells_its_address():
    (seen,) = sightings(capture("frame_ndp_advert.bin"))
    assert (seen.endpoint.ip, seen.endpoint.mac) == ("fe80::c62f:90ff:fe00:1", CAMERA)
    assert seen.endpoint.transport == "ndp"


@pytest.mark.parametrize(
    "asking", [ICMPv6ND_NS(tgt="fe80::9"), ICMPv6ND_RA()], ids=["neighbour", "router"]
)
def test_one_who_asks_or_routes_tells_its_own(asking):
    made = Ether(src=CAMERA) / IPv6(src="fe80::1", dst="ff02::1", hlim=255) / asking
    (seen,) = sightings(bytes(made / ICMPv6NDOptSrcLLAddr(lladdr=CAMERA)))
    assert (seen.endpoint.ip, seen.endpoint.mac) == ("fe80::1", CAMERA)


def test_a_neighbour_message_that_was_routed_is_forged():
    made = (
        Ether(src=CAMERA) / IPv6(src="fe80::1", dst="ff02::1", hlim=64) / ICMPv6ND_NS(tgt="fe80::9")
    )
    assert sightings(bytes(made / ICMPv6NDOptSrcLLAddr(lladdr=CAMERA))) == ()


def test_an_echo_names_its_sender_only_on_the_own_link():
    near = Ether(src=CAMERA) / IPv6(src="fe80::1", dst="fe80::2") / ICMPv6EchoReply()
    far = Ether(src=ROUTER) / IPv6(src="2001:db8::1", dst="2001:db8::2") / ICMPv6EchoReply()
    (seen,) = ndp.seen(bytes(near))
    assert seen.endpoint.mac == CAMERA
    assert ndp.seen(bytes(far)) == ()


# ---------------------------------------------------------------- what is said


def test_a_multicast_reply_is_read_and_its_frame_names_the_speaker():
    (seen,) = sightings(capture("frame_sadp_multicast.bin"))
    assert seen.protocol == "sadp"
    assert told(seen)["mac"] == CAMERA


def test_the_source_of_a_frame_is_the_speaker_only_where_no_router_can_stand_between():
    payload = capture("ssdp_notify.txt")
    (own,) = sightings(udp(payload, 1900, ttl=4))
    (routed,) = sightings(udp(payload, 1900, ttl=3))
    (unicast,) = sightings(udp(payload, 1900, ttl=64, target="192.0.2.1", dst=ROUTER))
    assert (own.endpoint.mac, told(own)["mac"]) == (CAMERA, CAMERA)
    assert routed.endpoint.mac is None
    assert unicast.endpoint.mac is None
    assert own.endpoint.ip == routed.endpoint.ip == "192.0.2.64"


@pytest.mark.parametrize(
    ("name", "port", "protocol"),
    [
        ("mdns_reply.bin", 5353, "mdns"), ("wsd_matches.xml", 3702, "onvif"),
        ("dhip_camera.bin", 37810, "dhip"), ("dhip_old.bin", 5050, "dhip"),
        ("ssdp_reply.txt", 1900, "ssdp"), ("sadp_relabel_malformed.xml", 37020, "sadp"),
    ],
)  # fmt: skip
def test_each_discovery_is_overheard(name, port, protocol):
    (seen,) = sightings(udp(capture(name), port))
    assert seen.protocol == protocol


def test_a_client_asking_for_an_address_tells_its_class_and_name():
    (seen,) = sightings(capture("frame_dhcp_discover.bin"))
    assert (seen.endpoint.ip, seen.endpoint.mac) == (None, "00:40:8c:00:00:05")
    assert told(seen) == {
        "mac": "00:40:8c:00:00:05",
        "dhcp.vendor_class": "AXIS,Network Camera,P3343,5.20.3",
        "dhcp.hostname": "axis-00408c000005",
    }


def test_the_server_grants_the_client_its_address():
    (seen,) = sightings(capture("frame_dhcp_ack.bin"))
    assert (seen.endpoint.ip, seen.endpoint.mac) == ("192.0.2.55", "00:40:8c:00:00:05")
    assert set(told(seen)) == {"mac"}, "names in an answer are the server's copy"


def test_an_offer_is_no_address_yet():
    made = BOOTP(op=2, yiaddr="192.0.2.55", chaddr=bytes.fromhex("00408c000005"))
    (seen,) = dhcp.seen(bytes(made / DHCP(options=[("message-type", "offer"), "end"])))
    assert seen.endpoint.ip is None


def test_a_long_dhcp_option_in_two_pieces_is_one():
    made = BOOTP(op=1, chaddr=bytes.fromhex("00408c000005"))
    raw = bytes(
        made / DHCP(options=[("vendor_class_id", b"a" * 200), ("vendor_class_id", b"b"), "end"])
    )
    (seen,) = dhcp.seen(raw)
    assert told(seen)["dhcp.vendor_class"] == "a" * 200 + "b"


def tcp(payload, source, port):
    return bytes(
        Ether(src=ROUTER, dst=CAMERA)
        / IP(src=source, dst="192.0.2.1")
        / TCP(sport=port, flags="PA")
        / Raw(payload)
    )


def test_a_servers_head_in_a_capture_is_told():
    (seen,) = sightings(tcp(capture("http_dnvrs_401.http"), "192.0.2.64", 80))
    assert (seen.endpoint.ip, seen.endpoint.port, seen.endpoint.mac) == ("192.0.2.64", 80, None)
    assert told(seen)["http.server"] == "DNVRS-Webs"
    (seen,) = sightings(tcp(capture("rtsp_options_server.rtsp"), "192.0.2.64", 554))
    assert told(seen)["rtsp.server"] == "Dahua Rtsp Server"


def test_servers_of_the_internet_are_none_of_ours():
    assert sightings(tcp(capture("http_dnvrs_401.http"), "8.8.8.8", 80)) == ()


# ---------------------------------------------------------------- answers to knocks


@pytest.mark.parametrize(("flags", "state"), [("SA", "open"), ("RA", "closed")])
def test_an_answer_to_a_knock_tells_the_state_of_the_port(flags, state):
    raw = bytes(
        Ether(src=ROUTER) / IP(src="192.0.2.64", dst="192.0.2.1") / TCP(sport=554, flags=flags)
    )
    (seen,) = frames.syn_reply(raw)
    assert (seen.endpoint.ip, seen.endpoint.port) == ("192.0.2.64", 554)
    assert told(seen) == {"device.port_state": state}
    assert seen.endpoint.mac is None, "the frame may come from a router"


@pytest.mark.parametrize("flags", ["S", "A", "PA", "F", "R"])
def test_other_segments_tell_nothing(flags):
    assert frames.syn_reply(bytes(Ether() / IP(src="192.0.2.64") / TCP(flags=flags))) == ()


def test_an_echo_reply_tells_that_somebody_is_there():
    (seen,) = frames.echo_reply(bytes(Ether() / IP(src="192.0.2.64") / ICMP(type=0)))
    assert seen.endpoint.ip == "192.0.2.64"
    assert frames.echo_reply(bytes(Ether() / IP(src="192.0.2.64") / ICMP(type=8))) == ()


# ---------------------------------------------------------------- damage


def test_a_later_fragment_is_not_read():
    made = Ether() / IP(src="192.0.2.64", dst="239.255.255.250", frag=100) / UDP(dport=37020)
    assert sightings(bytes(made / Raw(capture("sadp_camera.xml")))) == ()


def test_extension_headers_are_stepped_over():
    made = (
        Ether()
        / IPv6(src="fe80::1")
        / IPv6ExtHdrHopByHop()
        / UDP(sport=5353, dport=5353)
        / Raw(b"x")
    )
    packet = frames.read_packet(frames.read_frame(bytes(made)))
    assert packet.protocol == frames.UDP
    assert frames.read_segment(packet).payload == b"x"


def test_a_packet_that_the_card_was_to_cut_is_read_whole():
    raw = bytearray(udp(capture("ssdp_notify.txt"), 1900))
    raw[16:18] = b"\0\0"
    (seen,) = sightings(bytes(raw))
    assert seen.protocol == "ssdp"


def test_padding_is_no_payload():
    raw = bytes(Ether() / IP(src="192.0.2.64") / UDP(sport=1, dport=2) / Raw(b"x")) + bytes(20)
    assert frames.read_segment(frames.read_packet(frames.read_frame(raw))).payload == b"x"


@given(st.binary(max_size=120), st.sampled_from([0x0800, 0x86DD, 0x0806, 0x8100]))
def test_no_frame_is_a_reason_to_fail(rest, kind):
    raw = bytes.fromhex("01005e7ffffac42f90000001") + kind.to_bytes(2, "big") + rest
    for read in (sightings, frames.arp_reply, frames.syn_reply, frames.echo_reply, ndp.seen):
        read(raw)


@pytest.mark.parametrize(
    "name", ["frame_dhcp_discover.bin", "frame_sadp_multicast.bin", "frame_ndp_advert.bin"]
)
def test_a_frame_cut_short_anywhere_is_read_or_ignored(name):
    raw = capture(name)
    for end in range(len(raw)):
        sightings(raw[:end])
