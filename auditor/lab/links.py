"""Network devices, addresses and routes through rtnetlink(7), without any program.

Only what the lab needs: bridges, veth pairs whose far end is born in another namespace,
addresses, routes, up and down. Numbers are from linux/rtnetlink.h and linux/if_link.h.
"""

import ipaddress
import os
import socket
import struct
from types import TracebackType

from auditor.model.address import Mac

LOOPBACK = 1  # the index of `lo` in every network
NEAR = 2  # the index that the lab gives to a host's first interface

DISCOVERY_GROUPS = ("239.255.255.250", "239.255.255.251", "224.0.0.251", "224.0.0.22")

_NEWLINK, _SETLINK, _NEWADDR, _NEWROUTE, _NEWNEIGH = 16, 19, 20, 24, 28
_PERMANENT = 0x80  # linux/neighbour.h, NUD_PERMANENT
_REQUEST, _ACK, _CREATE, _EXCL = 0x1, 0x4, 0x400, 0x200
_UP = 0x1  # net/if.h, IFF_UP
_ADDRESS, _NAME, _MASTER, _INFO, _AF_SPEC, _NET_FD = 1, 3, 10, 18, 26, 28
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_BRIDGE_FORWARD_DELAY, _BRIDGE_SNOOPING = 1, 23
_ADDR_GEN_MODE, _GEN_NONE = 8, 1  # no IPv6 link-local address by itself
_ANY_TABLE_LOCAL, _TABLE_MAIN = 255, 254
_SCOPE_GLOBAL, _SCOPE_LINK, _SCOPE_HOST = 0, 253, 254
_UNICAST, _LOCAL = 1, 2


def link_local(mac: Mac) -> str:
    """Give the IPv6 address that the kernel makes of a MAC (RFC 4291, appendix A)."""
    octets = bytearray(mac.value.to_bytes(6, "big"))
    octets[0] ^= 0b10
    return str(
        ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + octets[:3] + b"\xff\xfe" + octets[3:])
    )


def _attribute(kind: int, value: bytes) -> bytes:
    size = 4 + len(value)
    return struct.pack("=HH", size, kind) + value + bytes(-size % 4)


