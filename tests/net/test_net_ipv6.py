"""IPv6 on one link: neighbours answer, forgers are bounded, no address leads round the scope."""

import asyncio
import socket
import struct
import time
from pathlib import Path

import pytest

from auditor import planning, wiring
from auditor.errors import ScopeRefusal
from auditor.model.address import AddressSet
from auditor.model.coverage_note import read_note
from auditor.model.observation import Observation, Origin
from auditor.net.door import converse
from auditor.net.ear import MOST_OF_ONE_MAC, neighbours6, remembered
from auditor.net.engine import Engine
from auditor.net.guard import NoLink
from auditor.net.interfaces import Address, Interface, interfaces, named, split
from auditor.plugins import Medium, Peer, Probe, Say
from auditor.sweeps.ndp import SWEEP as NDP
from auditor.sweeps.ssdp6 import SWEEP as SSDP6
from tests.net.stage import Aside, guard, inside

GROUPS = (37020, 37810, 3702, 1900, 5353)  # ports where everybody on a segment is asked
OURS = AddressSet.parse(["fd00:9::/64"])


@pytest.fixture
def six(cable):
    """The cable with a network of each side's own: here fd00:9::1, there fd00:9::10."""
    for where, link, address in ((cable.here, "v0", "1"), (cable.there, "v1", "10")):
        cable.run("sysctl", "-qw", f"net.ipv6.conf.{link}.accept_dad=0", where=where)
        cable.ip(f"link set {link} down", where)
        cable.ip(f"link set {link} up", where)
        cable.ip(f"addr add fd00:9::{address}/64 dev {link} nodad", where)
        cable.ip(f"addr add fd00:{address}::1/64 dev {link} nodad", where)
    time.sleep(0.3)
    return cable


async def drained(batches):
    return [attempt async for batch in batches for attempt in batch]


def asked(targets=OURS):
    journal = []
    gate = guard("fd00:9::/64", journal=journal.append)
    began = time.monotonic()
    found = asyncio.run(drained(neighbours6(gate, NDP, named("v0", interfaces()), targets)))
    return found, journal, time.monotonic() - began, gate.zones


@pytest.mark.network
def test_neighbours_answer_with_the_addresses_of_the_networks_they_are_asked_from(six):
    found, journal, _, zones = inside(six.here, asked)
    there = {a.endpoint.ip: a.endpoint.mac for a in found if a.endpoint.ip}
    local = next(ip for ip in there if ip.startswith("fe80:"))
    assert {"fd00:9::10", local} <= set(there) and len(set(there.values())) == 1
    assert not any(ip.startswith(("fd00:1::", "fd00:10::")) for ip in there)  # nobody aims there
    assert len(journal) == 2 * 2 and {line.ip for line in journal} == {"ff02::1"}
    assert set(zones) == {local}
    note = read_note(found[-1].detail)
    assert note.value("from").split()[1] == "fd00:9::1" and not note.asked


@pytest.mark.network
def test_the_kernels_table_tells_of_neighbours_and_nothing_is_sent(six):
    six.ip("neigh add fd00:9::77 lladdr 02:00:00:00:00:77 dev v0 nud stale", six.here)
    six.ip("neigh add fd00:9::78 lladdr 02:00:00:00:00:78 dev v0 nud failed", six.here)

    def scene():
        journal = []
        gate = guard("fd00:9::/64", journal=journal.append)
        return remembered(gate, "connect", named("v0", interfaces())), journal

    found, journal = inside(six.here, scene)
    assert {(a.endpoint.ip, a.endpoint.mac) for a in found if a.endpoint.ip.startswith("fd")} == {
        ("fd00:9::77", "02:00:00:00:00:77")
    }
    assert all(a.origin is Origin.SIGHTING for a in found) and not journal


def advert(ip, mac):
    """Write a frame in which `mac` says, unasked, that `ip` is its own (RFC 4861, 4.4)."""
    source, group = socket.inet_pton(socket.AF_INET6, ip), bytes.fromhex("ff02" + "00" * 13 + "01")
    body = struct.pack("!BBHI", 136, 0, 0, 0x2000_0000) + source + b"\2\1" + mac
    total = sum(struct.unpack("!16H", source + group)) + len(body) + 58
    total += sum(struct.unpack(f"!{len(body) // 2}H", body))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF)
    head = struct.pack("!IHBB", 6 << 28, len(body), 58, 255)
    frame = b"\x33\x33\0\0\0\1" + mac + b"\x86\xdd" + head + source + group
    return frame + body[:2] + checksum + body[4:]


