"""Ethernet frames down to the payload of UDP and TCP, by fixed offsets; nothing is dissected.

Sources: IEEE 802.3, IEEE 802.1Q (tags), RFC 826 (ARP), RFC 791 (IPv4), RFC 8200 (IPv6), RFC 768
(UDP), RFC 9293 (TCP). Checksums are not judged: captures hold frames whose checksum the
network card was still to fill in. Each reader gives None where the bytes are something else
or end too early.
"""

import struct
from dataclasses import dataclass

from auditor.model.observation import Endpoint
from auditor.wire.addresses import ip_text, mac_text
from auditor.wire.seen import Seen, told

ETHER_ARP, ETHER_IPV4, ETHER_IPV6 = 0x0806, 0x0800, 0x86DD
TAGS = frozenset({0x8100, 0x88A8, 0x9100})  # 802.1Q, 802.1ad and its forerunner
MOST_TAGS = 4
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
SYN, ACK, RST = 0x02, 0x10, 0x04
ARP_REQUEST, ARP_REPLY = 1, 2
# RFC 8200 section 4: hop-by-hop, routing, destination options; a fragment is not put together
_EXTENSIONS = frozenset({0, 43, 60})

_ARP = struct.Struct("!HHBBH6s4s6s4s")


@dataclass(frozen=True, slots=True)
class Frame:
    """One Ethernet frame. vlan: number of the innermost 802.1Q tag, None when untagged."""

    target: bytes
    source: bytes
    kind: int
    payload: bytes
    vlan: int | None = None

    @property
    def is_group(self) -> bool:
        """Tell whether it was sent to a group (multicast or broadcast)."""
        return bool(self.target[0] & 1)


@dataclass(frozen=True, slots=True)
class Arp:
    """An ARP message for IPv4 over Ethernet."""

    operation: int
    sender_mac: bytes
    sender_ip: bytes
    target_ip: bytes


@dataclass(frozen=True, slots=True)
class Packet:
    """An IP packet that is no later fragment; addresses in their 4 or 16 octets."""

    source: bytes
    target: bytes
    protocol: int
    hops: int  # what is left of the time to live, or the hop limit
    payload: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """A UDP datagram (flags 0) or TCP segment."""

    source_port: int
    target_port: int
    payload: bytes
    flags: int = 0


def read_frame(raw: bytes) -> Frame | None:
    """Read the header and any tags; None for 802.3 length frames and what is too short."""
    vlan, at = None, 12
    for _ in range(MOST_TAGS + 1):
        if len(raw) < at + 2:
            return None
        kind = int.from_bytes(raw[at : at + 2], "big")
        if kind not in TAGS:
            return Frame(raw[:6], raw[6:12], kind, raw[at + 2 :], vlan) if kind >= 0x600 else None
        vlan = int.from_bytes(raw[at + 2 : at + 4], "big") & 0xFFF or None
        at += 4
    return None


def read_arp(frame: Frame) -> Arp | None:
    """Read an ARP message of the one kind that speaks of IPv4 over Ethernet."""
    if frame.kind != ETHER_ARP or len(frame.payload) < _ARP.size:
        return None
    hardware, protocol, h_size, p_size, operation, mac, ip, _, wanted = _ARP.unpack_from(
        frame.payload
    )
    if (hardware, protocol, h_size, p_size) != (1, ETHER_IPV4, 6, 4):
        return None
    return Arp(operation, mac, ip, wanted)


def read_packet(frame: Frame) -> Packet | None:
    """Read an IPv4 or IPv6 packet, padding cut off; None for later fragments."""
    if frame.kind == ETHER_IPV4:
        return _read_ipv4(frame.payload)
    return _read_ipv6(frame.payload) if frame.kind == ETHER_IPV6 else None


