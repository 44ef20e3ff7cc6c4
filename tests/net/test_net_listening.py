"""Listening says what it could not keep: nobody is missed in silence."""

import asyncio
import itertools
import json
import socket
import struct
import sys
import time

import pytest

from auditor.model.coverage_note import notes, read_note
from auditor.model.observation import Origin
from auditor.net.ear import MOST_FOUND, listen
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
