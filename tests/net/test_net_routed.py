"""Behind a router: who is there, who only seems to be, who keeps us away; raw and by connect."""

import asyncio
import itertools
import socket
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor import planning, wiring
from auditor.errors import EnvironmentLack
from auditor.inventory.coverage import coverage
from auditor.lab.farm import Farm
from auditor.model.address import AddressSet
from auditor.model.coverage_note import notes
from auditor.model.device import Reach
from auditor.model.observation import Observation, Outcome, Run, StoredAttempt, text
from auditor.net import netlink, room, routes
from auditor.net.connect import sweep_connect
from auditor.net.engine import Engine
from auditor.net.interfaces import interfaces, named
from auditor.plugins import Medium, Probe, Say
from auditor.schedule import Work, collect
from bench.routed_once import PORTS as ROUTED_PORTS
from tests.net.stage import Aside, guard, inside, paced

pytestmark = pytest.mark.network
PORTS = (80, 443, 554)
NETWORKS = ("10.50.0.0/24", "10.51.0.0/24", "10.52.0.0/28", "10.53.0.0/24")
GATEWAY = "10.9.0.10"  # lies outside the scope
LIVE = {"10.51.0.5", "10.51.0.6", "10.51.0.200"}
CAMERA = "10.53.0.77"  # a host in the network that a box answers for
RULES = f"""
table ip t {{
  chain i {{ type filter hook input priority 0;
    ip daddr 10.53.0.0/24 icmp type echo-request drop;
    ip daddr 10.51.0.200 icmp type echo-request drop;
    ip daddr {{ 10.50.0.0/24, 10.51.0.6 }} meta l4proto tcp reject with tcp reset;
    ip daddr {{ 10.51.0.5, {CAMERA} }} tcp dport != 80 reject with tcp reset;
    ip daddr 10.51.0.200 tcp dport != 554 reject with tcp reset;
    ip daddr 10.9.0.10 ct state new counter name asked; }}
  chain f {{ type filter hook forward priority 0;
    ip daddr 10.52.0.0/28 reject with icmp type admin-prohibited; }}
  counter asked {{ }}
}}
"""


@pytest.fixture
def routed(cable):
    """`there` is a router. 10.50: it refuses for everybody. 10.51: three hosts, the rest is
    silent. 10.52: prohibited. 10.53: it accepts for everybody, and one host is there.
    """
    for network in ("10.50.0.0/24", "10.53.0.0/24"):
        cable.ip(f"route add local {network} dev lo", cable.there)
    for ip in sorted(LIVE):
        cable.ip(f"addr add {ip}/32 dev lo", cable.there)
    cable.ip("route add blackhole 10.51.0.0/24", cable.there)
    cable.ip("route add 10.52.0.0/28 dev v1", cable.there)
    cable.run(
        "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.icmp_ratelimit=0", where=cable.there
    )
    cable.run("nft", "-f", "-", where=cable.there, text=RULES)
    cable.ip(f"route add 10.48.0.0/13 via {GATEWAY}", cable.here)
    return cable


def serve(ready):
    """Greet on every address of the router's; its rules say which hosts have which ports."""
    for port in PORTS:
        server = socket.create_server(("0.0.0.0", port), backlog=4_096)
        threading.Thread(target=greet, args=(server,), daemon=True).start()
    ready.set()
    threading.Event().wait()


def greet(server):
    while True:
        with server.accept()[0] as peer:
            peer.sendall(b"HELLO\r\n")


def speak(_peer):
    heard = yield Say(b"", done=bool)
    if heard and heard.data:
        yield Observation("telnet.banner", text(heard.data), heard.data)