@pytest.mark.network
def test_who_forges_thousands_of_neighbours_is_kept_for_a_few_of_them(six):
    forger, honest = b"\2\0\0\0\0\x66", b"\2\0\0\0\0\x67"
    frames = [advert(f"fd00:9::6:{n:x}", forger) for n in range(3_000)]
    frames += [advert(f"fd00:9::7:{n:x}", honest) for n in range(3)]

    def forge(ready):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            sock.bind(("v1", 0))
            ready.set()
            while True:
                for frame in frames:
                    sock.send(frame)
                time.sleep(0.2)

    with Aside(six.there, forge):
        found, _, took_s, _ = inside(six.here, asked)
    per_mac = [a.endpoint.mac for a in found if a.endpoint.ip]
    assert per_mac.count(forger.hex(":")) == MOST_OF_ONE_MAC
    assert per_mac.count(honest.hex(":")) == 3
    assert "fd00:9::10" in {a.endpoint.ip for a in found}
    assert int(read_note(found[-1].detail).value("dropped")) > 2_000
    assert took_s < 10


@pytest.mark.network
def test_no_more_is_sent_to_an_ipv6_network_than_was_planned(six):
    def scene():
        journal = []
        gate = guard("fd00:9::/64", "fe80::/64", journal=journal.append, ports=(80, *GROUPS))
        sweeps = [sweep for sweep in wiring.sweeps() if sweep.medium is not Medium.PASSIVE]
        near = named("v0", interfaces()).on_link
        plan = planning.plan(gate.scope, gate.scope.networks, near, sweeps, (), (80,))
        engine = Engine(gate, interfaces(), (80,), listen_s=0.1)

        async def sweep():
            for each in sweeps:
                if each.for_all:
                    await drained(engine.group(each, plan.targets))
                elif each.medium is Medium.CONNECT:
                    [_ async for _ in engine.connect(each, plan.targets, lambda _: None)]
                elif each.kind != "syn":
                    [_ async for _ in engine.frames(each, plan.targets, lambda _: None)]

        asyncio.run(sweep())
        return sum(line.count for line in journal), plan.packets

    sent, planned = inside(six.here, scene)
    assert 4 + 3 <= sent <= planned  # an echo from each source, a question to each IPv6 group


@pytest.mark.network
def test_an_ipv6_group_is_asked_only_where_ipv6_addresses_are_authorised(six):
    def scene():
        journal = []
        both = ["10.9.0.0/24", "fd00:9::/64"]
        for scope, targets in ((both, both[:1]), (both[:1], both), (both, both)):
            engine = Engine(guard(*scope, journal=journal.append), interfaces(), (), listen_s=0.1)
            try:
                asyncio.run(drained(engine.group(SSDP6, AddressSet.parse(targets))))
            except ScopeRefusal as refused:
                journal.append(refused.why)
        return journal

    refused, sent = inside(six.here, scene)
    assert refused == "no authorised address is on the segment of v0"
    assert (sent.ip, sent.port) == ("ff02::c", 1900)


# ---------------------------------------------------------------- links


def link(name, index, *addresses):
    near = AddressSet.parse(f"{ip}/64" if ":" in ip else f"{ip}/24" for ip in addresses)
    mac = f"02:00:00:00:00:{index:02x}"
    own = tuple(Address(ip, 64 if ":" in ip else 24) for ip in addresses)
    return Interface(
        name, index, mac, up=True, loopback=False, mtu=1500, addresses=own, on_link=near
    )


ETH0 = link("eth0", 2, "10.0.0.1", "fe80::1", "fd00:1::1")
ETH1 = link("eth1", 3, "10.1.0.1", "fe80::2")


def test_link_local_targets_lie_on_every_link_and_others_on_one():
    targets = AddressSet.parse(["10.0.0.0/24", "fe80::/64", "fd00:1::/64", "fd00:2::/64"])
    on_links, behind = split(targets, (ETH0, ETH1))
    here = {interface.name: set(part.cidrs()) for interface, part in on_links}
    assert here["eth0"] == {"10.0.0.0/24", "fe80::/64", "fd00:1::/64"}
    assert here["eth1"] == {"fe80::/64"}
    assert behind.cidrs() == ("fd00:2::/64",)
    assert split(AddressSet.parse(["fe80::/64"]), ())[1].cidrs() == ("fe80::/64",)