def _link_head(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    return struct.pack("=BxHiII", 0, 0, index, flags, change)


class Links:
    """A conversation with the kernel about the network that the calling thread is in."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self._socket.bind((0, 0))
        self._number = 0

    def __enter__(self) -> "Links":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the conversation; what was made stays."""
        self._socket.close()

    def bridge(self, name: str, index: int) -> None:
        """Make a switch: no spanning tree, no multicast snooping, no waiting."""
        options = _attribute(_BRIDGE_FORWARD_DELAY, struct.pack("=I", 0))
        options += _attribute(_BRIDGE_SNOOPING, b"\0")
        info = _attribute(_INFO_KIND, b"bridge\0") + _attribute(_INFO_DATA, options)
        self._make(
            _link_head(index) + _attribute(_NAME, name.encode() + b"\0") + _attribute(_INFO, info)
        )

    def pair(self, name: str, index: int, master: int, far: "Far") -> None:
        """Make a cable from port `name` of switch `master` (0: of none) to `far`."""
        there = _link_head(far.index) + _attribute(_NAME, far.name.encode() + b"\0")
        there += _attribute(_ADDRESS, far.mac.value.to_bytes(6, "big"))
        there += _attribute(_NET_FD, struct.pack("=I", far.network))
        info = _attribute(_INFO_KIND, b"veth\0")
        info += _attribute(_INFO_DATA, _attribute(_VETH_PEER, there))
        here = _link_head(index, _UP, _UP) + _attribute(_NAME, name.encode() + b"\0")
        if master:
            here += _attribute(_MASTER, struct.pack("=I", master))
        self._make(here + _attribute(_INFO, info))

    def up(self, index: int) -> None:
        """Switch an interface on."""
        self._ask(_SETLINK, 0, _link_head(index, _UP, _UP))

    def down(self, index: int) -> None:
        """Switch an interface off: whoever stood behind it is gone from the network."""
        self._ask(_SETLINK, 0, _link_head(index, 0, _UP))

    def without_ipv6(self, index: int) -> None:
        """Give the interface no IPv6 address of its own making."""
        mode = _attribute(_ADDR_GEN_MODE, bytes([_GEN_NONE]))
        spec = _attribute(_AF_SPEC, _attribute(socket.AF_INET6, mode))
        self._ask(_SETLINK, 0, _link_head(index) + spec)

    def address(self, interface: str, index: int) -> None:
        """Give an interface an address, written with its prefix length: 10.0.0.1/24."""
        given = ipaddress.ip_interface(interface)
        family = socket.AF_INET if given.version == 4 else socket.AF_INET6
        head = struct.pack("=BBBBI", family, given.network.prefixlen, 0, _SCOPE_GLOBAL, index)
        packed = given.ip.packed
        body = _attribute(2, packed) + _attribute(1, packed)  # IFA_LOCAL, IFA_ADDRESS
        if given.version == 4 and given.network.prefixlen < 31:
            body += _attribute(4, given.network.broadcast_address.packed)
        self._ask(_NEWADDR, _CREATE | _EXCL, head + body)

    def local(self, network: str) -> None:
        """Make a whole network ours: the kernel answers for every address in it."""
        self._route(network, LOOPBACK, _ANY_TABLE_LOCAL, _SCOPE_HOST, _LOCAL)

    def own(self, network: str) -> None:
        """Make a network ours where no longer prefix says otherwise (the main table)."""
        self._route(network, LOOPBACK, _TABLE_MAIN, _SCOPE_HOST, _LOCAL)

    def neighbour(self, ip: str, mac: Mac, index: int) -> None:
        """Know the hardware address of a neighbour for good."""
        known = ipaddress.ip_address(ip)
        family = socket.AF_INET if known.version == 4 else socket.AF_INET6
        head = struct.pack("=BxxxiHBB", family, index, _PERMANENT, 0, 0)
        body = _attribute(1, known.packed) + _attribute(2, mac.value.to_bytes(6, "big"))
        self._ask(_NEWNEIGH, _CREATE, head + body)

    def groups(self, index: int) -> None:
        """Know the hardware addresses of the discovery groups for good (RFC 1112, 6.4)."""
        for group in DISCOVERY_GROUPS:
            low = int.from_bytes(socket.inet_aton(group), "big") & 0x7FFFFF
            self.neighbour(group, Mac(0x01_00_5E_00_00_00 | low), index)

    def on_link(self, network: str, index: int) -> None:
        """Reach a network straight over an interface, without a router."""
        self._route(network, index, _TABLE_MAIN, _SCOPE_LINK, _UNICAST)

    def through(self, network: str, gateway: str, index: int) -> None:
        """Reach a network through a router."""
        to = socket.inet_aton(gateway)
        self._route(network, index, _TABLE_MAIN, _SCOPE_GLOBAL, _UNICAST, _attribute(5, to))

    def _route(
        self, network: str, index: int, table: int, scope: int, kind: int, more: bytes = b""
    ) -> None:
        to = ipaddress.ip_network(network)
        family = socket.AF_INET if to.version == 4 else socket.AF_INET6
        head = struct.pack("=BBBBBBBBI", family, to.prefixlen, 0, 0, table, 4, scope, kind, 0)
        body = _attribute(1, to.network_address.packed) if to.prefixlen else b""
        body += _attribute(4, struct.pack("=I", index)) + more  # RTA_OIF
        self._ask(_NEWROUTE, _CREATE, head + body)

    def _make(self, body: bytes) -> None:
        self._ask(_NEWLINK, _CREATE | _EXCL, body)

    def _ask(self, kind: int, flags: int, body: bytes) -> None:
        self._number += 1
        size = 16 + len(body)
        head = struct.pack("=IHHII", size, kind, flags | _REQUEST | _ACK, self._number, 0)
        self._socket.send(head + body)
        answer = self._socket.recv(65_536)
        (number,) = struct.unpack_from("=i", answer, 16)  # struct nlmsgerr
        if number:
            raise OSError(-number, f"netlink request {kind}: {os.strerror(-number)}")


class Far:
    """The far end of a cable: the network it is born in, its name, index and MAC there."""

    __slots__ = ("index", "mac", "name", "network")

    def __init__(self, network: int, mac: Mac, name: str = "eth0", index: int = NEAR) -> None:
        self.network, self.mac, self.name, self.index = network, mac, name, index
