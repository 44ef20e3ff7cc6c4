"""This machine's interfaces, what lies on their links, and by which one a target is reached."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import EnvironmentLack
from auditor.model.address import LINK_LOCAL, AddressSet, Mac
from auditor.net import netlink

CAP_NET_ADMIN, CAP_NET_RAW = 12, 13  # linux/capability.h
_UP, _LOOPBACK = 0x1, 0x8  # IFF_UP, IFF_LOOPBACK
MOST_SOURCES = 4  # addresses of ours that IPv6 neighbours are asked from, on one link
_UNICAST, _LINK, _MAIN = 1, 253, 254  # RTN_UNICAST, RT_SCOPE_LINK, RT_TABLE_MAIN


@dataclass(frozen=True, slots=True)
class Address:
    """One address of an interface with the length of its network's prefix."""

    ip: str
    prefix: int


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface. mac: empty where the link has none. on_link: what is reached directly."""

    name: str
    index: int
    mac: str
    up: bool
    loopback: bool
    mtu: int
    addresses: tuple[Address, ...]
    on_link: AddressSet

    @property
    def ipv4(self) -> str | None:
        """Give the first IPv4 address; None where there is none."""
        return next((a.ip for a in self.addresses if "." in a.ip), None)

    @property
    def link_local(self) -> str | None:
        """Give the IPv6 link-local address; None where there is none."""
        return next((a.ip for a in self.addresses if a.ip.startswith("fe80:")), None)

    def source_for(self, ip: str) -> str | None:
        """Give the address of ours that lies in the network of `ip`, else any of its version."""
        same = [a for a in self.addresses if (":" in a.ip) == (":" in ip)]
        target = ipaddress.ip_address(ip)
        near = [
            a for a in same if target in ipaddress.ip_network(f"{a.ip}/{a.prefix}", strict=False)
        ]
        return (near or same)[0].ip if same else None

    @property
    def ipv6(self) -> bool:
        """Tell whether IPv6 neighbours can be spoken to by this interface at all."""
        return bool(self.mac and any(":" in a.ip for a in self.addresses))

    def sources6(self, targets: AddressSet) -> tuple[str, ...]:
        """Give the IPv6 addresses to ask a link from, so that targets answer with theirs.

        Whoever is asked answers with an address of the asker's scope and prefix (RFC 6724,
        section 5): the link-local one is always asked from, then one of each network of 64
        bits (RFC 4291, 2.5.4) in which targets lie.
        """
        sources = {"": self.link_local} if self.link_local else {}
        for ip in (a.ip for a in self.addresses if ":" in a.ip and a.ip not in LINK_LOCAL):
            network = str(ipaddress.ip_network(f"{ip}/64", strict=False))
            if targets.meet(AddressSet.parse([network])):
                sources.setdefault(network, ip)
        return tuple(sources.values())[:MOST_SOURCES]

    def vantage(self) -> str:
        """Say from where this looks: `eth0 10.1.0.5/24 aa:bb:…`."""
        own = next((f"{a.ip}/{a.prefix}" for a in self.addresses), "without address")
        return " ".join(part for part in (self.name, own, self.mac) if part)


def interfaces() -> tuple[Interface, ...]:
    """List what this machine has, in the kernel's order."""
    addresses = netlink.table(netlink.GET_ADDRESS)
    routes = netlink.table(netlink.GET_ROUTE)
    found = []
    for link in netlink.table(netlink.GET_LINK):
        index, flags = link.fixed[2], link.fixed[3]
        raw_mac = link.attributes.get(1, b"")  # IFLA_ADDRESS
        mac = str(Mac(int.from_bytes(raw_mac, "big"))) if len(raw_mac) == 6 else ""
        found.append(
            Interface(
                name=link.attributes.get(3, b"").rstrip(b"\0").decode(),  # IFLA_IFNAME
                index=index,
                mac="" if flags & _LOOPBACK else mac,
                up=bool(flags & _UP),
                loopback=bool(flags & _LOOPBACK),
                mtu=link.number(4) or 1500,  # IFLA_MTU
                addresses=tuple(_addresses(addresses, index)),
                on_link=_on_link(routes, index),
            )
        )
    return tuple(found)


