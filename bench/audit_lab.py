"""The main job on the simulated department against nmap -sS and -sV on the same hosts.

    PYTHONPATH=. python bench/audit_lab.py [--pace N] [--limit-s S]

nmap looks at the ports that the auditor asks, on the addresses that answer ARP. nmap ends
with services; the auditor ends with a ledger, verdicts and reports in two languages.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from auditor import authority, wiring
from auditor.errors import EnvironmentLack
from auditor.lab.department import Department


def timed(lab: Department, command: list[str], limit_s: float) -> tuple[float, str]:
    """Run a command in the department; give its wall time and how it ended."""
    began = time.perf_counter()
    try:
        run = lab.run(
            command, capture_output=True, text=True, timeout=limit_s, env=dict(os.environ)
        )
    except subprocess.TimeoutExpired:
        return limit_s, f"stopped after {limit_s:.0f} s: the ratio is a lower bound"
    return time.perf_counter() - began, f"exit {run.returncode}"


def main() -> None:
    """Measure all in one run and print ratios."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pace", type=float, default=3000.0)
    asked.add_argument("--limit-s", type=float, default=400.0)
    options = asked.parse_args()
    try:
        lab = Department.start()
    except EnvironmentLack as lack:
        print(f"skipped, because {lack.what}")
        return
    lists, _ = authority.port_lists(wiring.DATA / "ports.toml")
    ports = ",".join(str(port) for port in sorted({p for ports in lists.values() for p in ports}))
    with lab, tempfile.TemporaryDirectory() as folder:
        ours = [sys.executable, "-m", "auditor", "--db", f"sqlite:///{folder}/bench.db", "audit"]
        ours += [*lab.networks, "--pace", str(options.pace), "--out", str(Path(folder) / "out")]
        wall, how = timed(lab, ours, options.limit_s)
        print(f"auditor audit (scan, ledger, verdicts, two reports): {wall:.1f} s, {how}")
        if not shutil.which("nmap"):
            print("nmap: skipped, because it is not installed")
            return
        common = ["nmap", "-n", "-p", ports, *lab.networks]
        for name, more in (
            ("nmap -sS -T4", ["-sS", "-T4"]),
            ("nmap -sS -sV -T4", ["-sS", "-sV", "-T4"]),
        ):
            peer, ended = timed(lab, [*common, *more], options.limit_s)
            print(f"{name}: {peer:.1f} s, {ended}; it takes {peer / wall:.2f} times ours")


if __name__ == "__main__":
    main()
