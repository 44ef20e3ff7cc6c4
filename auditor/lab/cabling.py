"""The networks of a department: switches, cables, addresses, routers; nothing that speaks."""

import os

from auditor.lab import kernel
from auditor.lab.links import LOOPBACK, NEAR, Far, Links, link_local
from auditor.lab.truth import Device, Segment, Truth
from auditor.model.address import Mac

_SWITCH, _SCANNER_PORT, _PORT, _ROUTER_PORT = 10, 100, 1000, 5000  # interface indexes
_SCANNER_MAC = 0x00_15_5D_A0_00_00  # a notebook's, of a block that makes no cameras


class Cabling:
    """The switches stand in the network of this process; hosts and scanner have their own."""

    def __init__(self, truth: Truth, scanner: int) -> None:
        """Take what to build; scanner: the process that holds the scanner's network."""
        self.truth = truth
        self.scanner = os.open(f"/proc/{scanner}/ns/net", os.O_RDONLY)
        self._near = [segment for segment in truth.segments if segment.scanner]
        self._at = {segment.name: at for at, segment in enumerate(truth.segments)}
        self._ports = {device.name: _PORT + at for at, device in enumerate(truth.devices)}
        self._links = Links()

    @property
    def scanner_ports(self) -> list[str]:
        """Give the switch ports that the scanner is plugged into."""
        return [f"scan{at}" for at in range(len(self._near))]

    def switches(self) -> None:
        """Make a switch for each segment, and plug the scanner into those it stands in."""
        self._links.up(LOOPBACK)
        for at in self._at.values():
            self._links.bridge(f"seg{at}", _SWITCH + at)
            self._links.without_ipv6(_SWITCH + at)
            self._links.up(_SWITCH + at)
        for leg, segment in enumerate(self._near):
            far = Far(self.scanner, Mac(_SCANNER_MAC + leg), f"eth{leg}", NEAR + leg)
            port = _SCANNER_PORT + leg
            self._links.pair(f"scan{leg}", port, _SWITCH + self._at[segment.name], far)
            self._links.without_ipv6(port)
        with kernel.inside(self.scanner), Links() as links:
            self._scanner(links)

    def _scanner(self, links: Links) -> None:
        for knob in ("all", "default"):  # as most machines come: foreign subnets reach no socket
            kernel.set_kernel(f"net.ipv4.conf.{knob}.rp_filter", "1")
        links.up(LOOPBACK)
        for leg, segment in enumerate(self._near):
            no_duplicate_check(f"eth{leg}")
            links.up(NEAR + leg)
            links.address(segment.interface, NEAR + leg)
            if segment.scanner6:
                links.address(segment.placed(segment.scanner6), NEAR + leg)
        for segment in self.truth.segments:
            if segment.via:
                router = self.truth.device(segment.via)
                links.through(segment.network, router.ip, NEAR + self._leg(router))

    def _leg(self, device: Device) -> int:
        return [segment.name for segment in self._near].index(device.segment)

    def plug_in(self, device: Device, network: int) -> None:
        """Lay the cables of a device that lives in `network`."""
        port, mac = self._ports[device.name], Mac.parse(device.mac)
        switch = _SWITCH + self._at[device.segment]
        self._links.pair(f"h{port - _PORT}", port, switch, Far(network, mac))
        for leg, segment in enumerate(behind(self.truth, device), 1):
            at = self._at[segment.name]
            far = Far(network, Mac(mac.value + leg), f"eth{leg}", NEAR + leg)
            self._links.pair(f"r{at}", _ROUTER_PORT + at, _SWITCH + at, far)

    def unplug(self, name: str) -> None:
        """Pull the plug of a device: it is gone from the network."""
        self._links.down(self._ports[name])

    def plug(self, name: str) -> None:
        """Put the plug of a device in again."""
        self._links.up(self._ports[name])

    def settle(self, device: Device) -> None:
        """Configure the network that the calling thread is in as the device's."""
        with Links() as links:
            links.up(LOOPBACK)
            if device.silent:
                links.without_ipv6(NEAR)
            no_duplicate_check("eth0")
            links.up(NEAR)
            if not device.silent:
                self._address(links, device)

    def _address(self, links: Links, device: Device) -> None:
        segment = self.truth.segments[self._at[device.segment]]
        made = link_local(Mac.parse(device.mac))  # by the kernel, as on every interface
        for ip in (ip for ip in device.addresses if ip != made):
            links.address(f"{ip}/24" if device.on_link else segment.placed(ip), NEAR)
        links.groups(NEAR)
        if segment.scanner:
            # The kernel's neighbour table is one for all networks and small: spare its room.
            mac = Mac(_SCANNER_MAC + self._leg(device))
            links.neighbour(segment.scanner, mac, NEAR)
            links.neighbour(link_local(mac), mac, NEAR)
            if segment.scanner6:
                links.neighbour(segment.scanner6, mac, NEAR)
        else:
            router = self.truth.device(segment.via)
            leg = behind(self.truth, router).index(segment) + 1
            links.neighbour(segment.gateway, Mac(Mac.parse(router.mac).value + leg), NEAR)
            links.through("0.0.0.0/0", segment.gateway, NEAR)
        if device.on_link:
            links.on_link("0.0.0.0/0", NEAR)
        if device.range and device.range_open:
            links.local(device.range)
        for leg, far in enumerate(behind(self.truth, device), 1):
            self._route(links, far, NEAR + leg)

    def _route(self, links: Links, far: Segment, index: int) -> None:
        links.up(index)
        links.address(far.placed(far.gateway), index)
        kernel.set_kernel("net.ipv4.ip_forward", "1")
        for device in self.truth.devices:
            if device.segment == far.name:
                links.neighbour(device.ip, Mac.parse(device.mac), index)


def no_duplicate_check(interface: str) -> None:
    """Let IPv6 addresses be used at once, without seconds of looking for another owner."""
    kernel.set_kernel(f"net.ipv6.conf.{interface}.accept_dad", "0")


def neighbour_rows(truth: Truth, router: Device) -> tuple[tuple[str, str], ...]:
    """Give a router's table of neighbours as SNMP values (ipNetToMediaPhysAddress, RFC 1213)."""
    legs = {segment.name: NEAR + leg for leg, segment in enumerate(behind(truth, router), 1)}
    legs[router.segment] = NEAR
    known = [d for d in truth.devices if d.segment in legs and d.name != router.name]
    return tuple(
        (f"1.3.6.1.2.1.4.22.1.2.{legs[d.segment]}.{d.ip}", f"hex:{d.mac.replace(':', '')}")
        for d in known
    )


def behind(truth: Truth, router: Device) -> list[Segment]:
    """Give the segments that a device routes to."""
    return [segment for segment in truth.segments if segment.via == router.name]
