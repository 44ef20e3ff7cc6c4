"""Many addresses behind one hardware address: a router that answers for all, or a bridge's hosts."""

import asyncio
import shutil
import socket
import subprocess
import time
from datetime import UTC, datetime

import pytest

from auditor.model.address import AddressSet
from auditor.model.coverage_note import NOTHING, notes
from auditor.model.observation import Outcome
from auditor.net.behind import MOST_ASKED, hosts_behind
from auditor.net.connect import sweep_connect
from auditor.net.engine import Engine
from auditor.net.everything import OPEN, REFUSED
from auditor.net.interfaces import interfaces, named
from auditor.net.nmap import attempts
from auditor.sweeps.arp import SWEEP as ARP
from auditor.sweeps.connect import SWEEP as CONNECT
from tests.net.stage import Aside, guard, inside
from tests.net.test_net_arp import arp_of, gather, reply

FIRST = 0x0A090000  # 10.9.0.0
NET = AddressSet.parse(["10.9.0.0/24"])
HALF = AddressSet.parse(["10.9.0.64/26"])
PORTS = (80, 443, 554)
CAMERA, PORTAL = {80: OPEN, 443: REFUSED, 554: OPEN}, {80: OPEN, 443: REFUSED, 554: REFUSED}
SHUT = dict.fromkeys(PORTS, REFUSED)
ROUTER, OTHER = "02:aa:bb:cc:dd:01", "02:aa:bb:cc:dd:02"


def looked(asked, states):
    """Give whom the rule finds where each address answers so, and whom it had asked."""
    put = []

    async def again(numbers, ports):
        put.extend(numbers)
        return {n: {p: s for p, s in states[n].items() if p in ports} for n in numbers}

    found = asyncio.run(hosts_behind(asked, list(states), list(states), PORTS, again))
    return found, set(put)


def row(first, last, answers):
    return {FIRST + number: answers for number in range(first, last + 1)}


@pytest.mark.parametrize(
    ("asked", "states", "there"),
    [
        pytest.param(NET, row(0, 255, {}), 0, id="nobody-says-anything"),
        pytest.param(NET, row(0, 255, SHUT), 0, id="all-refuse"),
        pytest.param(NET, row(0, 255, PORTAL), 0, id="a-portal-at-both-ends-of-the-network"),
        pytest.param(HALF, row(64, 127, PORTAL), 0, id="a-portal-without-a-gap"),
        pytest.param(
            NET, row(192, 223, PORTAL) | row(2, 2, PORTAL), 0, id="a-portal-for-a-network-within"
        ),
        pytest.param(NET, row(0, 255, PORTAL) | row(20, 20, CAMERA), 1, id="one-behind-a-portal"),
        pytest.param(NET, row(20, 39, CAMERA), 20, id="a-bridge-with-cameras-of-one-kind"),
        pytest.param(NET, row(20, 29, CAMERA) | row(30, 39, PORTAL), 20, id="a-bridge-with-two"),
        pytest.param(NET, row(20, 29, CAMERA) | row(30, 35, {}), 10, id="some-answer-nothing"),
    ],
)
def test_who_plainly_answers_behind_one_hardware_address_is_there(asked, states, there):
    assert len(looked(asked, states)[0]) == there


def test_of_more_than_are_asked_one_by_one_only_a_sample_is_knocked_on():
    large = {FIRST + number: CAMERA for number in range(MOST_ASKED + 1)}
    found, put = looked(AddressSet.parse(["10.9.0.0/21"]), large)
    assert not found and len(put) == 16


def report(*hosts):
    """Write what nmap says of (last, mac or None, {port: state})."""
    said = "".join(
        f'<host><status state="up"/><address addr="10.9.0.{last}" addrtype="ipv4"/>'
        + (f'<address addr="{mac}" addrtype="mac"/>' if mac else "")
        + "<ports>"
        + "".join(f'<port portid="{p}"><state state="{s}"/></port>' for p, s in ports.items())
        + "</ports></host>"
        for last, mac, ports in hosts
    )
    return f"<nmaprun>{said}</nmaprun>"


def told(made):
    """Give the addresses that are somebody's, and those that are answered for."""
    here = {a.endpoint.ip for a in made if a.endpoint.ip}
    whole = [note for a, note in notes(made) if not a.endpoint.mac and note.value("scanned")]
    return here, whole[0].proxy


SEEN = {80: "open", 443: "closed", 554: "closed"}
ALL_SHUT = dict.fromkeys(PORTS, "closed")


