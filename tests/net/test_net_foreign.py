"""Answers that the kernel would not give to a socket: of foreign networks, and behind a firewall."""

import asyncio
import json
import shutil
import socket
import struct
import sys
import time

import pytest

from auditor.model.coverage_note import read_note
from auditor.model.observation import Observation
from auditor.net import way_back
from auditor.net.group import ask_group
from auditor.net.interfaces import interfaces, named
from auditor.plugins import Medium, Sweep
from tests.net.stage import Aside, guard, inside, paced
from tests.net.test_net_group import GROUP, PORT, ask, devices, forged, read, station

pytestmark = pytest.mark.network
FACTORY = "192.168.1.64"
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
DEFAULT_DENY = """table inet wall {
 chain in { type filter hook input priority 0; policy drop;
  iif lo accept
  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
 }
}"""


def factory(answer, address=FACTORY, group=GROUP):
    """Play a camera with its factory address: it answers to the group, for it has no way to us."""

    def play(ready):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            own = socket.inet_aton(address)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", PORT))
            member = struct.pack("=4s4s", socket.inet_aton(group), own)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
            ready.set()
            while True:
                data, _ = sock.recvfrom(2_048)
                if data.startswith(b"WHO"):
                    sock.sendto(answer, (group, PORT))

    return play


def filtered(cable, mode):
    for knob in ("all", "v0"):
        cable.run("sysctl", "-qw", f"net.ipv4.conf.{knob}.rp_filter={mode}", where=cable.here)


@pytest.fixture
def foreign(cable):
    cable.ip(f"addr add {FACTORY}/24 dev v1", cable.there)
    return cable


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_a_camera_with_its_factory_address_is_heard_whatever_the_kernel_filters(foreign, mode):
    filtered(foreign, mode)
    with Aside(foreign.there, factory(b"CAMERA 192.168.1.64")):
        found, _, _ = inside(foreign.here, ask)
    (camera, whole) = found
    assert camera.endpoint.ip == FACTORY
    assert any(seen.field == "link.source" for seen in camera.observations)
    note = read_note(whole.detail)
    assert note.value("replies") == "2"  # one a round: no frame counts again as a datagram
    assert note.value("dropped") is None and note.value("deaf") is None


def test_a_firewall_of_this_machine_hides_nobody_who_answers(cable):
    if not shutil.which("nft"):
        pytest.skip("skipped, because nft is missing")
    cable.run("nft", "-f", "-", where=cable.here, text=DEFAULT_DENY)
    with Aside(cable.there, station(lambda: [b"CAMERA 10.9.0.10"])):
        found, _, _ = inside(cable.here, ask)
    assert devices(found) == {"10.9.0.10"}


def six(cable, answer):
    """Ask a camera over IPv6, behind a firewall of this machine."""
    if not shutil.which("nft"):
        pytest.skip("skipped, because nft is missing")
    for where, link in ((cable.here, "v0"), (cable.there, "v1")):
        cable.run("sysctl", "-qw", f"net.ipv6.conf.{link}.accept_dad=0", where=where)
        cable.ip(f"link set {link} down", where)
        cable.ip(f"link set {link} up", where)
        cable.ip(f"addr add fe80::{1 if link == 'v0' else 66}/64 dev {link} nodad", where)
    cable.run("nft", "-f", "-", where=cable.here, text=DEFAULT_DENY)
    time.sleep(0.3)
    sweep = Sweep("six", Medium.GROUP, "test", "ff02::c", 1900, lambda _: b"WHO", read)

    def play(ready):
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::", 1900))
            at = socket.if_nametoindex("v1")
            member = socket.inet_pton(socket.AF_INET6, "ff02::c") + struct.pack("=I", at)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
            ready.set()
            while True:
                sock.sendto(answer, sock.recvfrom(2_048)[1])

    def scene():
        async def asking():
            rounds = ask_group(guard("fe80::/64", pace=paced(rounds=2)), sweep, link, 1.0)
            return [attempt async for attempts in rounds for attempt in attempts]

        link = named("v0", interfaces())
        return asyncio.run(asking())

    with Aside(cable.there, play):
        return inside(cable.here, scene)


def test_nor_those_who_answer_over_ipv6(cable):
    (camera, whole) = six(cable, b"CAMERA fe80::66")
    assert camera.endpoint.ip == "fe80::66"
    assert camera.observations == (Observation("sadp.reply", "fe80::66", b"CAMERA fe80::66"),)
    note = read_note(whole.detail)
    assert note.value("replies") == note.value("rounds") == "1"


def test_of_those_in_pieces_over_ipv6_it_is_told_that_they_answered(cable):
    (whole,) = six(cable, b"CAMERA fe80::66 ".ljust(4_000, b"x"))
    assert read_note(whole.detail).value("dropped") == "1"


