"""IPv6 neighbour messages: who holds an address on the segment.

Source: RFC 4861 sections 4.1 to 4.4 (messages) and 4.6.1 (link-layer address option). A real
one has hop limit 255, because no router passed it on (section 7.1).
"""

from auditor.model.observation import Endpoint
from auditor.wire.addresses import ip_text, mac_text
from auditor.wire.frames import ICMP6, Packet, read_frame, read_packet
from auditor.wire.seen import Seen, told

ECHO_REPLY, ROUTER_ASKS, ROUTER_TELLS, ASKS, TELLS = 129, 133, 134, 135, 136
_OPTIONS_AT = {ROUTER_ASKS: 8, ROUTER_TELLS: 16, ASKS: 24, TELLS: 24}
SOURCE_ADDRESS, TARGET_ADDRESS = 1, 2


def seen(raw: bytes) -> tuple[Seen, ...]:
    """Tell who speaks in a neighbour message or echo reply of its own link."""
    frame = read_frame(raw)
    packet = read_packet(frame) if frame else None
    if frame is None or packet is None or packet.protocol != ICMP6 or not packet.payload:
        return ()
    kind = packet.payload[0]
    ip = ip_text(packet.payload[8:24] if kind == TELLS else packet.source)
    if kind == ECHO_REPLY:
        on_link = packet.source[:2] == b"\xfe\x80"  # a link-local source was not routed here
        mac = mac_text(frame.source) if on_link else None
    else:
        mac = _option(packet, kind) if packet.hops == 255 else None
    if not ip or not mac:
        return ()
    endpoint = Endpoint(ip, mac, transport="ndp", vlan=frame.vlan)
    return (Seen("ndp", endpoint, told(raw[:128], ("mac", mac))),)


def echoed(raw: bytes) -> tuple[Seen, ...]:
    """Tell who answers an echo, with the MAC that its frame came from.

    Only the caller knows whether that address lies on its own link; elsewhere the MAC is the
    router's.
    """
    frame = read_frame(raw)
    packet = read_packet(frame) if frame else None
    if frame is None or packet is None or packet.protocol != ICMP6:
        return ()
    ip, mac = ip_text(packet.source), mac_text(frame.source)
    if packet.payload[:1] != bytes([ECHO_REPLY]) or not ip or not mac:
        return ()
    endpoint = Endpoint(ip, mac, transport="ndp", vlan=frame.vlan)
    return (Seen("ndp", endpoint, told(raw[:128], ("mac", mac))),)


def _option(packet: Packet, kind: int) -> str | None:
    """Give the speaker's link-layer address from the options; None where it is not told."""
    raw, at = packet.payload, _OPTIONS_AT.get(kind, len(packet.payload))
    wanted = TARGET_ADDRESS if kind == TELLS else SOURCE_ADDRESS
    while at + 8 <= len(raw) and raw[at + 1]:
        if raw[at] == wanted:
            return mac_text(raw[at + 2 : at + 8])
        at += raw[at + 1] * 8
    return None