def run(*networks, raw, pace=None, profile="normal"):
    """Collect with everything that there is; give the attempts, the journal and the plan."""
    journal, found = [], []
    pace = replace(pace or paced(rounds=2), profile=profile)
    gate = guard(*networks, journal=journal.append, pace=pace, ports=PORTS)
    wanted = {Medium.FRAME, Medium.CONNECT} if raw else {Medium.CONNECT}
    sweeps = [sweep for sweep in wiring.sweeps() if sweep.medium in wanted]
    known = interfaces()
    near = next(link.on_link for link in known if link.name == "v0")
    ways = [there for _, there in routes.ways(gate.scope.networks, known)[0]] if raw else []
    plan = planning.plan(gate.scope, gate.scope.networks, near, sweeps, (), PORTS, PORTS, 1, ways)
    engine = Engine(gate, known, PORTS)
    engine.raw = raw
    work = Work(
        scope=gate.scope,
        targets=plan.targets,
        sweeps=sweeps,
        probes=(Probe("hello", "tcp", ("knock",), speak, source="test"),),
        lists={"knock": PORTS},
        clock=lambda: datetime.now(UTC),
        sink=found.extend,
    )
    assert asyncio.run(collect(work, engine, asyncio.Event()))
    assert not [a for a in found if a.outcome is Outcome.CRASHED]
    swept = sum(entry.count for entry in journal if entry.kind != "hello")
    return found, swept, plan.packets


def answered(found):
    """Give (ip, port) of every port that greeted."""
    return {
        (a.endpoint.ip, a.endpoint.port)
        for a in found
        if a.tool == "hello" and a.outcome is Outcome.ANSWERED
    }


def there(found):
    return {a.endpoint.ip for a in found if a.endpoint.ip and a.outcome.is_knowledge}


def gaps(found):
    """Give what coverage says of each network: reason -> (addresses, detail)."""
    scope = f'{{"networks": {list(NETWORKS)}}}'.replace("'", '"')
    now = datetime.now(UTC)
    visit = Run("r", "TEST", "scan", now, "o", scope, "t", status="complete")
    stored = [StoredAttempt(at, "r", "TEST", a) for at, a in enumerate(found)]
    told = coverage([visit], stored, wiring.presence()).subnets
    return {
        subnet.network: {gap.reach: (gap.ranges, gap.detail) for gap in subnet.gaps}
        for subnet in told
    }, {subnet.network: subnet.vantage for subnet in told}


def test_raw_and_connect_tell_the_same_of_who_is_behind_a_router(routed):
    """Who is there, which ports, who answers for all, who keeps us away: one and the same."""
    with Aside(routed.there, serve):
        raw, connect = (
            inside(routed.here, lambda raw=raw: run(*NETWORKS, raw=raw)[0]) for raw in (True, False)
        )
    for found in (raw, connect):
        assert there(found) == LIVE | {CAMERA}
        assert answered(found) == {("10.51.0.5", 80), ("10.51.0.200", 554), (CAMERA, 80)}
        told, _ = gaps(found)
        everybody = AddressSet.parse(["10.50.0.0/24"]).texts()
        assert told["10.50.0.0/24"] == {Reach.PROXY: (everybody, "")}
        assert AddressSet.parse(told["10.53.0.0/24"][Reach.PROXY][0]).size == 255
        says = f"router {GATEWAY} says administratively prohibited"
        assert told["10.52.0.0/28"] == {
            Reach.NOT_REACHED: (AddressSet.parse(["10.52.0.0/28"]).texts(), says)
        }
    # who refuses every port is told so by a probe's connection, and by the sweep alone otherwise
    for network, told in gaps(connect)[0].items():
        assert {k: v for k, v in gaps(raw)[0][network].items() if k != Reach.PRESENT_ONLY} == told
    assert not any(a.endpoint.mac for a in (*raw, *connect))  # never the gateway's
    assert {a.tool for a in raw if a.endpoint.ip} >= {"knock", "syn", "icmp"}
    assert gaps(raw)[1]["10.51.0.0/24"].startswith(f"routed by {GATEWAY} from v0 10.9.0.1/24")
    assert gaps(connect)[1]["10.51.0.0/24"] == "routed"


