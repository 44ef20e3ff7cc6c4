"""Builds the networks of a department and lets every device in them play its part."""

import asyncio
import ctypes
import functools
import socket
import ssl
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from auditor.lab import kernel
from auditor.lab.announce import Announcer
from auditor.lab.cabling import Cabling, neighbour_rows
from auditor.lab.certificates import contexts
from auditor.lab.datagram import Answerer, open_datagram, open_datagram6
from auditor.lab.frames import ArpResponder, Sniffer
from auditor.lab.record import Sent, Touches, Window, total
from auditor.lab.talk import Server, listen
from auditor.lab.truth import (
    Announce,
    Banner,
    Datagram,
    Device,
    Fragile,
    Service,
    Shut,
    Talk,
    Trap,
    Truth,
)
from auditor.model.address import Mac

_BACKLOG = 128
_ATTACH_FILTER = 26  # SO_ATTACH_FILTER
_JITTER_S = 0.05  # a sender that keeps N a second may be seen to be this much quicker
_SYN, _RST = 0x02, 0x04


class Weakness:
    """Watches a fragile device and tells, once, what was too much for it."""

    def __init__(
        self,
        limits: Fragile,
        touches: Touches,
        die: Callable[[], None],
        listed: Iterable[int] = (),
        talks: Mapping[int, bool] | None = None,
    ) -> None:
        """Take what it survives. listed: ports that are no stranger's; none: all are.

        talks: ports that are asked in lines, and whether inside TLS.
        """
        self._limits, self._touches, self._die = limits, touches, die
        self._listed, self._talks = frozenset(listed), talks or {}
        self._spoken: set[tuple[int, int]] = set()
        if not limits.garbage:
            touches.wronged = self._fail
        self._window = Window(1.0 - _JITTER_S)
        self._known: set[tuple[int, int]] = set()
        self._resets = 0

    def tcp(self, moment: float, port: int, source: int, flags: int, first: bytes = b"") -> None:
        """Look at one TCP frame to the device; first: how what it carries begins."""
        if first and (port, source) not in self._spoken:
            self._spoken.add((port, source))
            self._listen(port, first)
        if flags & _RST:
            self._resets += 1
            if self._resets > self._limits.resets:
                self._fail(f"a reset to port {port}")
        elif flags & _SYN and (port, source) not in self._known:
            self._known.add((port, source))
            if self._listed and port not in self._listed and not self._limits.strangers:
                self._fail(f"a connection to port {port}")
            if self._window.add(moment) > self._limits.connects_per_s:
                self._fail(f"more than {self._limits.connects_per_s} connections in a second")
            if self._window.count > self._limits.total:
                self._fail(f"more than {self._limits.total} connections")

    def _listen(self, port: int, first: bytes) -> None:
        """Look at how a client begins: a TLS handshake (RFC 8446, 5.1), or a verb."""
        begins = first[:1] == b"\x16" if self._talks.get(port) else first[:1].isupper()
        if port in self._talks and not begins and not self._limits.garbage:
            self._fail(f"garbage to port {port}: {first[:16]!r}")

    def opened(self) -> None:
        """Look at how many connections are open."""
        if self._touches.open > self._limits.open:
            self._fail(f"more than {self._limits.open} connections open at once")

    def _fail(self, why: str) -> None:
        if not self._touches.dead:
            self._touches.dead = why
            self._die()


