"""Asks known hosts what they are and writes the ledger, as a process of its own; one line out.

python bench/identify_once.py HOSTS_FILE
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from auditor import wiring
from auditor.identify.correlate import correlate
from auditor.identify.enough import Enough
from auditor.identify.identify import identify
from auditor.model.address import AddressSet
from auditor.model.observation import Run
from auditor.model.scope import Authority, Pace, Scope
from auditor.net.engine import Engine
from auditor.net.guard import Guard
from auditor.net.interfaces import interfaces
from auditor.ourselves import seldom_tidied, tidied_seldom
from auditor.schedule import Work, collect

LISTS = {"http": (80,), "rtsp": (554,), "sdk": (8000,)}
FREE = float("inf")


def now():
    return datetime.now(UTC)


def main():
    tidied_seldom()  # as every command of the program
    with seldom_tidied():  # as every scan
        identified()


def identified():
    known = wiring.knowledge()
    hosts = Path(sys.argv[1]).read_text().split()
    targets = AddressSet.single(hosts)
    ports = frozenset(port for ports in LISTS.values() for port in ports)
    pace = Pace("bench", FREE, FREE, FREE, FREE, 4, 100, 2)
    scope = Scope(
        "BENCH", targets, AddressSet(), ports, frozenset({9100}), pace, Authority("bench", now())
    )
    probes = [probe for probe in wiring.probes() if probe.name in {"http", "rtsp", "sdk"}]
    sweeps = [sweep for sweep in wiring.sweeps() if sweep.name == "arp"]
    with tempfile.TemporaryDirectory() as folder:
        ledger = wiring.open_ledger(f"sqlite:///{folder}/ledger.db")
        ledger.start(Run("bench", "BENCH", "scan", now()))
        enough = Enough(known)  # the rule of `auditor scan`
        work = Work(
            scope, targets, sweeps, probes, LISTS, now,
            sink=lambda attempts: ledger.append("bench", attempts),
            enough=enough, needless=enough.needless,
        )  # fmt: skip
        engine = Engine(Guard(scope, clock=now), interfaces(), ())
        began = time.monotonic()
        uvloop.run(collect(work, engine, asyncio.Event()))
        asked_s = time.monotonic() - began
        ledger.finish("bench", "complete", (), now())
        named = {}
        for device in correlate(ledger.attempts()):
            identity = identify(device, known)
            named[device.ips[0]] = identity.maker.value
        ledger.close()
    for ip, maker in named.items():
        print(f"{ip} {maker}")
    print(f"asked_s={asked_s:.2f} cpu_s={time.process_time():.2f}", file=sys.stderr)


if __name__ == "__main__":
    main()
