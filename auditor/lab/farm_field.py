"""Builds a farm's two networks and lets its hosts answer."""

import asyncio
import gc
import os
import time
from typing import Any

from auditor.lab import farm_arp, farm_rules, kernel
from auditor.lab.farm_plan import FIELD, GATEWAY, INSIDE, FarmPlan, grow
from auditor.lab.farm_servers import Seen, serve
from auditor.lab.frames import Sniffer
from auditor.lab.links import LOOPBACK, NEAR, Far, Links
from auditor.lab.record import Sent
from auditor.model.address import Mac

_SCANNER_MAC = Mac(0x00_15_5D_A0_00_00)
_INSIDE_MAC = Mac(0x00_15_5D_A0_00_01)
_DEVICE_INDEX, _NEAR_INDEX = 10, 20


class Field:
    """A farm that runs in this process, in networks that live as long as it."""

    def __init__(self, plan: FarmPlan, scanner: int) -> None:
        """Take what to grow; scanner: the process that holds the scanner's network."""
        self.plan = plan
        self.scanner = os.open(f"/proc/{scanner}/ns/net", os.O_RDONLY)
        self.hosts = {host.ip: host for host in grow(plan)}
        self.seen = Seen()
        self.sent = Sent()
        self._sniffer: Sniffer | None = None
        self._began = time.monotonic()
        self._servers: list[asyncio.Server] = []

    async def open(self) -> None:
        """Build the networks and start answering."""
        self._wire()
        farm_rules.apply(farm_rules.ruleset(self.plan, list(self.hosts.values())))
        macs = {
            bytes(map(int, ip.split("."))): host.mac.value.to_bytes(6, "big")
            for ip, host in self.hosts.items()
        }
        plan = self.plan
        answering = farm_arp.Answering(macs, plan.arp_loss, plan.arp_delay_s, plan.chatter)
        farm_arp.start(farm_rules.DEVICE, answering)
        self._servers = await serve(self.hosts, plan, self.seen, _DEVICE_INDEX)
        if plan.witness:
            self._sniffer = Sniffer(farm_rules.DEVICE, self.sent, _nobody)
        gc.collect()
        gc.freeze()

    def _wire(self) -> None:
        for name, value in (
            ("net.ipv4.conf.all.arp_ignore", "0" if self.plan.routed else "8"),
            ("net.ipv4.conf.all.rp_filter", "0"),
            ("net.ipv4.conf.default.rp_filter", "0"),
            ("net.core.somaxconn", "65535"),
            ("net.ipv4.tcp_max_syn_backlog", "65535"),
            ("net.ipv4.tcp_max_tw_buckets", "1000000"),
        ):
            kernel.set_kernel(name, value)
        if self.plan.routed:
            self._wire_behind_a_router()
            return
        with Links() as links:
            links.up(LOOPBACK)
            far = Far(self.scanner, _SCANNER_MAC)
            links.pair(farm_rules.DEVICE, _DEVICE_INDEX, 0, far)
            links.without_ipv6(_DEVICE_INDEX)
            links.up(_DEVICE_INDEX)
            links.own(self.plan.network)
            links.on_link(f"{self.plan.scanner}/32", _DEVICE_INDEX)
            links.neighbour(self.plan.scanner, _SCANNER_MAC, _DEVICE_INDEX)
            links.groups(_DEVICE_INDEX)
        with kernel.inside(self.scanner), Links() as links:
            self._settle_scanner(links)

    def _settle_scanner(self, links: Links) -> None:
        for knob in ("all", "default"):
            kernel.set_kernel(f"net.ipv4.conf.{knob}.rp_filter", "0")
        links.up(LOOPBACK)
        links.up(NEAR)
        links.address(self.plan.interface, NEAR)

    def _wire_behind_a_router(self) -> None:
        """Lay one cable from the farm to a router, and one from there to the scanner.

        The farm takes all that the router sends: no neighbour table stands between them.
        """
        (self.router,) = kernel.new_networks(1)
        network = self.plan.network
        with Links() as links:
            links.up(LOOPBACK)
            links.pair(farm_rules.DEVICE, _DEVICE_INDEX, 0, Far(self.router, _INSIDE_MAC))
            links.without_ipv6(_DEVICE_INDEX)
            links.up(_DEVICE_INDEX)
            links.address(f"{FIELD}/30", _DEVICE_INDEX)
            links.own(network)
            links.neighbour(INSIDE, _INSIDE_MAC, _DEVICE_INDEX)
            links.through("0.0.0.0/0", INSIDE, _DEVICE_INDEX)
            links.groups(_DEVICE_INDEX)
        with kernel.inside(self.router), Links() as links:
            kernel.set_kernel("net.ipv4.ip_forward", "1")
            links.up(LOOPBACK)
            links.pair("near0", _NEAR_INDEX, 0, Far(self.scanner, _SCANNER_MAC))
            for index in (_NEAR_INDEX, NEAR):
                links.without_ipv6(index)
                links.up(index)
            links.address(f"{INSIDE}/30", NEAR)
            links.address(f"{GATEWAY}/30", _NEAR_INDEX)
            links.through(network, FIELD, NEAR)
        with kernel.inside(self.scanner), Links() as links:
            self._settle_scanner(links)
            links.through(network, GATEWAY, NEAR)

    def report(self) -> dict[str, Any]:
        """Tell what was received: by the rules' counters, by the servers, by the witness."""
        told: dict[str, Any] = {"seconds": time.monotonic() - self._began}
        told |= self.seen.summary() | {"received": farm_rules.counts()}
        if self._sniffer:
            self._sniffer.drain()
            told["sent"] = self.sent.summary()
        return told

    def close(self) -> None:
        """End all that runs in the scanner's network; the rest ends with this process."""
        kernel.clear(self.scanner)
        kernel.end_children()


def _nobody(moment: float, ip: str, port: int, source: int, flags: int, first: bytes) -> None:
    """Watch nobody."""
