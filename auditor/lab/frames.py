"""Raw frames in the lab: what the scanner sends is counted, silent addresses answer ARP."""

import asyncio
import ipaddress
import itertools
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress

from auditor.lab.record import Sent
from auditor.model.address import Mac

_ETH_ALL, _ETH_ARP = 0x0003, 0x0806
_STAMP = 35  # SO_TIMESTAMPNS: when the kernel saw the frame, not when we got round to it
_IGNORE_OUTGOING, _STATISTICS = 23, 6  # linux/if_packet.h
_SOL_PACKET = 263
_BATCH = 256
_BUFFER_BYTES = 32 << 20
_SYN, _RST, _FIN, _ACK = 0x02, 0x04, 0x01, 0x10

_ECHO_REQUEST = 128  # ICMPv6, RFC 4443 section 4.1

# moment, destination IP, destination port, source port, TCP flags, first octets of what it carries
TcpWatcher = Callable[[float, str, int, int, int, bytes], None]


class Sniffer:
    """Counts every frame that arrives at the switch from one port (the scanner's)."""

    def __init__(self, interface: str, sent: Sent, watch: TcpWatcher) -> None:
        self._sent, self._watch, self._port = sent, watch, interface
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, _STAMP, 1)
        for option in (33, socket.SO_RCVBUF):  # SO_RCVBUFFORCE needs privilege
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
                break
        self._socket.settimeout(0)
        self._socket.bind((interface, _ETH_ALL))
        asyncio.get_running_loop().add_reader(self._socket, self.drain)

    def drain(self) -> None:
        """Take what has come."""
        for _ in range(_BATCH):
            try:
                frame, extra, _, _ = self._socket.recvmsg(256, 64)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # the interface went down; frames before it are still there
            seconds, nanoseconds = struct.unpack("=qq", extra[0][2][:16])
            self._count(frame, seconds + nanoseconds / 1e9)

    def close(self) -> None:
        """Take the last frames, and how many were lost for want of room."""
        self.drain()
        got = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8)
        self._sent.lost += struct.unpack("=II", got)[1]
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _count(self, frame: bytes, moment: float) -> None:
        kind, target, tcp = classify(frame)
        self._sent.frame(moment, kind, target, len(frame))
        if is_call(frame):
            self._sent.call(moment, self._port)
        if tcp:
            self._watch(moment, target, *tcp, payload(frame))


def classify(frame: bytes) -> tuple[str, str, tuple[int, int, int] | None]:
    """Tell the kind of an Ethernet frame, whom it is for, and of TCP: ports and flags."""
    ether = int.from_bytes(frame[12:14], "big")
    if ether == 0x8100 and len(frame) > 18:
        kind, target, tcp = classify(frame[:12] + frame[16:])
        return f"vlan-{kind}", target, tcp
    if ether == _ETH_ARP and len(frame) >= 42:
        return "arp", socket.inet_ntoa(frame[38:42]), None
    if ether == 0x0800 and len(frame) >= 34:
        return _classify_ip(frame)
    if ether == 0x86DD and len(frame) >= 54:
        kind = {58: "icmp6", 6: "tcp6", 17: "udp6"}.get(frame[20], "ip6")
        target = str(ipaddress.IPv6Address(frame[38:54]))
        if kind != "tcp6" or len(frame) < 68:
            return kind, target, None
        source, port = struct.unpack_from("!HH", frame, 54)
        return kind, target, (port, source, frame[67])
    return f"ether-{ether:04x}", frame[:6].hex(":"), None


def _classify_ip(frame: bytes) -> tuple[str, str, tuple[int, int, int] | None]:
    target = socket.inet_ntoa(frame[30:34])
    at = 14 + (frame[14] & 0x0F) * 4
    match frame[23]:
        case 6 if len(frame) >= at + 14:
            source, port = struct.unpack_from("!HH", frame, at)
            flags = frame[at + 13]
            names = ((_RST, "tcp-rst"), (_SYN, "tcp-syn"), (_FIN, "tcp-fin"))
            kind = next((name for bit, name in names if flags & bit), "tcp")
            return kind, target, (port, source, flags)
        case 17 if len(frame) >= at + 4:
            return f"udp-{int.from_bytes(frame[at + 2 : at + 4], 'big')}", target, None
        case 1:
            return "icmp", target, None
        case 2:
            return "igmp", target, None
        case number:
            return f"ip-{number}", target, None


def is_call(frame: bytes) -> bool:
    """Tell whether a frame asks everybody on its segment: UDP to a group, an echo to all nodes."""
    if not frame[:1] or not frame[0] & 1 or len(frame) < 34:
        return False
    match frame[12:14], len(frame):
        case b"\x08\x00", _:
            return frame[23] == 17
        case b"\x86\xdd", size if size >= 58:
            return frame[20] == 17 or (frame[20] == 58 and frame[54] == _ECHO_REQUEST)
        case _:
            return False


def payload(frame: bytes) -> bytes:
    """Give the first octets that a TCP segment over IPv4 carries, without the frame's padding."""
    end = 14 + int.from_bytes(frame[16:18], "big")
    at = 14 + (frame[14] & 0x0F) * 4
    return frame[at + (frame[at + 12] >> 4) * 4 : end] if len(frame) > at + 12 else b""


class ArpResponder:
    """Answers ARP requests for addresses behind which nothing else answers (RFC 826)."""

    def __init__(self, interface: str, networks: Sequence[str], macs: Sequence[Mac]) -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]
        self._macs = itertools.cycle(mac.value.to_bytes(6, "big") for mac in macs)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.settimeout(0)
        self._socket.bind((interface, _ETH_ARP))

    def start(self) -> None:
        """Answer from now on, in the running event loop."""
        asyncio.get_running_loop().add_reader(self._socket, self._serve)

    def close(self) -> None:
        """Fall silent."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _serve(self) -> None:
        for _ in range(_BATCH):
            try:
                frame = self._socket.recv(128)
            except OSError:
                return
            if answer := self.answer(frame):
                with suppress(OSError):
                    self._socket.send(answer)

    def answer(self, frame: bytes) -> bytes:
        """Give the reply frame to a request for one of our addresses, else nothing."""
        if frame[12:22] != b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01" or len(frame) < 42:
            return b""
        wanted = ipaddress.IPv4Address(frame[38:42])
        if not any(wanted in network for network in self._networks):
            return b""
        mac, asker = next(self._macs), frame[22:32]
        head = asker[:6] + mac + b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02"
        return head + mac + frame[38:42] + asker + bytes(18)
