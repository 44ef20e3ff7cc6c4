"""One program that serves every host of a farm: the dialled address tells who is asked."""

import asyncio
import re
import socket
import struct
from collections import Counter
from collections.abc import Mapping
from string import Template
from typing import Any, cast

from auditor.lab.datagram import WELL_KNOWN, dhip_frame, place
from auditor.lab.farm_manners import misbehave
from auditor.lab.farm_plan import FarmPlan, Host
from auditor.lab.talk import choose, lines, render
from auditor.lab.truth import Banner, Datagram, Talk

_CREDENTIAL = re.compile(rb"(?im)^(?:authorization|proxy-authorization)\s*:")
_CSEQ = re.compile(rb"(?im)^cseq:\s*(\d+)")
_PKTINFO = 8  # IP_PKTINFO
_BACKLOG = 65_535


class Seen:
    """What the hosts have received."""

    def __init__(self) -> None:
        self.connections: Counter[str] = Counter()
        self.requests = 0
        self.violations: list[str] = []

    def summary(self) -> dict[str, Any]:
        """Give it as plain values."""
        most = self.connections.most_common(1)
        return {
            "connections": self.connections.total(),
            "hosts_connected": len(self.connections),
            "most_to_one": most[0][1] if most else 0,
            "requests": self.requests,
            "violations": self.violations[:200],
        }


class Serving(asyncio.Protocol):
    """One TCP connection to one host."""

    def __init__(self, port: int, hosts: Mapping[str, Host], plan: FarmPlan, seen: Seen) -> None:
        self._port, self._hosts, self._plan, self._seen = port, hosts, plan, seen
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Find out who is asked; speak first where that host does."""
        self._transport = cast("asyncio.Transport", transport)
        host = self._hosts.get(transport.get_extra_info("sockname")[0])
        service = host.kind.tcp.get(self._port) if host else None
        if host is None or service is None:
            self._transport.abort()
            return
        self._host, self._service = host, service
        self._seen.connections[host.ip] += 1
        if isinstance(service, Banner):
            words = bytes.fromhex(service.hex) or lines(service.text, host.words())
            self._later(words, close=False)

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        if self._host.manner not in {"plain", "tarpit"} and data[:1] == b"\x16":
            self._later(b"\x16\x03\x01", close=False)  # a TLS client gets the same treatment
            return
        self._heard = (self._heard + data)[-16_384:]
        while isinstance(self._service, Talk) and b"\r\n\r\n" in self._heard:
            head, _, self._heard = self._heard.partition(b"\r\n\r\n")
            self._answer(self._service, head)

    def _answer(self, talk: Talk, head: bytes) -> None:
        self._seen.requests += 1
        if _CREDENTIAL.search(head):
            self._seen.violations.append(f"{self._host.ip}:{self._port}: credential")
        first = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(first) != 3:
            self._seen.violations.append(f"{self._host.ip}:{self._port}: {first}")
            self._transport.close()
            return
        route = choose(talk.routes, first[0], first[1])
        if route is None:
            self._later(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", close=True)
            return
        found = _CSEQ.search(head)
        cseq = found[1].decode() if found else "0"
        answer = render(route, {**self._host.words(), "cseq": cseq})
        self._later(answer, close=b"\r\nConnection: close" in answer)

    def _later(self, answer: bytes, *, close: bool) -> None:
        loop, delay = asyncio.get_running_loop(), self._plan.delay_s
        if self._host.manner != "plain":
            misbehave(self._host.manner, self._transport, answer)
        elif delay:
            loop.call_later(delay, self._send, answer, close)
        else:
            self._send(answer, close)

    def _send(self, answer: bytes, close: bool) -> None:
        self._transport.write(answer)
        if close:
            self._transport.close()


class Discovery:
    """One UDP discovery port: a question to the group is answered by every host that speaks it."""

    def __init__(
        self, kind: str, hosts: Mapping[str, Host], plan: FarmPlan, interface: int
    ) -> None:
        pairs = ((h, s) for h in hosts.values() if not h.silent for s in h.kind.udp)
        self._speakers = {
            host.ip: (host, service) for host, service in pairs if service.kind == kind
        }
        self._plan = plan
        self._port, self._group, needle = WELL_KNOWN[kind]
        self._question = re.compile(needle)
        self._where = struct.pack("=4s4si", socket.inet_aton(self._group), bytes(4), interface)
        self._interface = interface
        own = self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.setsockopt(socket.IPPROTO_IP, _PKTINFO, 1)
        own.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, self._where)
        own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, self._where)
        own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        own.bind(("", self._port))
        own.settimeout(0)
        asyncio.get_running_loop().add_reader(own, self._hear)

    def _hear(self) -> None:
        try:
            data, extra, _, sender = self._socket.recvmsg(4096, 64)
        except OSError:
            return
        if not self._question.search(data):
            return
        asked = socket.inet_ntoa(extra[0][2][8:12])
        if asked in self._speakers:
            self._answer(*self._speakers[asked], data, sender)
            return
        loop, count = asyncio.get_running_loop(), len(self._speakers)
        for at, (host, service) in enumerate(self._speakers.values()):
            wait = self._plan.spread_s * at / count
            loop.call_later(wait, self._answer, host, service, data, sender)

    def _answer(
        self, host: Host, service: Datagram, question: bytes, sender: tuple[str, int]
    ) -> None:
        found = re.search(rb"<Uuid>([^<]*)|MessageID[^>]*>([^<]*)", question)
        echo = found[found.lastindex or 1].decode("latin-1") if found else ""
        words = {**host.words(), "uuid": echo, "message": echo}
        text = Template(service.reply).safe_substitute(words).strip().encode()
        answer = dhip_frame(text) if service.kind == "dhip" else text
        to = place(service)[::-1] if service.to == "group" else sender
        source = struct.pack("=i4s4s", self._interface, socket.inet_aton(host.ip), bytes(4))
        try:
            self._socket.sendmsg([answer], [(socket.IPPROTO_IP, _PKTINFO, source)], 0, to)
        except OSError:
            return  # no room: lost, as on any wire


async def serve(
    hosts: Mapping[str, Host], plan: FarmPlan, seen: Seen, interface: int
) -> list[asyncio.Server]:
    """Open every port that any host serves, and the discovery groups."""
    loop, servers = asyncio.get_running_loop(), []
    for port in sorted({port for host in hosts.values() for port in host.ports}):
        own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind(("", port))
        make = _maker(port, hosts, plan, seen)
        servers.append(await loop.create_server(make, sock=own, backlog=_BACKLOG))
    for kind in ("sadp", "dhip", "wsd"):
        Discovery(kind, hosts, plan, interface)
    return servers


def _maker(port: int, hosts: Mapping[str, Host], plan: FarmPlan, seen: Seen) -> Any:
    return lambda: Serving(port, hosts, plan, seen)
