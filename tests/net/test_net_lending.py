"""Two stations at one address: whom the kernel speaks to, and what it knew is put back."""

import asyncio
import time

import pytest

from auditor.model.observation import Outcome
from auditor.net import neighbours
from auditor.net.engine import Engine
from auditor.net.interfaces import interfaces
from auditor.plugins import Peer, Probe, Say
from tests.net.stage import Aside, guard, inside

pytestmark = pytest.mark.network
WHO = "10.9.0.10"
AWAY = "02:aa:bb:cc:dd:99"  # claims the address as well, and answers nothing


def speak(_peer):
    yield Say(b"GET / HTTP/1.1\r\n\r\n", done=lambda came: True)


HTTP = Probe("http", "tcp", ("http",), speak, "test")


def true_mac(cable):
    return cable.run("cat", "/sys/class/net/v1/address", where=cable.there, text="").stdout.strip()


def asked(cable, chosen, state):
    """Ask WHO while a neighbour entry names the other station; give attempt, and entries before,
    meanwhile and after."""

    def entries():
        return [(n.mac, n.state, n.lent) for n in neighbours.known() if n.ip == WHO]

    def scene():
        engine = Engine(guard("10.9.0.0/24", ports=(80,)), interfaces(), (80,))
        before = entries()
        with engine.lent({WHO: chosen}):
            meanwhile = entries()
            attempt = asyncio.run(engine.converse(Peer(WHO, 80), HTTP, []))
        return attempt, before, meanwhile, entries()

    held = AWAY if chosen != AWAY else true_mac(cable)
    cable.ip(f"neigh replace {WHO} lladdr {held} dev v0 nud {state}", cable.here)
    return inside(cable.here, scene)


def test_who_was_found_is_lent_over_what_the_kernel_learned_and_that_is_put_back(cable):
    attempt, before, meanwhile, after = asked(cable, true_mac(cable), "stale")
    assert before == after == [(AWAY, neighbours.STALE, False)]
    assert meanwhile == [(true_mac(cable), neighbours.PERMANENT, True)]
    assert attempt.outcome is Outcome.REFUSED and attempt.endpoint.mac is None


def test_an_entry_that_somebody_wrote_stays_and_whom_it_names_is_credited(cable):
    attempt, before, meanwhile, after = asked(cable, AWAY, "permanent")
    assert before == meanwhile == after == [(true_mac(cable), neighbours.PERMANENT, False)]
    assert attempt.outcome is Outcome.REFUSED and attempt.endpoint.mac == true_mac(cable)


def test_an_entry_that_says_the_same_is_left_alone(cable):
    cable.ip(f"neigh replace {WHO} lladdr {true_mac(cable)} dev v0 nud stale", cable.here)
    mac = true_mac(cable)

    def scene():
        with Engine(guard("10.9.0.0/24"), interfaces(), (80,)).lent({WHO: mac}):
            return [(n.mac, n.lent) for n in neighbours.known() if n.ip == WHO]

    assert inside(cable.here, scene) == [(mac, False)]


def test_what_a_killed_run_lent_over_an_entry_is_taken_back_by_the_next(cable):
    cable.ip(f"neigh replace {WHO} lladdr {AWAY} dev v0 nud stale", cable.here)

    def killed(ready):
        with Engine(guard("10.9.0.0/24"), interfaces(), (80,)).lent({WHO: "02:aa:bb:cc:dd:98"}):
            ready.set()
            time.sleep(60)

    def entries():
        return [(n.mac, n.lent) for n in neighbours.known() if n.ip == WHO]

    def next_run():
        left = entries()
        with Engine(guard("10.9.0.0/24"), interfaces(), (80,)).lent({}):
            pass
        return left, entries()

    with Aside(cable.here, killed):
        pass
    assert inside(cable.here, next_run) == ([("02:aa:bb:cc:dd:98", True)], [])
