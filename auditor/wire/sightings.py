"""What one overheard frame tells: the single reader behind listening and behind captures.

Ports by the Service Name and Transport Protocol Port Number Registry (IANA), except those of
the two camera discoveries (see sadp and dhip). A hardware address is only taken from the
frame where no router can have passed it on; otherwise it would be the router's.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import replace

from auditor.errors import DataError
from auditor.model.observation import Endpoint, text
from auditor.wire import dhcp, dhip, dns, ndp, sadp, ssdp, wsdiscovery
from auditor.wire.addresses import ip_text, mac_text
from auditor.wire.frames import (
    ETHER_ARP,
    ICMP6,
    TCP,
    Frame,
    Packet,
    Segment,
    arp_seen,
    read_frame,
    read_packet,
    read_segment,
)
from auditor.wire.head import read_message
from auditor.wire.http import told_by
from auditor.wire.seen import Seen, told

MOST_REPLY_BYTES = 16_384
# what a sender starts with: RFC 6762 section 11 (255), the usual 64 and 128, one hop
UNROUTED_HOPS = frozenset({1, 4, 64, 128, 255})

_READERS: dict[int, Callable[[bytes, str], tuple[Seen, ...]]] = {
    dns.PORT: dns.seen,
    ssdp.PORT: ssdp.seen,
    wsdiscovery.PORT: wsdiscovery.seen,
    sadp.PORT: sadp.seen,
    dhip.PORT: dhip.seen,
    dhip.OLD_PORT: dhip.seen,
}


def sightings(raw: bytes) -> tuple[Seen, ...]:
    """Tell of the devices that one Ethernet frame speaks of; usually none."""
    frame = read_frame(raw)
    if frame is None:
        return ()
    if frame.kind == ETHER_ARP:
        return arp_seen(raw)
    packet = read_packet(frame)
    if packet is None:
        return ()
    if packet.protocol == ICMP6:
        return ndp.seen(raw)
    segment = read_segment(packet)
    sender = ip_text(packet.source)
    if segment is None or not segment.payload:
        return ()
    heard = _spoken(packet, segment, sender)
    return tuple(_placed(one, frame, packet) for one in heard)


def _spoken(packet: Packet, segment: Segment, sender: str | None) -> tuple[Seen, ...]:
    if packet.protocol == TCP:
        return _server(segment, sender)
    if segment.source_port in dhcp.PORTS and segment.target_port in dhcp.PORTS:
        return dhcp.seen(segment.payload)
    reader = _READERS.get(segment.source_port) or _READERS.get(segment.target_port)
    return reader(segment.payload, sender) if reader and sender else ()


def _server(segment: Segment, sender: str | None) -> tuple[Seen, ...]:
    """Tell what the head of an HTTP or RTSP reply says, of servers in private networks only."""
    if not segment.payload.startswith((b"HTTP/1.", b"RTSP/1.")) or sender is None:
        return ()
    raw = segment.payload[:MOST_REPLY_BYTES]
    try:
        reply = read_message(raw)
    except DataError:
        return ()
    kind = reply.protocol.lower()
    if not ipaddress.ip_address(sender).is_private:
        return ()
    pairs = ((f"{kind}.response", text(raw)), *told_by(reply))
    return (Seen(kind, Endpoint(sender, None, segment.source_port), told(raw, *pairs)),)


def _placed(seen: Seen, frame: Frame, packet: Packet) -> Seen:
    """Add the tag, and the frame's own source where it must be the speaker's."""
    endpoint = replace(seen.endpoint, vlan=frame.vlan)
    unrouted = frame.is_group and packet.hops in UNROUTED_HOPS
    own = mac_text(frame.source) if unrouted and endpoint.ip == ip_text(packet.source) else None
    if endpoint.mac is None and own is not None:
        added = told(frame.source, ("mac", own))
        return Seen(seen.protocol, replace(endpoint, mac=own), seen.observations + added)
    return replace(seen, endpoint=endpoint)
