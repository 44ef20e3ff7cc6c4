"""What hostile hosts cost honest ones: the same 100 hosts alone, and among 1,000 hostile ones.

    PYTHONPATH=. python bench/hostile_peers.py [--honest N] [--hostile N] [--pace PPS] [--rounds N]

Runs the real command in real namespaces. Measures from the ledger when each honest host was
done (the end of the last conversation with it), counted from the start of the scan. A third farm
has as many more hosts that are not hostile, and says what mere company costs at that pace. The
peer is a plain program of 200 threads that asks the same hosts two questions (HTTP, RTSP).

Goals: the last honest host is done at most 1.10 times as late as alone; no conversation takes
longer than 6 s; every hostile host has a recorded outcome. The process itself ends only after it
has looked again, a minute later, at whoever broke off; that time is printed too.
"""

import argparse
import statistics
import sys
import tempfile
import time
from datetime import timedelta

from auditor.errors import EnvironmentLack
from auditor.lab.farm import Farm
from auditor.lab.farm_plan import HOSTILE
from auditor.model.coverage_note import INCIDENT
from auditor.store.ledger import Ledger

NETWORK, SEED = "10.78.0.0/20", 3
PEER = """
import concurrent.futures, json, socket, sys, time
hosts = json.load(sys.stdin)
began, ended = time.monotonic(), {}
def ask(ip):
    for port, words in ((80, b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"),
                        (554, b"OPTIONS * RTSP/1.0\\r\\nCSeq: 1\\r\\n\\r\\n")):
        until = time.monotonic() + 5
        try:
            with socket.create_connection((ip, port), 2) as own:
                own.sendall(words)
                got = b""
                while len(got) < 16384 and (left := until - time.monotonic()) > 0:
                    own.settimeout(min(2, left))
                    piece = own.recv(4096)
                    got += piece
                    if not piece or (b"\\r\\n\\r\\n" in got and b"made-up" not in got):
                        break
        except OSError:
            pass
    ended[ip] = time.monotonic() - began
with concurrent.futures.ThreadPoolExecutor(200) as pool:
    list(pool.map(ask, hosts))
json.dump(ended, sys.stdout)
"""


def scan(farm, pace):
    """Scan the whole network once; give what the ledger tells of it."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        words = ["--db", url, "scan", NETWORK, "--pace", str(pace)]
        began = time.perf_counter()
        ended = farm.run(
            [sys.executable, "-m", "auditor", *words], capture_output=True, text=True, timeout=400
        )
        wall_s = time.perf_counter() - began
        if "complete" not in ended.stderr:
            raise SystemExit(ended.stderr)
        with Ledger.open(url) as ledger:
            (run,) = ledger.runs()
            return read(farm, run, [stored.attempt for stored in ledger.attempts()]) | {
                "process": wall_s
            }


def read(farm, run, attempts):
    """Find out when each honest host was done, and how each hostile one ended."""
    honest = {h.ip for h in farm.hosts if h.kind.name != "hostile"}
    hostile = {h.ip: h.manner for h in farm.hosts if h.ip not in honest}
    talks = [a for a in attempts if a.endpoint.ip and a.endpoint.transport == "tcp"]
    talks = [a for a in talks if a.tool not in {"syn", INCIDENT}]
    done, first, outcomes = {}, min(a.started for a in talks), {}
    for a in talks:
        end = a.started + timedelta(seconds=a.elapsed_s)
        if a.endpoint.ip in honest:
            done[a.endpoint.ip] = max(done.get(a.endpoint.ip, end), end)
        else:
            outcomes.setdefault(hostile[a.endpoint.ip], set()).add(a.outcome.value)
    told = {a.endpoint.ip for a in talks}
    ends = sorted((end - run.started).total_seconds() for end in done.values())
    return {
        "last": ends[-1], "median": statistics.median(ends), "asked": len(done),
        "sweeps": (first - run.started).total_seconds(),
        "longest": max(a.elapsed_s for a in talks),
        "silent_about": len([ip for ip in hostile if ip not in told]), "outcomes": outcomes,
    }  # fmt: skip


def grab(farm):
    """Let the peer ask the same hosts; when was the last honest one done?"""
    import json

    hosts = [h.ip for h in farm.hosts]
    honest = {h.ip for h in farm.hosts if h.kind.name != "hostile"}
    ended = farm.run(
        [sys.executable, "-c", PEER], input=json.dumps(hosts), capture_output=True, text=True
    )
    return max(at for ip, at in json.loads(ended.stdout).items() if ip in honest)


def main():
    """Measure all in one run."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--honest", type=int, default=100)
    asked.add_argument("--hostile", type=int, default=1_000)
    asked.add_argument("--pace", type=float, default=300_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--company", action="store_true", help="also as many plain hosts instead")
    said = asked.parse_args()
    farms = {"alone": {"hostile": 0}, "hostile": {"hostile": said.hostile}}
    if said.company:
        farms["company"] = {"hostile": said.hostile, "hostile_manners": ("plain",)}
    runs, peers = {name: [] for name in farms}, {name: [] for name in farms}
    for number in range(said.rounds):
        for name, knobs in farms.items():
            with Farm.start(network=NETWORK, live=said.honest, seed=SEED, **knobs) as farm:
                time.sleep(0.5)
                runs[name].append(scan(farm, said.pace))
                peers[name].append(grab(farm))
            one = runs[name][-1]
            print(f"{number} {name}: sweeps {one['sweeps']:.2f} s, honest median "
                  f"{one['median']:.2f} s, last {one['last']:.2f} s, longest talk "
                  f"{one['longest']:.2f} s, process {one['process']:.1f} s, hostile without "
                  f"outcome {one['silent_about']}, peer {peers[name][-1]:.2f} s")  # fmt: skip
    for manner in HOSTILE:
        print(f"  {manner}: {', '.join(sorted(runs['hostile'][-1]['outcomes'].get(manner, ())))}")
    for name in list(farms)[1:]:
        for figure in ("last", "median"):
            base = statistics.median(run[figure] for run in runs["alone"])
            among = statistics.median(run[figure] for run in runs[name])
            print(f"{name} / alone, {figure} honest host: {among:.2f} / {base:.2f} s = "
                  f"{among / base:.2f}")  # fmt: skip
        base, among = (statistics.median(peers[n]) for n in ("alone", name))
        print(f"{name} / alone, threads of 200: {among:.2f} / {base:.2f} s = {among / base:.1f}")


if __name__ == "__main__":
    try:
        main()
    except EnvironmentLack as lack:
        print(f"skipped, because {lack.what}")
