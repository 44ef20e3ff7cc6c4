"""A VLAN of a trunk (IEEE 802.1Q) as the interface that is looked from."""

import asyncio
import subprocess

import pytest

from auditor.model.address import AddressSet
from auditor.model.observation import Outcome
from auditor.net.arp import sweep_arp
from auditor.net.interfaces import interfaces, named, split
from auditor.net.syn import sweep_syn
from tests.net.stage import guard, inside, paced

pytestmark = pytest.mark.network
NET, WHO = "10.20.0.0/23", "10.20.1.10"
LINK = "v0.20"


@pytest.fixture
def trunk(cable):
    """VLAN 20 on both ends of the cable: 10.20.0.1 here, 10.20.1.10 there."""
    try:
        for end, where, ip in (("v0", cable.here, "10.20.0.1"), ("v1", cable.there, WHO)):
            cable.ip(f"link add link {end} name {end}.20 type vlan id 20", where)
            cable.ip(f"link set {end}.20 up", where)
            cable.ip(f"addr add {ip}/23 dev {end}.20", where)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"skipped, because this kernel makes no VLAN interface: {error.stderr}")
    return cable


def gather(sweep):
    async def run():
        return [attempt async for batch in sweep for attempt in batch]

    return asyncio.run(run())


@pytest.mark.parametrize("per_s", [1_000.0, float("inf")], ids=["singly", "rings"])
def test_stations_and_ports_of_a_vlan_are_found_from_its_interface(trunk, per_s):
    def scene():
        targets = AddressSet.parse([NET if per_s > 1_000 else "10.20.1.0/28"])
        gate = guard(NET, ports=(80, 443), pace=paced(arp_per_s=per_s))
        link = named(LINK, interfaces())
        assert [here.name for here, _ in split(targets, interfaces())[0]] == [LINK]
        found = gather(sweep_arp(gate, targets, link))
        (there,) = (a for a in found if a.endpoint.ip)
        mac = bytes.fromhex(there.endpoint.mac.replace(":", ""))
        number = int.from_bytes(bytes(map(int, WHO.split("."))), "big")
        ports = gather(sweep_syn(gate, {number: mac}, (80, 443), link))
        return there.endpoint.ip, {a.outcome for a in ports if a.endpoint.ip}

    assert inside(trunk.here, scene) == (WHO, {Outcome.REFUSED})
