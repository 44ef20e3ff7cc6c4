"""Kills the real command with SIGKILL in every phase, resumes it, and compares the end.

    PYTHONPATH=. python bench/killed_scans.py [--kills 50] [--chain 5] [--side 2] [--seed 7]

Each chain is one audit of a small department in namespaces of its own, killed several times,
the resumed run as well. Points are chosen by the progress that the journal shows, plus a
random moment. Prints how many kills met which phase, and every difference to a run that
nobody killed. tests/test_schedule_killed.py does the same with fewer kills.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from auditor.errors import EnvironmentLack
from auditor.lab.department import Department
from auditor.model.journal import GAP, conversations
from auditor.model.observation import Attempt, Outcome
from auditor.store.ledger import Ledger

NETWORK, EXCLUDED, HOST_TOTAL = "10.20.1.0/28", "10.20.1.9", 25
# At the default pace everybody on a segment is asked so seldom that each part takes a minute.
SLOW, QUICK = ("--pace", "40"), ("--pace", "10000")
CONNECT = ("--engine", "connect", "--pace", "100")
# Few ports, so that one audit takes seconds: each host is asked gently whatever the pace.
SCOPE = f"""
site = "Killed"
networks = ["{NETWORK}"]
exclude = ["{EXCLUDED}"]
ports = [21, 80, 443, 554, 1900, 3702, 5353, 8080, 9100, 37020, 37810]
"""
PHASES = ("starting", "arp", "ndp", "groups", "syn", "connect", "probes", "finish", "report")
PHASE_OF = {"arp": "arp", "ndp": "ndp", "syn": "syn", "connect": "connect", "icmp": "connect"}
GROUPS = ("sadp", "dhip", "onvif", "wsd", "ssdp", "mdns")
POLL_S, LIMIT_S = 0.01, 120.0
VOLATILE = {
    "id",
    "device",
    "raw_sha256",
    "first_seen",
    "last_seen",
    "started",
    "ended",
    "run",
    "attempt",
    "when",
    "generated",
}
AUDITOR = [sys.executable, "-m", "auditor"]


def web(head: str, port: int = 80) -> dict[str, Any]:
    """Give a web server that says one thing."""
    said = f"HTTP/1.1 200 OK\n{head}\nContent-Length: $length\nConnection: close\n"
    return {"kind": "http", "port": port, "routes": [{"head": said, "body": "<html></html>"}]}


def at(last: int, mac: str, *services: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Give a device of the department."""
    return {"name": f"d{last}", "ip": f"10.20.1.{last}", "mac": mac, "services": services, **more}


DEVICES = [
    at(1, "02:11:22:00:00:01", web("Server: App-webs/"), web("Server: nginx", 8080)),
    at(2, "02:11:22:00:00:02", web("Server: nginx")),
    at(3, "44:19:b6:00:00:03", silent=True),
    at(4, "02:11:22:00:00:04", persona=["onvif-hik"]),
    at(5, "02:11:22:00:00:05", {"kind": "banner", "port": 21, "text": "220 hello\n"}),
    at(6, "02:11:22:00:00:06", web("Server: debut/1.20"), {"kind": "trap", "port": 9100}),
    at(7, "02:11:22:00:00:07", {"kind": "shut", "ports": [80, 443, 554]}),
    at(9, "44:19:b6:00:00:09", web("Server: App-webs/")),
]


@dataclass(frozen=True, slots=True)
class Point:
    """Where to kill: so long after the phase was first seen."""

    phase: str
    delay_s: float


@dataclass(frozen=True, slots=True)
class Chain:
    """One audit and what became of it. deaths: the phase in which each kill met it."""

    deaths: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)


