"""Devices that speak up by themselves: ARP, DHCP, discovery announcements, tagged or not.

For passive listeners. Everything is sent as raw frames, so that even a device without an IP
address, or in a VLAN (IEEE 802.1Q), can be heard.
"""

import asyncio
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from string import Template

from auditor.lab.truth import Announce
from auditor.model.address import Mac

_BROADCAST = b"\xff" * 6
_ARP, _IPV4, _VLAN = b"\x08\x06", b"\x08\x00", b"\x81\x00"
_ARP_REQUEST = b"\x00\x01\x08\x00\x06\x04\x00\x01"
_DHCP_COOKIE = bytes.fromhex("63825363")
_SMALLEST = 60  # Ethernet pads shorter frames


class Announcer:
    """Sends one announcement again and again, from the network it was made in."""

    def __init__(self, announce: Announce, words: Mapping[str, str]) -> None:
        self._frame, self._every_s = frame(announce, words), announce.every_s
        self._left = announce.times
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.bind(("eth0", 0))

    def start(self) -> None:
        """Speak up from now on, in the running event loop."""
        asyncio.get_running_loop().call_later(self._every_s, self._speak)

    def _speak(self) -> None:
        with suppress(OSError):
            self._socket.send(self._frame)
        self._left -= 1
        if self._left:
            self.start()


def frame(announce: Announce, words: Mapping[str, str]) -> bytes:
    """Write the frame of an announcement."""
    mac = Mac.parse(words["mac"]).value.to_bytes(6, "big")
    ip = socket.inet_aton(words["ip"])
    text = Template(announce.text.lstrip("\n")).safe_substitute(words)
    payload = bytes.fromhex(announce.hex) or text.replace("\n", announce.ending).encode()
    match announce.what:
        case "arp":  # a probe for its own address, as hosts send when they come up (RFC 5227)
            body = _ARP_REQUEST + mac + ip + bytes(6) + ip
            made = (_BROADCAST, _ARP + body)
        case "dhcp":
            body = udp(bytes(4), b"\xff" * 4, (68, 67), dhcp_request(mac, ip, announce, words))
            made = (_BROADCAST, _IPV4 + body)
        case "datagram":
            group = socket.inet_aton(announce.group)
            target = b"\x01\x00\x5e" + bytes([group[1] & 0x7F]) + group[2:]
            made = (target, _IPV4 + udp(ip, group, (announce.port, announce.port), payload))
        case _:
            return payload
    target, rest = made
    tag = _VLAN + struct.pack("!H", announce.vlan) if announce.vlan else b""
    return (target + mac + tag + rest).ljust(_SMALLEST, b"\0")


def udp(source: bytes, target: bytes, ports: tuple[int, int], payload: bytes) -> bytes:
    """Write an IPv4 packet with one datagram; the UDP checksum is left out (RFC 768)."""
    size = 28 + len(payload)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 1, 17, 0, source, target)
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + head[12:]
    return head + struct.pack("!HHHH", *ports, size - 20, 0) + payload


def dhcp_request(mac: bytes, ip: bytes, announce: Announce, words: Mapping[str, str]) -> bytes:
    """Write a DHCPREQUEST for the address that the device has (RFC 2131, RFC 2132)."""
    head = struct.pack("!BBBBIHH4s4s4s4s", 1, 1, 6, 0, 0x4C4142, 0, 0, *(bytes(4),) * 4)
    options = b"\x35\x01\x03" + b"\x32\x04" + ip
    for number, text in ((60, announce.vendor_class), (12, announce.hostname)):
        said = Template(text).safe_substitute(words).encode()[:255]
        options += bytes([number, len(said)]) + said if said else b""
    return head + mac + bytes(10 + 192) + _DHCP_COOKIE + options + b"\xff"