def _read_ipv4(raw: bytes) -> Packet | None:
    if len(raw) < 20 or raw[0] >> 4 != 4:
        return None
    start, end = (raw[0] & 15) * 4, int.from_bytes(raw[2:4], "big")
    end = end or len(raw)  # the network card was still to cut it into segments
    offset = int.from_bytes(raw[6:8], "big") & 0x1FFF
    if start < 20 or end < start or offset:
        return None
    return Packet(raw[12:16], raw[16:20], raw[9], raw[8], raw[start:end])


def _read_ipv6(raw: bytes) -> Packet | None:
    if len(raw) < 40 or raw[0] >> 4 != 6:
        return None
    following, end = raw[6], 40 + int.from_bytes(raw[4:6], "big")
    at = 40
    while following in _EXTENSIONS and at + 8 <= len(raw):  # at grows by 8 or more
        following, at = raw[at], at + (raw[at + 1] + 1) * 8
    if following in _EXTENSIONS:
        return None
    return Packet(raw[8:24], raw[24:40], following, raw[7], raw[at:end])


def read_segment(packet: Packet) -> Segment | None:
    """Read the ports and payload of UDP or TCP."""
    raw = packet.payload
    ports = int.from_bytes(raw[:2], "big"), int.from_bytes(raw[2:4], "big")
    if packet.protocol == UDP and len(raw) >= 8:
        return Segment(*ports, raw[8 : max(8, int.from_bytes(raw[4:6], "big"))])
    if packet.protocol == TCP and len(raw) >= 20 and (raw[12] >> 4) >= 5:
        return Segment(*ports, raw[(raw[12] >> 4) * 4 :], raw[13])
    return None


def arp_seen(raw: bytes) -> tuple[Seen, ...]:
    """Tell who speaks in an ARP message, question or answer; nobody where it is none.

    An address probe (RFC 5227 section 2.1.1) comes from 0.0.0.0 and has no IP address yet. A
    frame whose own source differs from the sender inside is forged or bridged: still told,
    as what the message says.
    """
    frame = read_frame(raw)
    arp = read_arp(frame) if frame else None
    mac = mac_text(arp.sender_mac) if arp else None
    if frame is None or arp is None or mac is None:
        return ()
    endpoint = Endpoint(ip_text(arp.sender_ip), mac, transport="arp", vlan=frame.vlan)
    return (Seen("arp", endpoint, told(raw[:64], ("mac", mac))),)


def arp_reply(raw: bytes) -> tuple[Seen, ...]:
    """Tell who answers in an ARP reply; nobody in a question."""
    frame = read_frame(raw)
    arp = read_arp(frame) if frame else None
    answered = arp is not None and arp.operation == ARP_REPLY
    return tuple(seen for seen in arp_seen(raw) if seen.endpoint.ip) if answered else ()


def syn_reply(raw: bytes) -> tuple[Seen, ...]:
    """Tell the state of a port from the answer to a SYN; nobody in any other frame.

    The frame's source is the next hop's and speaks of no device, so no `mac` is told.
    """
    frame = read_frame(raw)
    packet = read_packet(frame) if frame else None
    segment = read_segment(packet) if packet else None
    if frame is None or packet is None or segment is None or packet.protocol != TCP:
        return ()
    state = {SYN | ACK: "open", RST | ACK: "closed"}.get(segment.flags & (SYN | ACK | RST))
    ip = ip_text(packet.source)
    if state is None or ip is None:
        return ()
    endpoint = Endpoint(ip, None, segment.source_port, vlan=frame.vlan)
    return (Seen("syn", endpoint, told(raw[:64], ("device.port_state", state))),)


def echo_reply(raw: bytes) -> tuple[Seen, ...]:
    """Tell who answers an IPv4 echo (RFC 792, type 0)."""
    frame = read_frame(raw)
    packet = read_packet(frame) if frame else None
    if frame is None or packet is None or packet.protocol != ICMP or packet.payload[:1] != b"\0":
        return ()
    ip = ip_text(packet.source)
    return (Seen("icmp", Endpoint(ip, None, transport="icmp", vlan=frame.vlan)),) if ip else ()