@pytest.mark.parametrize("by_kernel", [False, True], ids=["nmap-tells-macs", "the-kernel-does"])
def test_whom_nmap_found_behind_a_router_is_no_device(by_kernel):
    hosts = [(n, ROUTER, ALL_SHUT) for n in range(64)] + [(70, OTHER, SEEN)]
    known = {f"10.9.0.{n}": mac for n, mac, _ in hosts}
    text = report(*((n, None if by_kernel else mac, ports) for n, mac, ports in hosts))
    made = attempts(text, NET, PORTS, datetime.now(UTC), known if by_kernel else {})
    assert told(made) == ({"10.9.0.70"}, AddressSet.parse(["10.9.0.0-10.9.0.63"]))
    (router,) = (a for a in made if a.endpoint.mac and not a.endpoint.ip)
    assert router.outcome is Outcome.GARBLED and router.endpoint.mac == ROUTER


def test_twenty_cameras_behind_a_bridge_are_there_where_nmap_made_the_connections():
    text = report(*((n, None, {80: "open", 443: "closed"}) for n in range(20, 40)))
    known = {f"10.9.0.{n}": OTHER for n in range(20, 40)}
    here, proxy = told(attempts(text, NET, PORTS, datetime.now(UTC), known))
    assert len(here) == 20 and proxy == NOTHING


def test_behind_routers_a_box_that_answers_for_all_is_no_device_of_nmaps():
    hosts = [(n, None, SEEN if n == 20 else ALL_SHUT) for n in range(256)]
    here, proxy = told(attempts(report(*hosts), NET, PORTS, datetime.now(UTC)))
    assert here == {"10.9.0.20"} and proxy.size == 255


def test_behind_routers_whoever_was_asked_for_no_port_may_be_there():
    hosts = [(n, None, {}) for n in range(256)]
    assert (
        len([a for a in attempts(report(*hosts), NET, (), datetime.now(UTC)) if a.endpoint.ip])
        == 256
    )


# ---------------------------------------------------------------- on the wire


@pytest.fixture
def router(cable):
    """The far end answers ARP and TCP for 10.9.0.64/26 as well; it has nobody there."""
    cable.ip("route add local 10.9.0.64/26 dev lo", cable.there)
    return cable


def second(ready):
    """Play another station that answers ARP for 10.9.0.70, and nothing else."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.bind(("v1", 3))
        ready.set()
        while True:
            raw = sock.recv(2_048)
            if raw[12:14] == b"\x08\x06" and raw[20:22] == b"\0\1" and raw[41] == 70:
                sock.send(reply(OTHER.replace(":", ""), "10.9.0.70", to=raw[6:12]))


def engine(**more):
    return Engine(guard("10.9.0.0/24", ports=PORTS), interfaces(), PORTS, **more)


@pytest.mark.network
def test_without_privilege_a_router_that_answers_for_a_range_is_no_device(router):
    def scene():
        gate, link = guard("10.9.0.0/24", ports=PORTS), named("v0", interfaces())
        return gather(sweep_connect(gate, HALF, PORTS, link))

    found = inside(router.here, scene)
    assert arp_of(found) == {}
    (box, note), (_, whole) = notes(found)
    assert box.endpoint.mac and box.outcome is Outcome.GARBLED and note.proxy == HALF
    assert whole.proxy == HALF and not whole.silent


@pytest.mark.network
@pytest.mark.skipif(not shutil.which("nmap"), reason="the nmap program is not installed")
def test_a_device_at_an_address_that_a_router_answers_for_is_found_with_nmap(router):
    def scene():
        return gather(engine(by_nmap=True).connect(CONNECT, HALF, lambda _: None))

    with Aside(router.there, second):
        found = inside(router.here, scene)
    assert {a.endpoint.ip: a.endpoint.mac for a in found if a.endpoint.ip} == {"10.9.0.70": OTHER}


@pytest.mark.network
@pytest.mark.parametrize("raw", [True, False], ids=["frames", "connections"])
def test_hosts_behind_a_bridge_are_there_however_many_they_are(cable, raw):
    for last in range(20, 40):
        cable.ip(f"addr add 10.9.0.{last}/24 dev v1", cable.there)
    serve = "import socket,time; s=socket.create_server(('',80)); time.sleep(60)"
    page = subprocess.Popen(["ip", "netns", "exec", cable.there, "python3", "-c", serve])

    def scene():
        while socket.socket().connect_ex(("10.9.0.20", 80)):
            time.sleep(0.05)
        here = AddressSet.parse(["10.9.0.16/28", "10.9.0.32/27"])
        asking = engine().frames(ARP, here, lambda _: None)
        if not raw:
            link = named("v0", interfaces())
            asking = sweep_connect(guard("10.9.0.0/24", ports=PORTS), here, PORTS, link)
        return gather(asking)

    try:
        found = inside(cable.here, scene)
    finally:
        page.kill()
        page.wait()
    assert len(arp_of(found)) == 20
    assert not [a for a in found if a.outcome is Outcome.GARBLED]