def test_a_link_is_asked_from_those_of_our_networks_that_targets_lie_in():
    many = link("eth0", 2, "fe80::1", *(f"fd00:{n}::1" for n in range(1, 9)))
    assert many.sources6(AddressSet.parse(["fd00:3::/64", "fd00:5::7"])) == (
        "fe80::1", "fd00:3::1", "fd00:5::1",
    )  # fmt: skip
    assert many.sources6(AddressSet.parse(["10.0.0.0/24"])) == ("fe80::1",)
    assert len(many.sources6(AddressSet.parse(["fd00::/16"]))) == 4


def test_a_link_local_address_is_spoken_to_only_on_the_link_it_was_heard_on():
    gate = guard("fe80::/64")
    assert gate.sockaddr("10.0.0.1", 80) == ("10.0.0.1", 80)
    assert gate.sockaddr("fd00::1", 80) == ("fd00::1", 80, 0, 0)
    with pytest.raises(NoLink) as unheard:
        gate.sockaddr("fe80::7", 80)
    assert "on no link" in unheard.value.why and "--interface" in unheard.value.hint
    gate.heard("fe80::7", 3, "02:00:00:00:00:07")
    assert gate.sockaddr("fe80::7", 80) == ("fe80::7", 80, 0, 3)
    gate.heard("fe80::7", 4, "02:00:00:00:00:07")  # both stand in the same network
    assert gate.sockaddr("fe80::7", 80) == ("fe80::7", 80, 0, 3)
    gate.heard("fe80::7", 5, "02:00:00:00:00:99")
    with pytest.raises(NoLink) as heard:
        gate.sockaddr("fe80::7", 80)
    assert "several links" in heard.value.why


# ---------------------------------------------------------------- ways round


@pytest.mark.parametrize(
    "ip",
    [
        "::ffff:10.0.0.7", "::ffff:a00:7", "0:0:0:0:0:ffff:a00:7", "::ffff:10.0.0.7%eth0",
        "64:ff9b::10.0.0.7", "2002:a00:7::1", "fd00::7", "fd00::7%eth0", "FD00:0::7",
    ],
)  # fmt: skip
def test_no_way_of_writing_an_excluded_address_leads_to_it(ip):
    away = AddressSet.parse(["10.0.0.7", "fd00::7"])
    gate = guard("10.0.0.0/24", "fd00::/64", "64:ff9b::/96", "2002::/16", excluded=away)
    with pytest.raises(ScopeRefusal) as refused:
        gate.permit(ip, 80)
    assert refused.value.why == "excluded by the scope"


@pytest.mark.parametrize("ip", ["::ffff:10.9.9.9", "fe80::1", "fd01::1", "::1"])
def test_no_way_of_writing_an_address_leads_out_of_the_scope(ip):
    gate = guard("10.0.0.0/24", "fd00::/64", "::/8")
    gate.permit("::ffff:10.0.0.8", 80)  # the same host as 10.0.0.8
    if ip == "::1":
        gate.permit(ip, 80)
        return
    with pytest.raises(ScopeRefusal):
        gate.permit(ip, 80)


def test_the_addresses_of_one_device_share_what_it_bears():
    gate = guard("10.0.0.0/24", "fd00::/64")
    gate.acquaint(("10.0.0.1", "fd00::1"))
    for ip in ("10.0.0.1", "fd00::1", "10.0.0.1"):
        gate.spend(ip)
    assert gate.seat("fd00::1").host is gate.seat("10.0.0.1").host
    assert gate.seat("fd00::2").host is not gate.seat("10.0.0.1").host
    assert gate._talks == {"10.0.0.1": 3}


def test_a_datagram_is_answered_over_ipv6():
    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, sender):
            self.transport.sendto(data.upper(), sender)

    def speak(_peer):
        heard = yield Say(b"hello", done=bool)
        yield Observation("sip.server", heard.data.decode(), heard.data)

    async def scene():
        loop = asyncio.get_running_loop()
        own, _ = await loop.create_datagram_endpoint(Server, local_addr=("::1", 0))
        peer = Peer("::1", own.get_extra_info("sockname")[1])
        attempt = await converse(guard("::1"), peer, Probe("sip", "udp", ("sip",), speak, "test"))
        own.close()
        return attempt

    if not Path("/proc/net/if_inet6").read_text():
        pytest.skip("skipped, because this machine has no IPv6")
    assert [seen.value for seen in asyncio.run(scene()).observations] == ["HELLO"]
