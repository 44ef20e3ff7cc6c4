"""Fragile devices under the main job at its default pace, and under nmap -sV -T4: who survives?

    PYTHONPATH=. python bench/fragile_runs.py [--runs 100] [--peer-runs 20] [--together 16]

Every run is the whole command `auditor audit` in a department of its own with fresh devices,
several departments side by side. Each device dies of more than 4 connections in a second, 2 open
at a time or 30 in all, of a reset, of a malformed request, of garbage to a TLS port and of a
connection to a port that no list names. nmap asks the same ports of the same devices.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from auditor import authority, wiring  # noqa: E402
from auditor.lab.department import Department  # noqa: E402

LISTS, _ = authority.port_lists(wiring.DATA / "ports.toml")
PORTS = sorted({port for ports in LISTS.values() for port in ports})
NETWORK = "10.20.1.0/28"
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
PATIENCE_S = 400


def page(port, **more):
    head = "HTTP/1.1 200 OK\nServer: thing\nContent-Type: text/html\nContent-Length: $length\n"
    return {
        "kind": "http",
        "port": port,
        "routes": [{"head": head, "body": "<title>A thing</title>"}],
        **more,
    }


def banner(port, text):
    return {"kind": "banner", "port": port, "text": text, "quiet": True}


DEVICES = {
    "camera": {"persona": ("hik-app", "sadp-description"), "mac": "c0:56:e3:00:00:01"},
    "web server": {"persona": "bare-webserver"},
    "talkative": {
        "services": [
            *(page(port) for port in LISTS["http"]),
            *(page(port, tls="plain") for port in LISTS["https"]),
            *(banner(*said) for said in ((21, "220 thing\n"), (22, "SSH-2.0-thing\n"))),
            *(banner(*said) for said in ((23, "thing login: "), (8000, "hello\n"))),
        ]
    },
    "firewalled": {"services": [{"kind": "shut", "ports": PORTS}]},
}


def fresh():
    devices = [{"name": name, "fragile": {}, **more} for name, more in DEVICES.items()]
    return Department.of(devices, [NETWORK], {"plain": {"subject": "CN=thing"}})


def ours(lab, folder):
    """Run the audit; give how it went wrong, if it did, and whether the camera was named."""
    words = ["--db", f"sqlite:///{folder}/ledger.db", "audit", NETWORK, "--site", "Fragile"]
    command = [sys.executable, "-m", "auditor", *words, "--out", f"{folder}/out"]
    run = lab.run(command, capture_output=True, text=True, env=ENV, timeout=PATIENCE_S)
    if run.returncode not in {0, 1, 3} or ": complete;" not in run.stderr:
        return run.stderr[-500:] or f"exit {run.returncode}", False
    report = json.loads(Path(folder, "out", "report.json").read_text())
    named = [d for d in report["devices"] if d["maker"] and d["standing"] == "confirmed"]
    return "", len(named) == 1


def nmap(lab, _folder):
    ports = ",".join(map(str, PORTS))
    command = ["nmap", "-sV", "-T4", "-n", "-p", ports, NETWORK]
    run = lab.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    return "" if run.returncode == 0 else run.stderr[-500:], False


def once(job):
    """One run against fresh devices; give what it was and what the devices witnessed."""
    with tempfile.TemporaryDirectory() as folder, fresh() as lab:
        began = time.monotonic()
        try:
            wrong, named = job(lab, folder)
        except subprocess.TimeoutExpired:
            wrong, named = f"took more than {PATIENCE_S} s", False
        return wrong, named, lab.report(), time.monotonic() - began


def told(name, runs):
    """Print the figures of one tool; give how many runs everybody survived."""
    survived = sum(not wrong and not report["dead"] for wrong, _, report, _ in runs)
    devices = [device for _, _, report, _ in runs for device in report["devices"].values()]
    alive = sum(not device["dead"] for device in devices)
    print(f"{name}: survived {survived} of {len(runs)} runs, {alive} of {len(devices)} devices")
    most = {key: max(d[key] for d in devices) for key in ("syns", "syn_peak_per_s", "open_peak")}
    resets = sum(device["resets"] for device in devices)
    repeats = sum(device["syn_repeats"] for device in devices)
    calls = [c["peak_per_30s"] for _, _, r, _ in runs for c in r["sent"]["calls"].values()]
    print(
        f"  to one device at most {most['syns']} connections, {most['syn_peak_per_s']} a second, "
        f"{most['open_peak']} open; in all {resets} resets, {repeats} repeated SYNs; questions to everybody in 30 s at "
        f"most {max(calls, default=0)}; a run took {max(took for *_, took in runs):.0f} s at most"
    )
    for why, count in Counter(d["dead"] for d in devices if d["dead"]).most_common(6):
        print(f"  died of {why}: {count}")
    for wrong in {wrong for wrong, *_ in runs if wrong}:
        print(f"  went wrong: {wrong}")
    return survived


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--runs", type=int, default=100)
    asked.add_argument("--peer-runs", type=int, default=20)
    asked.add_argument("--together", type=int, default=16, help="departments side by side")
    options = asked.parse_args()
    began = time.monotonic()
    with ThreadPoolExecutor(options.together) as side_by_side:
        mine = []
        for run in side_by_side.map(once, [ours] * options.runs):
            mine.append(run)
            print(f"\r{len(mine)} of {options.runs} runs", end="", file=sys.stderr)
        peers = options.peer_runs if shutil.which("nmap") else 0
        theirs = list(side_by_side.map(once, [nmap] * peers))
    survived = told("auditor audit, default pace", mine)
    print(f"  the camera was named and confirmed in {sum(named for _, named, *_ in mine)} runs")
    if theirs:
        told("nmap -sV -T4", theirs)
    print(f"survived {survived} of {options.runs} ({time.monotonic() - began:.0f} s in all)")
    sys.exit(survived != options.runs)


if __name__ == "__main__":
    main()
