"""A scan that is killed at any moment loses nothing and, resumed, ends as if it had not been."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from auditor.model.observation import Outcome
from auditor.store.ledger import Ledger
from tests.net.stage import Aside, Cable

ROUNDS = int(os.environ.get("AUDITOR_KILLS", "5"))
TARGETS = "127.0.7.0/28"
pytestmark = [pytest.mark.network, pytest.mark.slow]


def serve(ready):
    """Play a web server on every loopback address with an even number."""
    page = b"HTTP/1.1 200 OK\r\nServer: App-webs/\r\nContent-Length: 2\r\n\r\nhi"
    with socket.create_server(("0.0.0.0", 80), backlog=500) as server:
        ready.set()
        while True:
            peer, _ = server.accept()
            threading.Thread(target=answer, args=(peer, page), daemon=True).start()


def answer(peer, page):
    with peer:
        if peer.recv(2_048):
            peer.sendall(page)


def start(cable, db, *words):
    command = [sys.executable, "-m", "auditor", "--db", f"sqlite:///{db}", "-q", "scan", *words]
    return subprocess.Popen(
        ["ip", "netns", "exec", cable.here, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def facts(db):
    """What a ledger holds of who was there and how each question ended, run by run."""
    ledger = Ledger.open(f"sqlite:///{db}")
    try:
        stored = [s.attempt for s in ledger.attempts()]
    finally:
        ledger.close()
    return [
        (a.tool, a.endpoint.ip, a.endpoint.port, a.outcome)
        for a in stored
        if a.endpoint.ip and a.outcome is not Outcome.NOT_TRIED
    ]


@pytest.fixture
def street():
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root here")
    cable = Cable()
    try:
        cable.lay()
        with Aside(cable.here, serve):
            yield cable
    finally:
        cable.cut()


def test_a_scan_killed_at_any_moment_goes_on_where_it_was(street, tmp_path):
    whole = tmp_path / "whole.db"
    began = time.monotonic()
    assert start(street, whole, TARGETS).wait(120) == 0
    took_s = time.monotonic() - began
    wanted = facts(whole)
    assert len(wanted) == len(set(wanted)) and len(wanted) > 30
    dice = random.Random(11)
    for number in range(ROUNDS):
        db = tmp_path / f"killed{number}.db"
        running = start(street, db, TARGETS)
        time.sleep(dice.uniform(0.8, max(1.0, took_s)))
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(10)
        kept = facts(db) if db.exists() else []
        resumed = start(street, db, "--resume")
        if resumed.wait(120) == 2:  # killed before the run was written, or after it ended
            continue
        found = facts(db)
        assert found[: len(kept)] == kept
        assert len(found) == len(set(found)), "something is there twice"
        assert set(found) == set(wanted)
