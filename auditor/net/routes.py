"""By which gateway targets behind routers are reached, and at which hardware address it is.

Source: rtnetlink(7). The dumped main table says where each stretch of addresses goes; the kernel
is then asked for the first and the last of them, because it has the last word. Wherever the two
differ (policy rules, several next hops, tunnels), whoever asks leaves the sending to the kernel.
"""

import asyncio
import socket
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from auditor.model.address import AddressSet, Range, address
from auditor.net import neighbours, netlink
from auditor.net.echo import echo
from auditor.net.guard import Guard, Kind
from auditor.net.interfaces import Interface

_MAIN, _UNICAST = 254, 1  # RT_TABLE_MAIN, RTN_UNICAST
# The rules that every kernel has: the tables local, main and default, for all (ip-rule(8)).
_USUAL_RULES = {(0, 255), (32_766, 254), (32_767, 253)}
_DST, _OIF, _GATEWAY, _PRIORITY, _SOURCE, _TABLE = 1, 4, 5, 6, 7, 15
_STALE = 0x04 | 0x08 | 0x10  # NUD_STALE, _DELAY, _PROBE: known, and not refuted
GATEWAY_S = 3.5  # the kernel asks ARP three times, a second apart (arp(7))
KERNEL_ARP = 3  # frames that it sends for that


@dataclass(frozen=True, slots=True)
class Way:
    """One way behind a router. source: the address of ours that the kernel would send from."""

    interface: Interface
    gateway: str
    source: str

    def vantage(self) -> str:
        """Say from where this looks: `routed by 10.9.0.254 from eth0 10.9.0.1/24`."""
        return f"routed by {self.gateway} from {self.interface.vantage()}"


Ways = tuple[tuple[Way, AddressSet], ...]


def ways(targets: AddressSet, known: Sequence[Interface]) -> tuple[Ways, AddressSet]:
    """Divide IPv4 targets by the way that leads to them; the rest goes by the kernel alone."""
    left = AddressSet(tuple(piece for piece in targets.ranges if piece.version == 4))
    if not left or _ruled():
        return (), targets
    links = {link.index: link for link in known if link.up and link.mac and not link.loopback}
    found: dict[Way, list[Range]] = defaultdict(list)
    for row, destination in _routes():
        here = left.meet(destination)
        if not here:
            continue
        left = left.minus(here)
        way = _way(row, here.ranges[0].first, here.ranges[-1].last, links)
        if way:
            found[way] += here.ranges
    led = tuple((way, AddressSet.of(pieces)) for way, pieces in found.items())
    return led, targets.minus(AddressSet.of(chain.from_iterable(found.values())))


def _ruled() -> bool:
    """Tell whether rules of this machine's own choose between routing tables."""
    rules = set()
    for row in netlink.table(netlink.GET_RULE, socket.AF_INET):
        plain = not row.fixed[1] and not row.fixed[2] and not row.fixed[3] and row.fixed[7] == 1
        table = row.number(_TABLE) or row.fixed[4]
        rules.add((row.number(_PRIORITY) or 0, table) if plain else (-1, -1))
    return not rules <= _USUAL_RULES


def _routes() -> Iterable[tuple[netlink.Message, AddressSet]]:
    """Give the main table's routes and what each leads to, the most specific first."""
    rows = [
        row
        for row in netlink.table(netlink.GET_ROUTE, socket.AF_INET)
        if row.fixed[0] == socket.AF_INET and row.fixed[4] == _MAIN and not row.fixed[3]
    ]
    for row in sorted(rows, key=lambda row: (-row.fixed[1], row.number(_PRIORITY) or 0)):
        yield row, AddressSet.parse([f"{row.ip(_DST) or '0.0.0.0'}/{row.fixed[1]}"])  # noqa: S104


def _way(row: netlink.Message, first: int, last: int, links: dict[int, Interface]) -> Way | None:
    """Give the way of a route where the kernel says the same of both ends of a stretch."""
    gateway, index = row.ip(_GATEWAY), row.number(_OIF)
    if row.fixed[7] != _UNICAST or gateway is None or index not in links:
        return None
    said = {_told(address(4, end)) for end in (first, last)}
    source = next(iter(said))[2]
    if said != {(gateway, index, source)} or not source:
        return None
    return Way(links[index], gateway, source)


def _told(ip: str) -> tuple[str | None, int | None, str | None]:
    """Give gateway, interface and source address as the kernel would send now."""
    row = netlink.route(ip)
    if row is None or row.fixed[7] != _UNICAST or row.number(_TABLE) != _MAIN:
        return None, None, None
    return row.ip(_GATEWAY), row.number(_OIF), row.ip(_SOURCE)


async def hardware(guard: Guard, way: Way, target: str) -> bytes | None:
    """Give the gateway's hardware address; None where it does not answer.

    The gateway may lie outside the authorised networks and is never spoken to. Where the kernel
    does not know it yet, one echo goes to `target`, behind it: then the kernel asks as it does
    for every packet.
    """
    found = _known(way)
    if found:
        return found
    for _ in range(KERNEL_ARP):  # as often as it may ask
        await guard.meters[Kind.ARP].turn()
    await guard.turn(Kind.PACKET, target, 0, "icmp")
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        data = echo(bytes(16), target, 0)
        try:
            sock.sendto(data, (target, 0))
        except OSError:
            return None
        guard.sent("icmp", target, 0, len(data), "icmp", Kind.PACKET)
    loop = asyncio.get_running_loop()
    until = loop.time() + GATEWAY_S
    while (found := _known(way)) is None and loop.time() < until:  # noqa: ASYNC110 nobody tells
        await asyncio.sleep(0.01)
    return found


def _known(way: Way) -> bytes | None:
    good = neighbours.REACHABLE | neighbours.PERMANENT | _STALE
    for neighbour in neighbours.known():
        same = (neighbour.ip, neighbour.index) == (way.gateway, way.interface.index)
        if same and neighbour.state & good and not neighbour.lent:
            return bytes.fromhex(neighbour.mac.replace(":", ""))
    return None
