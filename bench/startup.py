"""How long `auditor --help` takes, as a ratio to the bare interpreter and to `nmap --help`.

PYTHONPATH=. python bench/startup.py [--runs N]
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time


def seconds(command: list[str], runs: int) -> float:
    """Give the median wall time of a command; the first run warms the caches and is left out."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    took = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        took.append(time.perf_counter() - began)
    return statistics.median(took[1:])


def main() -> None:
    """Measure all in one run and print ratios."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--runs", type=int, default=15)
    runs = asked.parse_args().runs
    ours = seconds([sys.executable, "-m", "auditor", "--help"], runs)
    bare = seconds([sys.executable, "-c", "pass"], runs)
    print(f"auditor --help: median {ours * 1000:.0f} ms of {runs} runs")
    print(f"python -c pass: median {bare * 1000:.0f} ms; ours takes {ours / bare:.1f} times that")
    if not shutil.which("nmap"):
        print("nmap --help: skipped, because nmap is not installed")
        return
    peer = seconds(["nmap", "--help"], runs)
    print(f"nmap --help: median {peer * 1000:.0f} ms; ours takes {ours / peer:.1f} times that")


if __name__ == "__main__":
    main()