def _addresses(rows: Iterable[netlink.Message], index: int) -> Iterable[Address]:
    for row in rows:
        ip = row.ip(2) or row.ip(1)  # IFA_LOCAL, else IFA_ADDRESS
        if row.fixed[4] == index and ip:
            yield Address(ip, row.fixed[1])


def _on_link(rows: Iterable[netlink.Message], index: int) -> AddressSet:
    """Join the destinations that the interface reaches without a gateway."""
    blocks = []
    for row in rows:
        family, prefix, _, _, table, _, _, kind, _ = row.fixed
        direct = kind == _UNICAST and table == _MAIN and 5 not in row.attributes  # RTA_GATEWAY
        if not direct or row.number(4) != index:  # RTA_OIF
            continue
        destination = row.ip(1)  # RTA_DST; absent in a default route
        if destination and family in {socket.AF_INET, socket.AF_INET6}:
            blocks.append(f"{destination}/{prefix}")
    return AddressSet.parse(blocks)


def named(name: str, known: Sequence[Interface]) -> Interface:
    """Give the interface of that name; an error when there is none or it is down."""
    found = next((interface for interface in known if interface.name == name), None)
    if found is None:
        raise EnvironmentLack(
            f"there is no interface {name}",
            hint=f"choose one of {', '.join(interface.name for interface in known)}",
        )
    if not found.up:
        raise EnvironmentLack(
            f"interface {name} is down", hint=f"bring it up: ip link set {name} up"
        )
    return found


def for_target(ip: str, known: Sequence[Interface]) -> Interface | None:
    """Give the interface on whose link `ip` lies; None when it lies behind a router."""
    ready = [interface for interface in known if interface.up and ip in interface.on_link]
    # several may claim it: the most specific network is the one that the kernel takes
    return min(ready, key=lambda interface: interface.on_link.size, default=None)


def routed_source(ip: str) -> str | None:
    """Give the address that the kernel would send to `ip` from; None without a route.

    Connecting a datagram socket looks up the route and sends nothing.
    """
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((ip, 9))
            return str(asking.getsockname()[0])
    except OSError:
        return None


def split(
    targets: AddressSet, known: Sequence[Interface]
) -> tuple[tuple[tuple[Interface, AddressSet], ...], AddressSet]:
    """Divide targets by the link that they lie on; the second part lies behind routers.

    Every link has link-local addresses of its own (RFC 4007, section 6), so those among the
    targets are given for each.
    """
    rest, links = targets.minus(LINK_LOCAL), []
    everywhere = targets.minus(rest)
    ready = [i for i in known if i.up and i.mac and i.on_link]
    for interface in sorted(ready, key=lambda interface: interface.on_link.size):
        here = rest.meet(interface.on_link)
        rest = rest.minus(here)
        here = here.join(everywhere.meet(interface.on_link))
        if here:
            links.append((interface, here))
    nowhere = not any(here.meet(everywhere) for _, here in links)
    return tuple(links), rest.join(everywhere) if nowhere else rest


def vantage(targets: AddressSet, known: Sequence[Interface]) -> str:
    """Say from where the targets are seen."""
    on_links, behind = split(targets, known)
    return ", ".join([link.vantage() for link, _ in on_links] + ["routed"] * bool(behind))


def may(capability: int) -> bool:
    """Tell whether this process holds a capability."""
    status = Path("/proc/self/status").read_text("ascii")
    held = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(held.split()[1], 16) >> capability & 1)


def require_raw() -> None:
    """Refuse, with what to do, where raw frames may not be sent."""
    if not may(CAP_NET_RAW):
        raise EnvironmentLack(
            "raw frames may not be sent from here",
            why="the process lacks CAP_NET_RAW",
            hint="run as root, or scan without it: TCP connect needs no privilege",
        )
