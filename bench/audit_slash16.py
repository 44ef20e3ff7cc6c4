"""The whole `auditor audit` of a /16 with thousands of live devices, to the finished report.

    PYTHONPATH=. python bench/audit_slash16.py [--live N] [--pace PPS]

Prints wall time and peak memory, and for a peer the time of `nmap -sn` over the same network
in the same run, which only says who is there.
"""

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auditor.errors import EnvironmentLack
from auditor.lab.farm import Farm
from auditor.store.ledger import Ledger

TOLD = "import resource,subprocess,sys;r=subprocess.run(sys.argv[1:]);print('peak_mb',resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss//1024);sys.exit(r.returncode)"
PROBES = {"http", "https", "rtsp", "tls", "sdk", "ssh", "telnet", "ftp", "sip", "upnp"}
PEER = ["nmap", "-sn", "-n", "-PR", "-T5", "--min-rate", "20000", "10.77.0.0/16"]


def where(db: str, began: datetime, wall: float) -> str:
    """Say where the time went, by what the ledger tells of the run and its parts."""
    with Ledger.open(db) as ledger:
        (run,) = ledger.runs()
        parts: dict[str, float] = {}
        first = last = None
        for attempt in (stored.attempt for stored in ledger.attempts()):
            ended = attempt.started + timedelta(seconds=attempt.elapsed_s)
            if attempt.endpoint.ip is None:
                parts[attempt.tool] = parts.get(attempt.tool, 0.0) + attempt.elapsed_s
            elif attempt.tool in PROBES:
                first, last = (
                    min(first or attempt.started, attempt.started),
                    max(last or ended, ended),
                )
    scan = (run.ended - run.started).total_seconds()
    start = (run.started - began).total_seconds()
    probes = (last - first).total_seconds() if first else 0.0
    told = ", ".join(f"{tool} {took:.1f}" for tool, took in sorted(parts.items()) if took >= 0.05)
    return (
        f"where it goes (s): start {start:.1f}; scan {scan:.1f} ({told}; probes {probes:.1f}; groups "
        f"run beside the others); assess and report {wall - start - scan:.1f}"
    )


def main() -> None:
    """Measure both in one run."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--live", type=int, default=3000)
    asked.add_argument("--pace", type=float, default=300_000)
    options = asked.parse_args()
    try:
        farm = Farm.start(network="10.77.0.0/16", live=options.live)
    except EnvironmentLack as lack:
        print(f"skipped, because {lack.what}")
        return
    with farm, tempfile.TemporaryDirectory() as folder:
        words = ["--db", f"sqlite:///{folder}/bench.db", "audit", "10.77.0.0/16"]
        words += ["--pace", str(options.pace), "--out", str(Path(folder) / "out")]
        began, moment = time.perf_counter(), datetime.now(UTC)
        ours = farm.run(
            [sys.executable, "-c", TOLD, sys.executable, "-m", "auditor", *words],
            capture_output=True,
            text=True,
            env=dict(os.environ),
            timeout=300,
        )
        wall = time.perf_counter() - began
        print(ours.stdout.strip())
        print(f"auditor audit: {wall:.1f} s, exit {ours.returncode}")
        print(where(words[1], moment, wall))
        began = time.perf_counter()
        farm.run(PEER, capture_output=True, text=True, timeout=300)
        peer = time.perf_counter() - began
        print(f"nmap -sn: {peer:.1f} s; it takes {peer / wall:.2f} times ours")


if __name__ == "__main__":
    main()
