"""A network behind a router: who is there and which of six ports are open; ours and the C scanners.

    python bench/sweep_routed.py [--network 10.77.0.0/16] [--live 3277] [--runs 3] [--peers …]

All run in the same namespace against the same farm behind the same router, one after the other,
interleaved. `found` counts open ports against those that exist (for `connect`, which finds ports
later by its probes, hosts). Packets are those that reached the farm. Ratios compare medians of
the wall clock of whole processes, start-up included.
"""

import argparse
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

from auditor.lab.farm import Farm  # noqa: E402
from auditor.lab.farm_plan import GATEWAY  # noqa: E402

PORTS = (80, 443, 554, 8000, 8080, 37777)
TEXT = ",".join(map(str, PORTS))
LONGEST_S = 460


def ours(how):
    def run(farm, _folder):
        said = farm.run(
            [sys.executable, str(ROOT / "bench" / "routed_once.py"), farm.network, how],
            capture_output=True, text=True, timeout=LONGEST_S, env={"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        if said.returncode:
            sys.exit(said.stderr)
        told = dict(re.findall(r"(\w+)=([\d.]+)", said.stdout))
        return int(told["open" if how == "raw" else "live"])

    return run


def nmap(*how):
    def run(farm, _folder):
        out = farm.run(
            ["nmap", "-n", "-sS", "-p", TEXT, "-oG", "-", *how, farm.network],
            capture_output=True, text=True, timeout=LONGEST_S,
        ).stdout  # fmt: skip
        return len(re.findall(r"\d+/open/tcp", out))

    return run


def masscan(rate):
    def run(farm, folder):
        near = farm.run(["ip", "neigh", "show", GATEWAY], capture_output=True, text=True).stdout
        mac = re.search(r"lladdr (\S+)", near)
        said = folder / "masscan.txt"
        said.unlink(missing_ok=True)
        farm.run(
            ["masscan", farm.network, "-p", TEXT, "--rate", str(rate), "--wait", "2", "-oL", said,
             "--interface", "eth0", "--router-mac", mac[1] if mac else "ff:ff:ff:ff:ff:ff"],
            capture_output=True, timeout=LONGEST_S,
        )  # fmt: skip
        return len(set(re.findall(r"^open tcp (\d+) (\S+)", said.read_text(), re.MULTILINE)))

    return run


PEERS = {
    "auditor raw": ours("raw"),
    "auditor connect": ours("connect"),
    "nmap T5 10k": nmap("-T5", "--min-rate", "10000", "--max-retries", "1"),
    "nmap T5 100k": nmap(
        "-T5", "--min-rate", "100000", "--max-retries", "1", "--min-hostgroup", "4096"
    ),
    "masscan 100k": masscan(100_000),
    "masscan 400k": masscan(400_000),
}


def received(farm):
    return farm.report()["received"]["ipv4"]["frames"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", default="10.77.0.0/16")
    parser.add_argument("--live", type=int, default=3_277)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers", nargs="*", default=list(PEERS))
    said = parser.parse_args()
    peers = []
    for name in said.peers:
        if name.startswith("auditor") or shutil.which(name.split()[0]):
            peers.append(name)
        else:
            print(f"{name}: skipped, because {name.split()[0]} is not installed")
    took, found, sent = ({name: [] for name in peers} for _ in range(3))
    with (
        Farm.start(network=said.network, live=said.live, routed=True) as farm,
        tempfile.TemporaryDirectory() as folder,
    ):
        exist = sum(port in PORTS for _, port in farm.open_ports)
        print(f"{said.network}: {said.live} live hosts, {exist} open ports of the six", flush=True)
        for number in range(said.runs):
            for name in peers:
                before, began = received(farm), time.monotonic()
                try:
                    count = PEERS[name](farm, Path(folder))
                except subprocess.TimeoutExpired:
                    count = 0
                took[name].append(time.monotonic() - began)
                all_there = said.live if name == "auditor connect" else exist
                found[name].append(100 * count / all_there)
                sent[name].append(received(farm) - before)
                print(f"  run {number + 1}: {name}: {took[name][-1]:.2f} s, {count}", flush=True)
    base = statistics.median(took[peers[0]])
    for name in peers:
        median = statistics.median(took[name])
        print(
            f"{name}: median {median:.2f} s, {median / base:.2f} x {peers[0]}, found "
            f"{min(found[name]):.2f}-{max(found[name]):.2f} %, "
            f"{statistics.median(sent[name]):.0f} packets"
        )
    print(f"load: {' '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
