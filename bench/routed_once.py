"""One look at a farm behind a router, as a process of its own; prints one line.

python bench/routed_once.py NETWORK raw|connect [PACE]
"""

import asyncio
import os
import sys
import time
from datetime import UTC, datetime

from auditor import wiring
from auditor.model.address import AddressSet
from auditor.model.observation import Outcome
from auditor.model.scope import Authority, Pace, Scope
from auditor.net.engine import Engine
from auditor.net.guard import Guard
from auditor.net.interfaces import interfaces
from auditor.plugins import Medium
from auditor.schedule import Work, collect

PORTS = (80, 443, 554, 8000, 8080, 37777)


def main():
    network, how = sys.argv[1], sys.argv[2]
    cap = float(sys.argv[3]) if len(sys.argv) > 3 else float("inf")
    targets, now = AddressSet.parse([network]), datetime.now(UTC)
    pace = Pace("normal", cap, cap, cap, float("inf"), 100, 10_000, 2)
    scope = Scope(
        "BENCH", targets, AddressSet(), frozenset(PORTS), frozenset({9100}), pace,
        Authority("bench", now),
    )  # fmt: skip
    journal, found = [], []
    guard = Guard(scope, clock=lambda: datetime.now(UTC), journal=journal.append)
    engine = Engine(guard, interfaces(), PORTS)
    engine.raw = how == "raw"
    wanted = {Medium.FRAME, Medium.CONNECT} if how == "raw" else {Medium.CONNECT}
    work = Work(
        scope=scope,
        targets=targets,
        sweeps=[sweep for sweep in wiring.sweeps() if sweep.medium in wanted],
        probes=(),
        lists={"knock": PORTS},
        clock=lambda: datetime.now(UTC),
        sink=found.extend,
    )
    began = time.monotonic()
    asyncio.run(collect(work, engine, asyncio.Event()))
    took = time.monotonic() - began
    there = {a.endpoint.ip for a in found if a.endpoint.ip and a.outcome.is_knowledge}
    opened = {
        (a.endpoint.ip, a.endpoint.port)
        for a in found
        if a.tool == "syn" and a.endpoint.ip and a.outcome is Outcome.ANSWERED
    }
    sent = sum(entry.count for entry in journal)
    cpu = sum(os.times()[:2])
    print(f"live={len(there)} open={len(opened)} sent={sent} took_s={took:.2f} cpu_s={cpu:.2f}")


if __name__ == "__main__":
    main()
