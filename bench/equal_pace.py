"""Time and packets at an equal pace: a whole scan of ours against `nmap -sS -sV`, same ports.

    PYTHONPATH=. python bench/equal_pace.py [--network 10.77.0.0/20] [--live 205] [--pace 1000]
                                            [--peer none]

Packets are all frames that left the scanner's interface, those of the kernel included, counted by
the interface. `named` counts hosts whose maker is rightly told. Ours is `auditor scan --pace`: time
against packets divided by the pace says how much of the time it did not use its pace.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from auditor.errors import EnvironmentLack  # noqa: E402
from auditor.lab.farm import Farm  # noqa: E402

PORTS = (80, 443, 554, 8000, 8080, 37777)
GROUPS = (1900, 3702, 5353, 37020, 37810)  # where whole segments are asked
KINDS = {"camera-app": 25, "camera-new": 25, "recorder": 5, "dahua": 20, "axis": 10, "reolink": 5}
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}


def left(farm):
    """How many frames have left the scanner's interface."""
    told = farm.run(["ip", "-s", "-j", "link", "show", "eth0"], capture_output=True, text=True)
    return json.loads(told.stdout)[0]["stats64"]["tx"]["packets"]


def ours(farm, folder, pace, _limit):
    db = folder / f"{time.monotonic_ns()}.db"
    scope = folder / "scope.toml"
    scope.write_text(
        f'site = "BENCH"\nnetworks = ["{farm.network}"]\nports = {[*PORTS, *GROUPS]}\npace = {pace}\n'
    )
    auditor = [sys.executable, "-m", "auditor", "--db", f"sqlite:///{db}", "-q"]
    done = farm.run(
        [*auditor, "scan", "--scope", str(scope)],
        capture_output=True, text=True, timeout=900, env=ENV,
    )  # fmt: skip
    took = time.monotonic()
    if done.returncode not in {0, 3}:
        sys.exit(done.stderr)
    listed = subprocess.run(
        [*auditor, "devices", "--json"], capture_output=True, text=True, env=ENV, check=True
    )
    devices = [json.loads(line) for line in listed.stdout.splitlines()]
    return took, {ip: str(device["maker"]) for device in devices for ip in device["ips"]}


def nmap(farm, _folder, pace, limit):
    command = ["nmap", "-n", "-sS", "-sV", "-T4", "--max-rate", str(pace),
               "-p", ",".join(map(str, PORTS)), farm.network]  # fmt: skip
    try:
        out = farm.run(command, capture_output=True, text=True, timeout=limit).stdout
    except subprocess.TimeoutExpired as late:
        out = (late.stdout or b"").decode()
        print(f"  nmap: not done after {limit} s, stopped: what it sent is a lower bound")
    took = time.monotonic()
    reports = re.split(r"Nmap scan report for ", out)[1:]
    return took, {report.split()[0]: report for report in reports}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", default="10.77.0.0/20")
    parser.add_argument("--live", type=int, default=205)
    parser.add_argument("--pace", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer-runs", type=int, default=1)
    parser.add_argument("--peer", choices=("nmap", "none"), default="nmap")
    parser.add_argument("--limit", type=float, default=400)
    said = parser.parse_args()
    jobs = {"auditor": (ours, said.runs), "nmap": (nmap, said.peer_runs)}
    if said.peer == "none":
        del jobs["nmap"]
    elif not shutil.which("nmap"):
        print("nmap: skipped, because the program is not installed")
        del jobs["nmap"]
    each = {}
    try:
        farm = Farm.start(network=said.network, live=said.live, kinds=KINDS, chatter=0)
    except EnvironmentLack as lack:
        print(f"skipped, because {lack.what}")
        return
    with farm, tempfile.TemporaryDirectory() as folder:
        truth = {host.ip: host.kind.maker for host in farm.hosts if host.kind.maker}
        for name, (job, runs) in jobs.items():
            rows = []
            for _ in range(runs):
                before, began = left(farm), time.monotonic()
                ended, found = job(farm, Path(folder), said.pace, said.limit)
                packets = left(farm) - before
                right = sum(
                    maker.lower() in found.get(ip, "").lower() for ip, maker in truth.items()
                )
                rows.append((ended - began, packets, right))
                took, full = rows[-1][0], packets / said.pace
                print(
                    f"  {name}: {took:.2f} s, {packets} packets ({full:.2f} s at that pace: "
                    f"{took / full:.2f} x), rightly named {right} of {len(truth)}", flush=True
                )  # fmt: skip
            each[name] = [statistics.median(column) for column in zip(*rows, strict=True)]
    for name, (took, packets, right) in each.items():
        per = packets / max(1, right)
        print(f"{name}: median {took:.2f} s, {packets:.0f} packets, {per:.1f} per named device")
    if len(each) == 2:
        (_, mine, my_right), (_, its, its_right) = each.values()
        ratio = its / max(1, its_right) / (mine / max(1, my_right))
        print(f"ratio: nmap sends {ratio:.2f} x as many packets per rightly named device")
    print(f"load: {' '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
