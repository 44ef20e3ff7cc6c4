"""Sweep and SYN of six ports over a network with few live hosts: ours against the C scanners.

    python bench/sweep_slash16.py [--network 10.77.0.0/16] [--live 3277] [--runs 5] [--peers …]

All run in the same namespace against the same farm, one after the other, and the runs are
interleaved. `found` counts open ports against those that exist. Ratios compare medians of the
wall clock of whole processes, start-up included.
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

PORTS = (80, 443, 554, 8000, 8080, 37777)
TEXT = ",".join(map(str, PORTS))
NMAP = ["nmap", "-n", "-sS", "-p", TEXT, "-oG", "-", "--send-eth"]


def ours(farm, _folder):
    code = farm.run(
        [sys.executable, str(ROOT / "bench" / "sweep_once.py"), farm.network],
        capture_output=True, text=True, timeout=600, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if code.returncode:
        sys.exit(code.stderr)
    told = dict(re.findall(r"(\w+)=([\d.]+)", code.stdout))
    return int(told["open"]), int(told["sent"])


def masscan(rate):
    def run(farm, folder):
        said = folder / "masscan.txt"
        said.unlink(missing_ok=True)
        farm.run(
            ["masscan", farm.network, "-p", TEXT, "--rate", str(rate), "--wait", "2", "-oL", said,
             "--interface", "eth0", "--router-mac", "02:00:00:00:00:01"],
            capture_output=True, timeout=600,
        )  # fmt: skip
        found = set(re.findall(r"^open tcp (\d+) (\S+)", said.read_text(), re.MULTILINE))
        return len(found), None

    return run


def nmap(*how):
    def run(farm, _folder):
        out = farm.run(
            [*NMAP, *how, farm.network], capture_output=True, text=True, timeout=1200
        ).stdout
        return len(re.findall(r"\d+/open/tcp", out)), None

    return run


def pipe(farm, folder):
    """What a good administrator writes: tuned arp-scan, then nmap on those that answered."""
    out = farm.run(
        ["arp-scan", "-I", "eth0", "-B", "100M", "-r2", "-t100", "-q", "-x", farm.network],
        capture_output=True, text=True, timeout=600,
    ).stdout  # fmt: skip
    live = folder / "live.txt"
    live.write_text("\n".join(sorted({line.split()[0] for line in out.splitlines() if line})))
    out = farm.run(
        [*NMAP, "-T5", "--min-rate", "20000", "--max-retries", "1", "--min-hostgroup", "4096",
         "-iL", live],
        capture_output=True, text=True, timeout=600,
    ).stdout  # fmt: skip
    return len(re.findall(r"\d+/open/tcp", out)), None


PEERS = {
    "auditor": ours,
    "masscan 1M": masscan(1_000_000),
    "masscan 400k": masscan(400_000),
    "nmap tuned": nmap(
        "-T5", "--min-rate", "100000", "--max-retries", "1", "--min-hostgroup", "4096"
    ),
    "nmap T5": nmap("-T5", "--min-rate", "10000", "--max-retries", "1"),
    "arp-scan|nmap": pipe,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", default="10.77.0.0/16")
    parser.add_argument("--live", type=int, default=3_277)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", nargs="*", default=list(PEERS))
    said = parser.parse_args()
    took = {name: [] for name in said.peers}
    found = {name: [] for name in said.peers}
    sent = {}
    with (
        Farm.start(network=said.network, live=said.live) as farm,
        tempfile.TemporaryDirectory() as folder,
    ):
        exist = sum(port in PORTS for _, port in farm.open_ports)
        print(f"{said.network}: {said.live} live hosts, {exist} open ports of the six", flush=True)
        for number in range(said.runs):
            for name in said.peers:
                began = time.monotonic()
                try:
                    count, packets = PEERS[name](farm, Path(folder))
                except subprocess.TimeoutExpired:
                    count, packets = 0, None
                took[name].append(time.monotonic() - began)
                found[name].append(count)
                sent[name] = packets or sent.get(name)
                print(f"  run {number + 1}: {name}: {took[name][-1]:.2f} s, {count}", flush=True)
    base = statistics.median(took["auditor"]) if "auditor" in took else None
    for name in said.peers:
        median = statistics.median(took[name])
        share = [100 * count / exist for count in found[name]]
        ratio = f", {median / base:.2f} x ours" if base else ""
        packets = f", {sent[name]} packets" if sent[name] else ""
        print(
            f"{name}: median {median:.2f} s{ratio}, found {min(share):.2f}-{max(share):.2f} %{packets}"
        )

    print(f"load: {' '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
