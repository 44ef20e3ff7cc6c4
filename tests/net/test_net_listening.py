"""Listening says what it could not keep: nobody is missed in silence."""

import asyncio
import itertools
import json
import socket
import struct
import sys
import time
from pathlib import Path

import pytest

from auditor.model.address import AddressSet
from auditor.model.coverage_note import notes, read_note
from auditor.model.observation import Origin
from auditor.net.ear import MOST_FOUND, listen
from auditor.net.engine import Engine
from auditor.net.interfaces import interfaces, named
from auditor.net.link import BROADCAST
from auditor.sweeps.passive import SWEEP as PASSIVE
from tests.net.stage import Aside, guard, inside

pytestmark = pytest.mark.network
SAID = MOST_FOUND + 2_000


def announce(ready, pause_s):
    """Say of one address after the other, unasked, that it is ours, and again from the first."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("v1", 0))
        mac = b"\2\xaa\xbb\xcc\xdd\x0a"
        head = BROADCAST + mac + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac
        ready.set()
        for number in itertools.cycle(range(SAID)):
            if not number:
                time.sleep(0.5)
            ip = (0x0A640000 + number).to_bytes(4, "big")
            sock.send(head + ip + bytes(6) + ip + bytes(18))
            if number % 500 == 499:
                time.sleep(pause_s)


def ear(seconds):
    return listen(guard("10.9.0.0/24"), PASSIVE, named("v0", interfaces()), seconds)


def heard(seconds, busy_s):
    """Listen; give how many sightings were kept, and what each note says was not."""

    async def scene():
        found, busy = [], busy_s
        async for batch in ear(seconds):
            found += batch
            time.sleep(busy)  # noqa: ASYNC251 as if the machine had other things to do
            busy = 0.0
        return found

    found = asyncio.run(scene())
    dropped = [int(note.value("dropped") or 0) for _, note in notes(found)]
    return sum(bool(attempt.endpoint.ip) for attempt in found), dropped


def test_what_is_heard_beyond_all_bounds_is_counted(cable):
    with Aside(cable.there, lambda ready: announce(ready, 0.04)):
        kept, dropped = inside(cable.here, lambda: heard(12.0, 0.0))
    assert kept <= MOST_FOUND
    assert sum(dropped) > 0 and kept + sum(dropped) >= SAID


def test_what_the_kernel_had_no_room_for_is_counted_and_not_only_at_the_end(cable):
    with Aside(cable.there, lambda ready: announce(ready, 0.0)):
        kept, dropped = inside(cable.here, lambda: heard(5.0, 2.0))
    assert kept < SAID and len(dropped) > 1 and dropped[0] > 0


def test_the_command_the_coverage_and_the_report_say_it(cable, tmp_path):
    program = (sys.executable, "-m", "auditor", "--db", f"sqlite:///{tmp_path}/ear.db")
    with Aside(cable.there, lambda ready: announce(ready, 0.0)):
        ended = cable.run(*program, "scan", "--passive", "4", where=cable.here, check=False)
    assert ended.returncode == 3 and "incomplete: " in ended.stderr
    (line,) = cable.run(*program, "coverage", "--json", check=False).stdout.splitlines()
    dropped = json.loads(line)["dropped"]
    assert f"incomplete: {dropped} more" in ended.stderr
    cable.run(*program, "report", "--out", str(tmp_path / "out"), check=False)
    said = json.loads((tmp_path / "out/report.json").read_text())
    assert [one["dropped"] for one in said["coverage"]["listening"]] == [dropped]
    for language in ("en", "fr"):
        page = (tmp_path / f"out/report.{language}.html").read_text()
        number = f"{dropped:,}" if language == "en" else f"{dropped:,}".replace(",", "\u202f")
        assert number in page


def test_a_listening_that_kept_everything_says_no_such_thing(cable):
    async def scene():
        return [attempt async for batch in ear(0.3) for attempt in batch]

    *_, last = inside(cable.here, lambda: asyncio.run(scene()))
    assert last.endpoint.ip is None and last.origin is Origin.SIGHTING
    assert read_note(last.detail).value("dropped") is None


# ---------------------------------------------------------------- groups, and several links

CAMERA = bytes.fromhex("02bb00000066")


def announcement(mac=CAMERA):
    """A camera's own words to a group that nobody here has joined (mDNS: its name)."""
    name = b"\x06CAM-66\x05local\0"
    said = struct.pack("!6H", 0, 0x8400, 0, 1, 0, 0) + name
    said += struct.pack("!HHIH", 1, 1, 120, 4) + socket.inet_aton("192.168.1.64")
    udp = struct.pack("!HHHH", 5353, 5353, 8 + len(said), 0) + said
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 255, 17, 0)
    head += socket.inet_aton("192.168.1.64") + socket.inet_aton("224.0.0.251")
    return b"\x01\0\x5e\0\0\xfb" + mac + b"\x08\0" + head + udp