@pytest.mark.parametrize("to_group", [False, True])
def test_what_comes_by_frame_and_by_socket_counts_once(cable, to_group):
    said = [b"CAMERA 10.9.0.10 %d" % n for n in range(1_000)]
    with Aside(cable.there, station(lambda: said, to_group)):
        found, _, _ = inside(cable.here, ask)
    note = read_note(found[-1].detail)
    assert (note.value("replies"), note.value("devices")) == ("2000", "16")
    assert note.value("dropped") == str(2 * (1_000 - 16))


LONG = b"CAMERA 192.168.1.64 ".ljust(4_000, b"x")


def test_a_reply_in_pieces_is_read_where_the_kernel_puts_it_together(foreign):
    filtered(foreign, 0)
    with Aside(foreign.there, factory(LONG)):
        found, _, _ = inside(foreign.here, ask)
    assert devices(found) == {FACTORY}
    assert read_note(found[-1].detail).value("dropped") is None
    assert any(seen.field == "link.source" for seen in found[0].observations)


def test_where_the_kernel_does_not_the_loss_is_told(foreign):
    filtered(foreign, 1)
    with Aside(foreign.there, factory(LONG)):
        found, _, _ = inside(foreign.here, ask)
    note = read_note(found[-1].detail)
    assert devices(found) == set() and note.value("dropped") == "2" == note.value("replies")


def test_cameras_that_share_a_factory_address_are_all_found(cable):
    count = 40

    def play(ready):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as mouth,
        ):
            ear.bind(("", PORT))
            member = struct.pack("=4s4s", socket.inet_aton(GROUP), socket.inet_aton("10.9.0.10"))
            ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            mouth.bind(("v1", 0))
            to = (b"\x01\0\x5e\x7f\xff\xfa", GROUP, PORT)
            ready.set()
            while True:
                ear.recvfrom(2_048)
                for n in range(count):
                    frame = forged(FACTORY, to, b"CAMERA 192.168.1.64 serial %d" % n)
                    mouth.send(frame[:11] + bytes([n]) + frame[12:])

    with Aside(cable.there, play):
        found, _, _ = inside(cable.here, ask)
    macs = [o.value for a in found for o in a.observations if o.field == "link.source"]
    assert len(set(macs)) == len(macs) == count
    assert read_note(found[-1].detail).value("dropped") is None


# ---------------------------------------------------------------- without privilege


@pytest.mark.parametrize(
    ("mode", "default", "kept_away"),
    [(0, False, False), (1, False, True), (2, False, True), (1, True, False), (2, True, False)],
)
def test_it_is_known_whether_answers_of_other_networks_are_kept_away(
    cable, mode, default, kept_away
):
    filtered(cable, mode)
    if default:
        cable.ip("route add default via 10.9.0.10", cable.here)
    told = inside(cable.here, lambda: way_back.withholding(interfaces()))
    assert told == ["v0"] * kept_away


def test_a_way_back_by_another_interface_is_none_for_the_strict_filter(cable):
    filtered(cable, 1)
    cable.ip("link add d0 type veth peer name d1", cable.here)
    for name in ("d0", "d1"):
        cable.ip(f"link set {name} up", cable.here)
    cable.ip("addr add 10.66.0.1/24 dev d0", cable.here)
    cable.ip("route add default via 10.66.0.2", cable.here)
    assert "v0" in inside(cable.here, lambda: way_back.withholding(interfaces()))


@pytest.mark.parametrize("mode", [0, 1])
def test_who_cannot_hear_factory_addresses_says_so(foreign, tmp_path, mode):
    if not shutil.which("setpriv"):
        pytest.skip("skipped, because setpriv is missing")
    filtered(foreign, mode)
    program = [*POWERLESS, sys.executable, "-m", "auditor", "--db", f"sqlite:///{tmp_path}/g.db"]
    checked = foreign.run(*program, "doctor", "--json", where=foreign.here, check=False).stdout
    (line,) = (x for x in map(json.loads, checked.splitlines()) if "other networks" in x["what"])
    assert line["state"] == ("WARN" if mode else "OK") and ("rp_filter=0" in line["fix"]) == mode
    with Aside(foreign.there, factory(b"CAMERA 192.168.1.64")):
        scan = [*program, "scan", "10.9.0.10", "--pace", "300"]
        ended = foreign.run(*scan, where=foreign.here, check=False)
    assert ended.returncode == 0, ended.stderr
    said = foreign.run(*program, "coverage", "--json", check=False)
    deaf = [x["deaf"] for x in map(json.loads, said.stdout.splitlines()) if x.get("deaf")]
    assert deaf == [["10.9.0.0-10.9.0.255"]] * mode
