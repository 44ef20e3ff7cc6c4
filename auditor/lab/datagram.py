"""UDP services of the lab: discovery answers, SNMP, SIP; each answers one kind of question."""

import asyncio
import re
import socket
import struct
from collections.abc import Mapping
from string import Template
from typing import cast

from auditor.lab.answers import mdns_answer, snmp_answer
from auditor.lab.links import NEAR
from auditor.lab.record import Touches
from auditor.lab.truth import Datagram

# kind: port, multicast group, what a question looks like
GROUPS6 = {"wsd": "ff02::c", "ssdp": "ff02::c", "mdns": "ff02::fb"}
WELL_KNOWN: dict[str, tuple[int, str, bytes]] = {
    "sadp": (37020, "239.255.255.250", rb"<Probe[\s>]"),
    "dhip": (37810, "239.255.255.251", rb"DHDiscover\.search"),
    "wsd": (3702, "239.255.255.250", rb"discovery/Probe<"),
    "ssdp": (1900, "239.255.255.250", rb"^M-SEARCH "),
    "mdns": (5353, "224.0.0.251", rb"(?s)^..[\x00-\x7f]"),
    "snmp": (161, "", rb"^\x30"),
    "sip": (5060, "", rb"^OPTIONS "),
    "udp": (0, "", rb""),
}
_UUID = re.compile(rb"<Uuid>\s*([^<]{1,80})", re.IGNORECASE)
_TYPES = re.compile(rb"<Types>\s*([^<]{0,80})", re.IGNORECASE)
_MESSAGE = re.compile(rb"MessageID[^>]*>\s*([^<]{1,120})")
_SEARCH = re.compile(rb"(?im)^st:\s*(\S{1,120})")
_READING = {b"inquiry", b"inquiry_v32"}
_TTL = 1


def place(service: Datagram) -> tuple[int, str]:
    """Give the port and the group (may be empty) of a service."""
    port, group, _ = WELL_KNOWN[service.kind]
    return service.port or port, service.group or group


def open_datagram(service: Datagram) -> socket.socket:
    """Open the service's socket in the network that the calling thread is in."""
    port, group = place(service)
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.bind(("", port))
    if group:
        where = struct.pack("=4s4si", socket.inet_aton(group), bytes(4), NEAR)  # ip_mreqn
        own.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, where)
        own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, where)
        own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _TTL)
    own.settimeout(0)
    return own


def open_datagram6(service: Datagram) -> socket.socket:
    """Open the service's socket for IPv6, in its group of the link where it has one."""
    own = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    own.bind(("::", place(service)[0]))
    if group := GROUPS6.get(service.kind):
        where = socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", NEAR)
        own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, where)
    own.settimeout(0)
    return own


class Answerer(asyncio.DatagramProtocol):
    """One UDP service of one device."""

    def __init__(self, service: Datagram, words: Mapping[str, str], touches: Touches) -> None:
        self.service, self.words, self.touches = service, words, touches
        self.port, self.group = place(service)
        needle = service.needle.encode() or WELL_KNOWN[service.kind][2]
        self._question = re.compile(needle)
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to answer."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Remember the datagram; answer it if it is a question."""
        self.touches.datagrams[self.port] += 1
        if not self._question.search(data):
            return
        self.touches.request(self.port, repr(data[:120]))
        asked = _TYPES.search(data) if self.service.kind == "sadp" else None
        if asked and asked[1] not in _READING:
            self.touches.violation(f"port {self.port}: SADP asked to change: {asked[1]!r}")
            return
        if answer := self.answer(data):
            self._send(answer, (self.group, self.port) if self.service.to == "group" else addr)

    def error_received(self, exc: Exception) -> None:
        """Go on: the asker may be gone already."""

    def _send(self, answer: bytes, to: tuple[str, int]) -> None:
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        for _ in range(self.service.times):
            loop.call_later(self.service.delay_s, self._transport.sendto, answer, to)

    def answer(self, question: bytes) -> bytes:
        """Give the reply to one question; empty for none."""
        service = self.service
        if service.kind == "mdns":
            return mdns_answer(service, self.words, question)
        if service.kind == "snmp":
            answer, wrong = snmp_answer(service, self.words, question)
            if wrong:
                self.touches.violation(f"port {self.port}: {wrong}")
            return answer
        if service.hex_reply:
            return bytes.fromhex(service.hex_reply)
        text = Template(service.reply.lstrip("\n")).safe_substitute(
            {**self.words, **_carried(question)}
        )
        if service.kind == "dhip":
            return dhip_frame(text.strip().encode())
        if service.kind in {"ssdp", "sip"}:
            return text.rstrip().replace("\n", "\r\n").encode() + b"\r\n\r\n"
        return text.encode()


def _carried(question: bytes) -> dict[str, str]:
    """Give what an answer must repeat from its question."""
    found = {"uuid": _UUID, "message": _MESSAGE, "search": _SEARCH}
    matches = {name: pattern.search(question) for name, pattern in found.items()}
    return {name: match[1].decode("latin-1") if match else "" for name, match in matches.items()}


def dhip_frame(body: bytes) -> bytes:
    """Put DHIP's 32-byte header before a JSON body: magic and, twice, its length."""
    size = struct.pack("<II", len(body), 0)
    return struct.pack("<I4sII", 0x20, b"DHIP", 0, 0) + size + size + body
