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
from pathlib import Path

from auditor.errors import EnvironmentLack
from auditor.lab.farm import Farm

TOLD = "import resource,subprocess,sys;r=subprocess.run(sys.argv[1:]);print('peak_mb',resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss//1024);sys.exit(r.returncode)"
PEER = ["nmap", "-sn", "-n", "-PR", "-T5", "--min-rate", "20000", "10.77.0.0/16"]


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
        began = time.perf_counter()
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
        began = time.perf_counter()
        farm.run(PEER, capture_output=True, text=True, timeout=300)
        peer = time.perf_counter() - began
        print(f"nmap -sn: {peer:.1f} s; it takes {peer / wall:.2f} times ours")


if __name__ == "__main__":
    main()
