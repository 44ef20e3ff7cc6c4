"""UDP datagrams in frames, judged as the kernel judges them before it gives them to a socket.

Frames are seen before the kernel asks whether a route leads back to the sender (rp_filter; RFC
3704) and before a firewall of this machine does. All else that the kernel would look at is looked
at here: for whom it is, its lengths, its checksums. Source: Ethernet II, IPv4 (RFC 791), IPv6 and
its fragment header (RFC 8200), UDP (RFC 768), the checksum (RFC 1071).
"""

import socket
import struct
from dataclasses import dataclass

from auditor.net.filters import ETH_P_IP, ETH_P_IPV6, FRAGMENT, UDP
from auditor.net.interfaces import Interface
from auditor.net.link import BROADCAST, Frame
from auditor.wire.addresses import mac_text

ETHERNET, UDP_HEAD, IPV6_HEAD, FRAGMENT_HEAD = 14, 8, 40, 8
_ONES = 0xFFFF  # words that add up to a multiple of this, in ones' complement, are right
_ALL = b"\xff" * 4  # 255.255.255.255
_LOOPBACK, _FIRST_GROUP = 127, 224  # first octets of IPv4 addresses that nobody may send from


@dataclass(frozen=True, slots=True)
class Receiver:
    """For whom a datagram has to be: addresses as on the wire, and ports of ours."""

    mac: bytes
    own: frozenset[bytes]  # what comes from here is our own question
    group: bytes
    ports: frozenset[int]

    @classmethod
    def on(cls, interface: Interface, group: str, ports: frozenset[int]) -> "Receiver":
        """Give who listens on an interface."""
        own = frozenset(_packed(address.ip) for address in interface.addresses)
        return cls(bytes.fromhex(interface.mac.replace(":", "")), own, _packed(group), ports)


@dataclass(frozen=True, slots=True)
class Datagram:
    """One for us. mac: of its frame; None where that is nobody's.

    whole: False where it came in pieces, cut, or with a wrong checksum. Of those, `payload` is what
    the frame holds of it.
    """

    sender: str
    mac: str | None
    payload: bytes
    whole: bool = True


@dataclass(frozen=True, slots=True)
class _Packet:
    """An IP packet with UDP in it. udp: head and payload, as far as they are there."""

    source: bytes
    target: bytes
    udp: bytes
    size: int  # of head and payload, as the IP head says
    whole: bool


def delivered(frame: Frame, to: Receiver) -> Datagram | None:
    """Read a datagram that the kernel would give to sockets of `to`; None where it is for others."""
    raw = frame.data
    # a tag with the number 0 tells a priority only (802.1Q, 6.9); others are other segments
    if len(raw) < ETHERNET or frame.vlan or not (raw[0] & 1 or raw[:6] == to.mac):
        return None
    kind = int.from_bytes(raw[12:14], "big")
    packet = {ETH_P_IP: _ipv4, ETH_P_IPV6: _ipv6}.get(kind, _nothing)(raw[ETHERNET:])
    if packet is None or packet.source in to.own or len(packet.udp) < UDP_HEAD:
        return None
    everybody = len(packet.target) == 4 and (packet.target == _ALL or raw[:6] == BROADCAST)
    if not (everybody or packet.target == to.group or packet.target in to.own):
        return None
    _, port, size, check = struct.unpack_from("!HHHH", packet.udp)
    if port not in to.ports:
        return None
    whole = packet.whole and UDP_HEAD <= size <= packet.size
    if whole and frame.summed:
        whole = _adds_up(packet, size) if check else len(packet.source) == 4
    family = socket.AF_INET if len(packet.source) == 4 else socket.AF_INET6
    sender = socket.inet_ntop(family, packet.source)
    return Datagram(sender, mac_text(raw[6:12]), packet.udp[UDP_HEAD : max(size, UDP_HEAD)], whole)


def _ipv4(raw: bytes) -> _Packet | None:
    head = 4 * (raw[0] & 0x0F) if raw else 0
    if len(raw) < head + UDP_HEAD or raw[0] >> 4 != 4 or head < 20 or raw[9] != UDP:
        return None
    size, pieces = struct.unpack_from("!H2xH", raw, 2)
    if pieces & 0x1FFF:  # a later piece: the first tells the ports, and is counted
        return None
    from_somebody = raw[12] not in {0, _LOOPBACK} and raw[12] < _FIRST_GROUP
    whole = head + UDP_HEAD <= size <= len(raw) and not pieces & 0x2000 and from_somebody
    whole = whole and int.from_bytes(raw[:head], "big") % _ONES == 0
    return _Packet(raw[12:16], raw[16:20], raw[head:size] or raw[head:], size - head, whole)


def _ipv6(raw: bytes) -> _Packet | None:
    if len(raw) < IPV6_HEAD or raw[0] >> 4 != 6:
        return None
    size, following = struct.unpack_from("!HB", raw, 4)
    at, whole = IPV6_HEAD, IPV6_HEAD + size <= len(raw) and raw[8] != 0xFF
    if following == FRAGMENT and len(raw) >= at + FRAGMENT_HEAD:
        following, pieces = struct.unpack_from("!BxH", raw, at)
        if pieces >> 3:
            return None
        at, size, whole = at + FRAGMENT_HEAD, size - FRAGMENT_HEAD, whole and not pieces & 1
    if following != UDP:
        return None
    return _Packet(raw[8:24], raw[24:40], raw[at : at + max(size, UDP_HEAD)], size, whole)


def _nothing(_: bytes) -> None:
    return None


def _adds_up(packet: _Packet, size: int) -> bool:
    """Tell whether the checksum over addresses, protocol, length and datagram is right."""
    head = packet.source + packet.target + struct.pack("!HH", UDP, size)
    # 2**16 is 1 modulo 2**16 - 1: so the words of one long number add up by themselves
    said = head + packet.udp[:size] + bytes(size % 2)
    return int.from_bytes(said, "big") % _ONES == 0


def _packed(ip: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