class Town:
    """A department that runs in this process, in networks that live as long as it."""

    def __init__(self, truth: Truth, scanner: int) -> None:
        """Take what to build; scanner: the process that holds the scanner's network."""
        self.truth = truth
        self.cabling = Cabling(truth, scanner)
        self.sent = Sent()
        self.touches = {d.name: Touches(d.name, d.ip, d.mac) for d in truth.devices}
        self._by_ip = {ip: self.touches[d.name] for d in truth.devices for ip in d.addresses}
        self._networks: list[int] = []
        served = [(ip, s) for d in truth.devices for ip in d.addresses for s in truth.services(d)]
        self._traps = {(ip, service.port) for ip, service in served if isinstance(service, Trap)}
        self._weak: dict[str, Weakness] = {}
        self._sniffers: list[Sniffer] = []
        self._servers: list[asyncio.Server] = []
        self._closed_doors: list[socket.socket] = []
        used = {service.tls for _, service in served if isinstance(service, Talk)}
        self._contexts = contexts({n: c for n, c in truth.certificates.items() if n in used})
        self._began = time.monotonic()

    async def open(self) -> None:
        """Build the networks and start every device."""
        self.cabling.switches()
        networks = kernel.new_networks(len(self.truth.devices))
        self._networks = networks  # nothing else keeps one of a device without services
        for device, network in zip(self.truth.devices, networks, strict=True):
            self.cabling.plug_in(device, network)
            self._weaken(device)
            with kernel.inside(network):
                self.cabling.settle(device)
                opened = self._prepare(device)
            for service, own in opened:
                await self._serve(device, service, own)
        for port in self.cabling.scanner_ports:
            self._sniffers.append(Sniffer(port, self.sent, self._watch))

    def _weaken(self, device: Device) -> None:
        if device.fragile:
            touches, name = self.touches[device.name], device.name
            die = functools.partial(self.cabling.unplug, name)
            services = (s for s in self.truth.services(device) if isinstance(s, Talk))
            talks = {service.port: bool(service.tls) for service in services}
            weak = Weakness(device.fragile, touches, die, listed_ports(), talks)
            self._weak |= dict.fromkeys(device.addresses, weak)

    def _prepare(self, device: Device) -> list[tuple[Service, socket.socket]]:
        """Start what speaks in raw frames, and open the sockets of the services."""
        quiet = [device.ip] if device.silent or device.flap else []
        quiet += [device.range] if device.range and not device.range_open else []
        if quiet:
            macs = [Mac.parse(mac) for mac in device.flap or (device.mac,)]
            ArpResponder("eth0", quiet, macs).start()
        opened = []
        for service in self.truth.services(device):
            if isinstance(service, Announce):
                Announcer(service, self.truth.words(device)).start()
            else:
                versions = [version for version in (4, 6) if device.speaks(version)]
                opened += [pair for version in versions for pair in open_all(service, version)]
        return opened

    async def _serve(self, device: Device, service: Service, own: socket.socket) -> None:
        touches = self.touches[device.name]
        match service:
            case Datagram():
                if service.neighbours:
                    rows = service.values + neighbour_rows(self.truth, device)
                    service = service.model_copy(update={"values": rows})
                loop = asyncio.get_running_loop()
                await loop.create_datagram_endpoint(
                    lambda: Answerer(service, self.truth.words(device), touches), sock=own
                )
            case Talk() | Banner() | Trap():
                weak = self._weak.get(device.ip)
                server = Server(
                    service, self.truth.words(device), touches, weak.opened if weak else None
                )
                context = self._context(service) if isinstance(service, Talk) else None
                self._servers.append(await listen(own, server, context))
            case Shut():
                self._closed_doors.append(own)

    def _context(self, talk: Talk) -> ssl.SSLContext | None:
        return self._contexts[talk.tls] if talk.tls else None

    def _watch(
        self, moment: float, ip: str, port: int, source: int, flags: int, first: bytes
    ) -> None:
        touches = self._by_ip.get(ip)
        if touches and flags & _RST:
            touches.resets += 1
        elif touches and flags & _SYN:
            touches.syn(moment, port, source)
            if (ip, port) in self._traps:  # the first frame is a touch already
                touches.violation(f"port {port} was touched")
        if weak := self._weak.get(ip):
            weak.tcp(moment, port, source, flags, first)

    def report(self) -> dict[str, object]:
        """Tell what was received and sent so far."""
        for sniffer in self._sniffers:
            sniffer.drain()
        return total(list(self.touches.values()), self.sent, time.monotonic() - self._began)

    def close(self) -> None:
        """End all that runs in the scanner's network; the rest ends with this process."""
        kernel.clear(self.cabling.scanner)
        kernel.end_children()


@functools.cache
def listed_ports() -> frozenset[int]:
    """Give the ports in the lists of data/ports.toml."""
    path = Path(__file__).parents[1] / "data" / "ports.toml"
    lists = tomllib.loads(path.read_text("utf-8"))["lists"]
    return frozenset(port for ports in lists.values() for port in ports)


def open_all(service: Service, version: int = 4) -> list[tuple[Service, socket.socket]]:
    """Open the sockets of one service in the network that the calling thread is in."""
    match service:
        case Datagram() if version == 6:
            return [(service, open_datagram6(service))]
        case Datagram():
            return [(service, open_datagram(service))]
        case Shut(ports=ports):
            return [(service, _deaf(port, version)) for port in ports]
        case _:
            return [(service, _listener(service.port, version))]


def _listener(port: int, version: int) -> socket.socket:
    own = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    if version == 6:
        own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.bind(("", port))
    own.listen(_BACKLOG)
    own.settimeout(0)
    return own


def _deaf(port: int, version: int) -> socket.socket:
    """Open a port that drops every frame: a filter of one instruction, `return 0 bytes`."""
    own = _listener(port, version)
    code = ctypes.create_string_buffer(b"\x06\0\0\0\0\0\0\0", 8)
    program = ctypes.create_string_buffer(16)  # struct sock_fprog
    ctypes.memmove(program, (1).to_bytes(8, "little"), 8)
    ctypes.memmove(ctypes.addressof(program) + 8, ctypes.addressof(code).to_bytes(8, "little"), 8)
    own.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program.raw)
    return own