def announcing(link):
    def play(ready):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            sock.bind((link, 0))
            ready.set()
            while True:
                sock.send(announcement())
                time.sleep(0.2)

    return play


def macs_heard(on, targets=("10.9.0.0/24",), seconds=1.5):
    """Listen as the command does; give the MACs and the notes."""

    async def scene():
        known = [link for link in interfaces() if not on or link.name in on]
        engine = Engine(guard(*targets), known, ())
        batches = engine.listen(PASSIVE, AddressSet.parse(targets), seconds)
        return [attempt async for batch in batches for attempt in batch]

    found = asyncio.run(scene())
    told = [note for _, note in notes(found)]
    return {a.endpoint.mac for a in found if a.endpoint.mac}, told


def sent(link):
    lines = Path("/proc/self/net/dev").read_text().splitlines()
    return int(next(line for line in lines if f"{link}:" in line).split()[10])


def test_a_card_that_passes_only_joined_groups_is_told_to_pass_all_and_nothing_is_sent(cable):
    made = ("ip", "link", "add", "link", "v0", "name", "m0", "type", "macvlan", "mode", "private")
    if cable.run(*made, where=cable.here, check=False).returncode:
        pytest.skip("skipped, because this kernel makes no macvlan, which filters as cards do")
    for name in ("all", "v0", "m0"):
        cable.run("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1", where=cable.here)
    cable.ip("addr flush dev v0", cable.here)
    cable.ip("link set m0 up", cable.here)
    cable.ip("addr add 10.9.0.1/24 dev m0", cable.here)

    def scene():
        before = sent("v0")
        return macs_heard(["m0"])[0], sent("v0") - before

    with Aside(cable.there, announcing("v1")):
        heard, sent_here = inside(cable.here, scene)
    assert "02:bb:00:00:00:66" in heard and sent_here == 0


@pytest.fixture
def second(cable):
    """A second cable beside the first: here w0 in 10.8.0.0/16, there w1."""
    cable.ip(f"link add w0 netns {cable.here} type veth peer name w1 netns {cable.there}")
    cable.ip("link set w0 up", cable.here)
    cable.ip("link set w1 up", cable.there)
    cable.ip("addr add 10.8.0.1/16 dev w0", cable.here)
    return cable


@pytest.mark.parametrize("link", ["v1", "w1"])
def test_all_links_that_hold_targets_are_listened_to_at_once(second, link):
    began = time.monotonic()
    with Aside(second.there, announcing(link)):
        heard, told = inside(
            second.here, lambda: macs_heard([], ["10.9.0.0/24", "10.8.0.0/16"], 2.0)
        )
    assert "02:bb:00:00:00:66" in heard and time.monotonic() - began < 8.0
    assert {note.value("by").split()[0] for note in told if note.value("by")} == {"v0", "w0"}
    assert not any(note.value("off_link") for note in told)


def test_what_lies_on_no_link_is_not_listened_to_and_that_is_said(second, tmp_path):
    program = (sys.executable, "-m", "auditor", "--db", f"sqlite:///{tmp_path}/ear.db")
    said = ("scan", "--passive", "1", "10.9.0.0/24", "10.7.0.0/24")
    ended = second.run(*program, *said, where=second.here, check=False)
    assert ended.returncode == 3 and "nobody listened to 10.7.0.0/24" in ended.stderr
    shown = second.run(*program, "coverage", check=False)
    assert shown.returncode == 3 and "nobody listened to 10.7.0.0-10.7.0.255" in shown.stdout
    second.run(*program, "report", "--out", str(tmp_path / "out"), check=False)
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["coverage"]["listening"][0]["off_link"] == ["10.7.0.0-10.7.0.255"]
    for language in ("en", "fr"):
        assert "10.7.0.0-10.7.0.255" in (tmp_path / f"out/report.{language}.html").read_text()
    whole = second.run(*program, *said[:-1], where=second.here, check=False)
    assert whole.returncode == 0 and "nobody" not in whole.stderr