class Victim:
    """One audit in a department, as a process that is killed and taken up again."""

    def __init__(self, lab: Department, folder: Path, words: Sequence[str]) -> None:
        self.lab, self.folder, self.words = lab, folder, words
        self.db = folder / "ledger.db"
        self.kept: list[Attempt] = []
        self.chain = Chain()
        self.code = -1

    def command(self) -> list[str]:
        """Give what a person would type now."""
        if self._rows("SELECT count(*) FROM run") == 0:
            scope = self.folder / "scope.toml"
            scope.write_text(SCOPE, "utf-8")
            return ["audit", NETWORK, "--scope", str(scope), *self.words, "--out", self._out]
        return ["scan", "--resume"] if not self._ended() else ["report", "--out", self._out]

    @property
    def _out(self) -> str:
        return str(self.folder / "out")

    def _start(self, words: Sequence[str]) -> "subprocess.Popen[Any]":
        log = (self.folder / "log").open("ab")
        with log:
            return self.lab.popen(
                [*AUDITOR, "--db", f"sqlite:///{self.db}", *words],
                stdout=log, stderr=log, start_new_session=True, env=dict(os.environ),
            )  # fmt: skip

    def _rows(self, query: str) -> int:
        """Give one number of the ledger as it is; 0 where there is none yet."""
        try:
            with closing(sqlite3.connect(f"file:{self.db}?mode=ro", uri=True)) as reader:
                return int(reader.execute(query).fetchone()[0] or 0)
        except sqlite3.Error:
            return 0

    def _ended(self) -> bool:
        return self._rows("SELECT count(*) FROM closing WHERE status = 'complete'") > 0

    def phase(self) -> str:
        """Tell from the journal what the run is doing."""
        if self._ended():
            return "report"
        tool = self._newest()
        if tool in GROUPS:
            return "groups"
        return PHASE_OF.get(tool, "probes") if tool else "starting"

    def _newest(self) -> str:
        """Give the tool of the newest line of the journal: beside the ledger, or in it."""
        for spool in self.folder.glob("ledger.db-sent-*"):
            lines = spool.read_bytes().split(b"\n")[1:-1]
            if lines:
                return str(json.loads(lines[-1].split(b"\t")[2])[5])
        try:
            with closing(sqlite3.connect(f"file:{self.db}?mode=ro", uri=True)) as reader:
                row = reader.execute("SELECT doc FROM journal ORDER BY n DESC LIMIT 1").fetchone()
                return str(json.loads(row[0])[5]) if row else ""
        except sqlite3.Error:
            return ""

    def die_at(self, point: Point, wanted: int) -> bool:
        """Start what comes next and kill it at the point; False where it ended before."""
        running, until = self._start(self.command()), time.monotonic() + LIMIT_S
        began = self.chain.deaths and self._rows("SELECT count(*) FROM run") > 0
        while running.poll() is None and time.monotonic() < until:
            if self._reached(point, wanted):
                break
            time.sleep(POLL_S)
        until = time.monotonic() + point.delay_s
        while running.poll() is None and time.monotonic() < until:
            time.sleep(POLL_S / 2)
        if running.poll() is not None:
            self.code = running.returncode
            return False
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(20)
        phase = self.phase()
        phase = "resuming" if began and point.phase == "starting" else phase
        self.chain.deaths.append("finish" if point.phase == "finish" != phase else phase)
        self.examine()
        return True

    def _reached(self, point: Point, wanted: int) -> bool:
        if point.phase == "finish":
            return self._rows("SELECT count(*) FROM attempt") >= wanted - 1
        return PHASES.index(self.phase()) >= PHASES.index(point.phase)

    def examine(self) -> None:
        """Look whether all that was committed is still there, once, and the chain holds."""
        with Ledger.open(f"sqlite:///{self.db}") as ledger:
            found = [stored.attempt for stored in ledger.attempts()]
            verified = ledger.verify()
        if not verified.ok:
            self.chain.wrong.append(f"chain: {verified.first_broken}: {verified.reason}")
        if found[: len(self.kept)] != self.kept:
            self.chain.wrong.append("what was committed is not there any more")
        told = [(a.tool, a.endpoint, a.outcome, tuple(o.value for o in a.observations))
                for a in found if a.endpoint.ip and a.outcome is not Outcome.NOT_TRIED]  # fmt: skip
        twice = [key for key, count in Counter(told).items() if count > 1]
        if twice:
            self.chain.wrong.append(f"there twice: {twice[:3]}")
        self.kept = found

    def live(self) -> None:
        """Let it go on until it has ended by itself, and make the report."""
        for _ in range(5):
            words = self.command()
            running = self._start(words)
            self.code = running.wait(LIMIT_S)
            if words[0] != "scan":
                break
        self.examine()
        if self.code not in {0, 1, 3} or not self._ended():
            log = (self.folder / "log").read_text("utf-8", "replace")
            self.chain.wrong.append(f"ended with {self.code}: {log[-600:]}")
        self._weigh()
        self.chain.result.update(self.results())

    def _weigh(self) -> None:
        """Compare what the devices witnessed with scope, budgets and journal."""
        heard, wrong = self.lab.report(), self.chain.wrong
        with Ledger.open(f"sqlite:///{self.db}") as ledger:
            journal = list(ledger.journaled())
        if EXCLUDED in heard["sent"]["targets"]:
            wrong.append("somebody excluded was contacted")
        wrong += [f"violation: {each}" for each in heard["violations"]]
        wrong += [f"{ip} was spoken to {count} times" for ip, count in conversations(journal).items()
                  if count > HOST_TOTAL]  # fmt: skip
        kinds = heard["sent"]["kinds"]
        if self.words == SLOW and kinds["arp"]["peak_per_s"] > 41:
            wrong.append(f"{kinds['arp']['peak_per_s']} ARP frames in a second")
        syns = sum(s.count for s in journal if s.kind == "syn" or (s.kind == "tcp" and not s.size))
        more = kinds["tcp-syn"]["frames"] - syns
        # whoever does not answer the kernel's ARP is never sent the SYN that we asked for
        unsent = more < 0 and self.words == CONNECT
        if not unsent and not 0 <= more <= len(self.chain.deaths):
            wrong.append(f"{more} connections are not in the journal")
        wrong += ["the journal says that it lacks lines" for s in journal if s.kind == GAP]
        if left := [path.name for path in self.folder.glob("*-sent-*")]:
            wrong.append(f"left behind: {left}")

    def results(self) -> dict[str, Any]:
        """Give devices, coverage and findings without moments and numbers of rows."""
        said: dict[str, Any] = {}
        for words in (["devices", "--json"], ["coverage", "--json"]):
            done = subprocess.run(
                [*AUDITOR, "--db", f"sqlite:///{self.db}", *words],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            said[words[0]] = [steady(json.loads(line)) for line in done.stdout.splitlines()]
        report = json.loads((self.folder / "out/report.json").read_text("utf-8"))
        said["findings"] = sorted(json.dumps(steady(f), sort_keys=True) for f in report["findings"])
        checked = subprocess.run([*AUDITOR, "verify", self._out], capture_output=True, check=False)
        if checked.returncode:
            self.chain.wrong.append(f"report: {checked.stdout.decode()[-300:]}")
        return said


def steady(value: Any) -> Any:
    """Leave out of a value what differs between any two runs."""
    if isinstance(value, dict):
        return {k: steady(v) for k, v in sorted(value.items()) if k not in VOLATILE}
    if isinstance(value, list):
        return sorted((steady(item) for item in value), key=json.dumps)
    return value


def points(kills: int, dice: random.Random, words: tuple[str, ...]) -> list[Point]:
    """Choose where one chain is killed, in the order in which a run comes by."""
    own = {QUICK: ["syn"], CONNECT: ["connect"]}.get(words, ["arp"])
    phases = ["arp", "groups", "probes", "ndp", "finish", "report"]
    chosen = own + [dice.choice(phases) for _ in range(kills - kills // 4 - 1)]
    chosen.sort(key=PHASES.index)
    made = [Point(phase, dice.uniform(0.0, 0.02 if phase == "finish" else 0.6)) for phase in chosen]
    for _ in range(kills // 4):  # a run that was just started, or taken up
        made.insert(dice.randrange(len(made) + 1), Point("starting", dice.uniform(0.1, 2.0)))
    return made


def one(
    folder: Path, chosen: Sequence[Point], words: Sequence[str], wanted: Callable[[], int]
) -> Chain:
    """Play one chain in a department of its own."""
    folder.mkdir()
    with Department.of(DEVICES, [NETWORK]) as lab:
        victim = Victim(lab, folder, words)
        for point in chosen:
            victim.die_at(point, wanted() if point.phase == "finish" else 0)
        victim.live()
    return victim.chain


def played(
    folder: Path,
    kills: int,
    chain: int,
    side: int,
    seed: int,
    paces: Sequence[tuple[str, ...]] = (SLOW, QUICK, CONNECT),
) -> list[Chain]:
    """Play all chains and a run that nobody kills for each pace; compare their ends."""
    dice, many = random.Random(seed), len(paces)
    plans = [
        points(min(chain, kills - first), dice, paces[number % many])
        for number, first in enumerate(range(0, kills, chain))
    ]
    with ThreadPoolExecutor(side) as pool:
        whole = [
            pool.submit(one, folder / f"whole{n}", (), paces[n], lambda: 0) for n in range(many)
        ]

        def wanted(number: int) -> int:
            whole[number % many].result()
            return attempts_in(folder / f"whole{number % many}/ledger.db")

        killed = [
            pool.submit(one, folder / f"chain{number}", plan, paces[number % many],
                        partial(wanted, number))
            for number, plan in enumerate(plans)
        ]  # fmt: skip
        ends = [each.result() for each in killed]
    for number, end in enumerate(ends):
        for name, said in whole[number % many].result().result.items():
            if end.result.get(name) != said:
                end.wrong.append(f"{name} differ: {difference(said, end.result.get(name))}")
    return [*(each.result() for each in whole), *ends]


def attempts_in(db: Path) -> int:
    """Count the attempts of a ledger."""
    with Ledger.open(f"sqlite:///{db}") as ledger:
        return ledger.counts()["attempt"]


def difference(wanted: Any, found: Any) -> str:
    """Show the first place where two lists differ."""
    for one_, other in zip(wanted or [], found or [], strict=False):
        if one_ != other:
            here, there = json.dumps(one_), json.dumps(other)
            at_ = next((n for n, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), 0)
            return f"…{here[max(0, at_ - 200) : at_ + 200]} became {there[at_ : at_ + 200]}"
    return f"{len(wanted or [])} became {len(found or [])}"


def main() -> None:
    """Kill, resume, compare, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=50)
    asked.add_argument("--chain", type=int, default=5, help="kills of one audit")
    asked.add_argument("--side", type=int, default=2, help="audits at a time")
    asked.add_argument("--seed", type=int, default=7)
    options = asked.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            ends = played(Path(folder), options.kills, options.chain, options.side, options.seed)
        except EnvironmentLack as lack:
            print(f"skipped, because {lack.what}")
            return
    met = Counter(phase for end in ends for phase in end.deaths)
    for phase in (*PHASES[:1], "resuming", *PHASES[1:]):
        print(f"{phase:10} {met[phase]:3} kills")
    wrong = [f"audit {number}: {said}" for number, end in enumerate(ends) for said in end.wrong]
    print(f"{met.total()} kills in {len(ends)} audits, {time.monotonic() - began:.0f} s: "
          + (f"{len(wrong)} things wrong" if wrong else "each ended as if nobody had been killed"))  # fmt: skip
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