@pytest.mark.parametrize("raw", [True, False])
def test_no_more_is_sent_behind_a_router_than_was_planned(routed, raw):
    some = ("10.50.0.0/27", "10.51.0.0/28", "10.52.0.0/29")
    _, sent, planned = inside(routed.here, lambda: run(*some, raw=raw))
    assert 0 < sent <= planned


def test_the_gateway_itself_is_never_spoken_to(routed):
    def scene():
        found, _, _ = run("10.51.0.0/24", raw=True)
        return there(found)

    assert inside(routed.here, scene) == LIVE
    said = routed.run(
        "nft", "list", "counter", "ip", "t", "asked", where=routed.there, text=""
    ).stdout
    assert "packets 0 " in said


def test_each_host_keeps_its_cap_behind_a_router(routed):
    """One port a second and host: nobody is asked twice within one."""

    def scene():
        journal = []
        pace = replace(paced(rounds=1, host_connects_per_s=1.0), profile="normal")
        gate = guard("10.51.0.0/28", journal=journal.append, pace=pace, ports=PORTS)
        engine = Engine(gate, interfaces(), PORTS)
        (sweep,) = (sweep for sweep in wiring.sweeps() if sweep.name == "knock")

        async def play():
            async for _ in engine.frames(sweep, gate.scope.networks, lambda _: None):
                pass

        asyncio.run(play())
        return [(entry.moment, entry.port) for entry in journal if entry.kind == "syn"]

    sent = inside(routed.here, scene)
    assert {port for _, port in sent} == set(PORTS)
    first = {port: min(at for at, p in sent if p == port) for port in PORTS}
    last = {port: max(at for at, p in sent if p == port) for port in PORTS}
    ordered = sorted(PORTS, key=first.__getitem__)
    for before, after in itertools.pairwise(ordered):
        # the journal is written a little after the sending
        assert (first[after] - last[before]).total_seconds() >= 0.95


def test_under_gentle_nothing_is_left_half_open_behind_a_router(routed):
    def scene():
        found, _, _ = run(
            "10.51.0.4/30", raw=True, pace=paced(packets_per_s=200.0), profile="gentle"
        )
        return {a.tool for a in found}, there(found)

    tools, found = inside(routed.here, scene)
    assert found == {"10.51.0.5", "10.51.0.6"}
    assert not tools & {"knock", "syn"}


def test_nothing_is_sent_to_what_is_excluded_behind_a_router(routed):
    def scene():
        journal = []
        pace = replace(paced(rounds=1), profile="normal")
        gate = guard(
            "10.51.0.0/24", excluded=("10.51.0.6",), journal=journal.append, pace=pace, ports=PORTS
        )
        engine = Engine(gate, interfaces(), PORTS)
        targets = gate.scope.networks.minus(gate.scope.excluded)

        async def play():
            for sweep in wiring.sweeps():
                if sweep.name in {"icmp", "knock"}:
                    async for _ in engine.frames(sweep, targets, lambda _: None):
                        pass

        asyncio.run(play())
        return {ip for entry in journal for ip in entry.ip.split(",")}

    asked = inside(routed.here, scene)
    assert "10.51.0.7" in asked
    assert "10.51.0.6" not in asked


def test_a_farm_behind_a_router_is_found_whole_in_both_ways():
    """A router that forwards, and hosts of many kinds: some drop what comes to closed ports."""
    root = Path(__file__).parents[2]
    try:
        farm = Farm.start(network="10.77.0.0/23", live=40, quiet=0.3, routed=True)
    except EnvironmentLack as lack:
        pytest.skip(f"skipped, because {lack.what}")
    with farm:
        exist = sum(port in ROUTED_PORTS for _, port in farm.open_ports)
        told = [
            farm.run(
                [sys.executable, str(root / "bench" / "routed_once.py"), farm.network, how],
                capture_output=True, text=True, timeout=100, env={"PYTHONPATH": str(root)},
            ).stdout
            for how in ("raw", "connect")
        ]  # fmt: skip
    assert f"live=40 open={exist} " in told[0]
    assert "live=40 " in told[1]


