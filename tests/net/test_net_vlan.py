"""A VLAN of a trunk (IEEE 802.1Q) as the interface that is looked from."""

import asyncio
import subprocess

import pytest

from auditor.model.address import AddressSet
from auditor.model.observation import Outcome
from auditor.net.arp import BULK_PER_S, sweep_arp
from auditor.net.interfaces import interfaces, named, split
from auditor.net.syn import sweep_syn
from tests.net.stage import Aside, guard, inside, paced
from tests.net.test_net_arp import answering, reply

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


# ---------------------------------------------------------------- tags on an interface that has none

PRIORITY, OUTER, SERVICE = b"\x81\x00\xa0\x00", b"\x81\x00\x00\x64", b"\x88\xa8\x00\x64"
INNER = b"\x81\x00\x00\x14"


@pytest.fixture(params=[1_000.0, 2_500.0], ids=["singly", "rings"])
def heard(request, cable):
    """Give a way to see which stations and tags are found where a station answers with tags."""

    def look(*tags):
        def tagged(ip):
            for tag in tags if ip == "10.9.0.50" else ():
                yield reply("02aabbccdd04", ip, tag=tag)

        def scene():
            singly = request.param < BULK_PER_S
            targets = AddressSet.parse(["10.9.0.48/29" if singly else "10.9.0.0/22"])
            gate = guard("10.9.0.0/22", pace=paced(arp_per_s=request.param))
            return gather(sweep_arp(gate, targets, named("v0", interfaces())))

        with Aside(cable.there, answering(tagged)):
            found = inside(cable.here, scene)
        there = [a for a in found if a.endpoint.ip == "10.9.0.50"]
        assert {a.endpoint.mac for a in there} == {"02:aa:bb:cc:dd:04"}
        return [(a.endpoint.vlan, a.detail) for a in there]

    return look


def test_a_priority_is_no_vlan_and_no_second_station(heard):
    assert heard(PRIORITY, b"") == [(None, "")]


@pytest.mark.parametrize("outer", [OUTER, SERVICE], ids=["802.1Q", "802.1ad"])
def test_of_two_tags_the_inner_one_tells_the_vlan(heard, outer):
    assert heard(outer + INNER) == [(20, "")]


def test_a_priority_within_a_tag_leaves_the_vlan_of_the_outer_one(heard):
    assert heard(OUTER + PRIORITY) == [(100, "")]
