"""Who made these live cameras? Ours against `nmap -sV`, same hosts, same ports, same run.

    python bench/identify_cameras.py [--hosts 256] [--runs 5] [--peer nmap|tuned]

`nmap` is -sV -T4; `tuned` is what an expert sets by hand for thousands of hosts. `named` counts
hosts whose maker is rightly told: for nmap, any mention of it in its report of that host. A peer
that is not done after --limit seconds is stopped; its time and the ratio are then lower bounds.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from auditor.lab.farm import Farm  # noqa: E402

PORTS = "80,554,8000"
PEERS = {
    "nmap": ["-T4"],
    "tuned": ["-T5", "--version-light", "--min-parallelism", "1000", "--min-hostgroup", "4096",
              "--max-retries", "1"],
}  # fmt: skip
KINDS = {"camera-app": 25, "camera-new": 25, "recorder": 5, "dahua": 20, "axis": 10}


def ours(farm, hosts):
    done = farm.run(
        [sys.executable, str(ROOT / "bench" / "identify_once.py"), str(hosts)],
        capture_output=True, text=True, timeout=900, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    print("   ", done.stderr.strip())
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def nmap(how, limit):
    def run(farm, hosts):
        command = ["nmap", "-n", "-Pn", "-sV", "-p", PORTS, *how, "-iL", str(hosts)]
        try:
            out = farm.run(command, capture_output=True, text=True, timeout=limit).stdout
        except subprocess.TimeoutExpired:
            return None
        reports = re.split(r"Nmap scan report for ", out)[1:]
        return {report.split()[0]: report for report in reports}

    return run


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=256)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer", choices=PEERS, default="nmap")
    parser.add_argument("--peer-runs", type=int, default=1)
    parser.add_argument("--limit", type=float, default=600)
    said = parser.parse_args()
    with (
        Farm.start(network="10.77.0.0/18", live=said.hosts, kinds=KINDS) as farm,
        tempfile.TemporaryDirectory() as folder,
    ):
        hosts = Path(folder) / "hosts.txt"
        hosts.write_text("\n".join(host.ip for host in farm.hosts))
        truth = {host.ip: host.kind.maker for host in farm.hosts if host.kind.maker}
        jobs = {
            "auditor": (ours, said.runs),
            said.peer: (nmap(PEERS[said.peer], said.limit), said.peer_runs),
        }
        medians = {}
        for name, (job, runs) in jobs.items():
            took = []
            for _ in range(runs):
                began = time.monotonic()
                found = job(farm, hosts)
                took.append(time.monotonic() - began)
            medians[name] = statistics.median(took)
            if found is None:
                print(f"{name}: not done after {medians[name]:.0f} s, stopped")
                continue
            right = sum(
                maker.lower() in str(found.get(ip, "")).lower() for ip, maker in truth.items()
            )
            print(f"{name}: median {medians[name]:.2f} s, rightly named {right} of {len(truth)}")
    least = "at least " if found is None else ""
    print(f"ratio: {least}{medians[said.peer] / medians['auditor']:.1f} x")
    print(f"load: {' '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