# ---------------------------------------------------------------- which way


def ways(*targets):
    found, rest = routes.ways(AddressSet.parse(targets), interfaces())
    told = {(way.interface.name, way.gateway, way.source): there.texts() for way, there in found}
    return told, rest.texts()


def test_the_longest_prefix_leads_and_the_kernel_has_the_last_word(routed):
    routed.ip("link add d0 type veth peer name d1", routed.here)
    routed.ip("link set d0 up", routed.here)
    routed.ip("addr add 10.8.0.1/24 dev d0", routed.here)
    routed.ip("route add 10.51.0.128/25 via 10.8.0.9 dev d0", routed.here)
    routed.ip("route add unreachable 10.51.0.64/26", routed.here)
    told, rest = inside(routed.here, lambda: ways("10.51.0.0/24", "172.31.0.0/30", "10.9.0.0/30"))
    assert told == {
        ("v0", GATEWAY, "10.9.0.1"): ("10.51.0.0-10.51.0.63",),
        ("d0", "10.8.0.9", "10.8.0.1"): ("10.51.0.128-10.51.0.255",),
    }
    assert rest == ("10.9.0.0-10.9.0.3", "10.51.0.64-10.51.0.127", "172.31.0.0-172.31.0.3")


def test_rules_of_this_machine_leave_the_sending_to_the_kernel(routed):
    routed.ip("rule add to 10.51.0.9 lookup 77", routed.here)
    assert inside(routed.here, lambda: ways("10.51.0.0/24")) == ({}, ("10.51.0.0-10.51.0.255",))


def test_several_next_hops_leave_the_sending_to_the_kernel(routed):
    routed.ip("route add 10.60.0.0/24 nexthop via 10.9.0.11 nexthop via 10.9.0.12", routed.here)
    told, rest = inside(routed.here, lambda: ways("10.60.0.0/24"))
    assert (told, rest) == ({}, ("10.60.0.0-10.60.0.255",))


def test_a_gateway_that_does_not_answer_leaves_the_kernel_to_try(routed):
    routed.ip("route add 10.61.0.0/30 via 10.9.0.99", routed.here)

    def scene():
        found, _, _ = run("10.61.0.0/30", raw=True, pace=paced(rounds=1))
        return [(a.tool, note) for a, note in notes(found)]

    told = inside(routed.here, scene)
    assert {tool for tool, _ in told} == {"icmp", "connect"}
    assert all(note.silent.size + note.left.size == 4 for tool, note in told if tool == "connect")


def test_an_address_without_a_way_is_no_surprise(routed):
    assert inside(routed.here, lambda: netlink.route("172.31.0.1")) is None


# ---------------------------------------------------------------- the kernel's own table


def test_no_more_neighbours_are_met_than_the_table_has_places(cable, monkeypatch):
    """A full table drops our packets without a word: whoever is there would seem silent."""
    monkeypatch.setattr(room, "USUAL_MOST", 32)

    def scene():
        most, gate = [0], guard("10.9.0.0/26", ports=(80,))

        async def watch():
            while True:
                most.append(sum(map(room.holds, netlink.table(netlink.GET_NEIGHBOUR))))
                await asyncio.sleep(0.02)

        async def play():
            watching = asyncio.create_task(watch())
            net, link = AddressSet.parse(["10.9.0.0/26"]), named("v0", interfaces())
            found = [a async for batch in sweep_connect(gate, net, (80,), link) for a in batch]
            watching.cancel()
            return found

        return asyncio.run(play()), max(most)

    found, most = inside(cable.here, scene)
    assert there(found) == {"10.9.0.10", "10.9.0.11", "10.9.0.12"}
    assert 3 <= most <= 32
