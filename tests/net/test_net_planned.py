"""What a plan promises, counted on the wire: no sweep sends more packets than were planned."""

import asyncio
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from auditor import planning, wiring
from auditor.net.arp import request
from auditor.net.engine import Engine
from auditor.net.filters import ARP_REPLIES
from auditor.net.interfaces import interfaces, named
from auditor.net.rings import Rings
from auditor.plugins import Medium
from auditor.schedule import Work, collect
from tests.net.stage import guard, inside, paced

pytestmark = pytest.mark.network
KNOCKS = (80, 554)


def counted():
    """Give how many packets v0 has sent, as the kernel counts them in this namespace."""
    lines = Path("/proc/self/net/dev").read_text().splitlines()
    (line,) = (line for line in lines if line.strip().startswith("v0:"))
    return int(line.split(":")[1].split()[9])


def swept(pace):
    """Sweep the cable's /24 with everything that there is; give what went and what was planned."""
    journal = []
    gate = guard("10.9.0.0/24", journal=journal.append, pace=pace, ports=KNOCKS)
    sweeps = [sweep for sweep in wiring.sweeps() if sweep.medium is not Medium.PASSIVE]
    known = interfaces()
    near = next(link.on_link for link in known if link.name == "v0")
    plan = planning.plan(gate.scope, gate.scope.networks, near, sweeps, (), KNOCKS)
    work = Work(
        scope=gate.scope,
        targets=plan.targets,
        sweeps=sweeps,
        probes=(),
        lists={"knock": KNOCKS},
        clock=lambda: datetime.now(UTC),
        sink=lambda _attempts: None,
    )
    before = counted()
    asyncio.run(collect(work, Engine(gate, known, KNOCKS, listen_s=0.3), asyncio.Event()))
    return counted() - before, sum(entry.count for entry in journal), plan.packets


@pytest.fixture
def quiet(cable):
    """The cable once the kernel has said all that it says of itself on a new link."""
    cable.run("sysctl", "-qw", "net.ipv6.conf.v0.router_solicitations=0", where=cable.here)
    time.sleep(3)
    return cable


@pytest.mark.parametrize("profile", ["normal", "gentle"])
def test_no_more_packets_leave_than_were_planned(quiet, profile):
    pace = replace(paced(rounds=2), profile=profile, packets_per_s=9_000.0)
    wire, journal, planned = inside(quiet.here, lambda: swept(pace))
    assert 0 < journal <= planned
    assert wire <= planned
    assert wire >= journal - 12  # groups that no route leads to are in the journal alone


def test_under_gentle_nobody_is_left_half_open(quiet):
    def play(profile):
        pace = replace(paced(rounds=1), profile=profile, packets_per_s=9_000.0)
        return inside(quiet.here, lambda: swept(pace))

    gentle, normal = play("gentle"), play("normal")
    assert normal[1] - gentle[1] >= 3 * len(KNOCKS)  # three stations, every door


def test_rings_that_rested_hear_again_and_nothing_of_what_came_meanwhile(quiet):
    """The rings of one volley serve the next: with another filter, and empty."""

    def play():
        link = named("v0", interfaces())
        frame = request(bytes.fromhex(link.mac.replace(":", "")), bytes([10, 9, 0, 1]), 0x0A09000A)
        asked = np.frombuffer(frame, np.uint8).reshape(1, -1)
        with Rings(link, ARP_REPLIES) as rings:
            rings.send(asked)
            rings.wait(1.0)
            heard = [len(rings.take(42)[0])]
            rings.rest()
            rings.send(asked)
            time.sleep(0.2)
            heard.append(len(rings.take(42)[0]))
            assert rings.wake(ARP_REPLIES)
            rings.send(asked)
            rings.wait(1.0)
            return [*heard, len(rings.take(42)[0])]

    assert inside(quiet.here, play) == [1, 0, 1]


def test_rings_whose_link_went_away_are_not_used_again(quiet):
    def play():
        with Rings(named("v0", interfaces()), ARP_REPLIES) as rings:
            rings.rest()
            subprocess.run(["ip", "link", "set", "v0", "down"], check=True)
            return rings.wake(ARP_REPLIES)

    assert inside(quiet.here, play) is False
