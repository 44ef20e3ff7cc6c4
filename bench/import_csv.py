"""How fast a long asset list is imported, against the barest loop that could store it.

    python bench/import_csv.py [--rows 1000000] [--runs 3] [--growth]

The list has eight columns and hardware addresses written in six ways. `bare` is csv + sqlite3
executemany over the same file into one table with one index, hardware addresses normalised;
`import` is the real command, `auditor import LIST`: recognised, mapped, checked cell by cell,
provenance, indexes and hash chain, all or nothing. Each runs in a process of its own, one
after the other; prints rows per second, the ratio of the same run, and peak memory.
--growth: afterwards imports 1,000 rows into the full ledger and into an empty one.
"""

import argparse
import csv
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEADINGS = ("Asset Tag", "Name", "IP Address", "MAC Address", "Serial Number", "Manufacturer",
            "Location", "Purchase Date")  # fmt: skip
MAKERS = ("Acme Cameras", "Beispiel AG", "Caméras Dupont", "", "Delta Vision")
DELETED = str.maketrans("", "", ":-. ")
LEAST_RATIO = 0.5
MOST_MB = 200


def write_list(path: Path, rows: int, first: int = 0) -> None:
    chance = random.Random(7 + first)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADINGS)
        for at in range(first, first + rows):
            digits = f"02{chance.getrandbits(40):010x}"
            pairs = [digits[i : i + 2] for i in range(0, 12, 2)]
            ways = (":".join(pairs), "-".join(pairs).upper(), digits, digits.upper(),
                    f"{digits[:4]}.{digits[4:8]}.{digits[8:]}", " ".join(pairs))  # fmt: skip
            out.writerow((
                f"AST-{at:07}", f"Camera {at % 97} door {at % 13}",
                f"10.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}", ways[at % 6],
                f"SN{chance.getrandbits(36):010X}", MAKERS[at % 5],
                f"Building {at % 40}, floor {at % 9}", f"20{at % 25:02}-0{1 + at % 9}-1{at % 10}",
            ))  # fmt: skip


def bare(path: Path, folder: Path) -> int:
    database = sqlite3.connect(folder / "bare.db")
    database.execute(
        "CREATE TABLE asset (a TEXT, b TEXT, c TEXT, d TEXT, e TEXT, f TEXT, g TEXT, h TEXT)"
    )
    database.execute("CREATE INDEX asset_mac ON asset (d)")

    def rows():
        with path.open(encoding="utf-8", newline="") as file:
            found = csv.reader(file)
            next(found)
            for row in found:
                row[3] = bytes.fromhex(row[3].translate(DELETED)).hex(":")
                yield row

    with database:
        database.executemany("INSERT INTO asset VALUES (?,?,?,?,?,?,?,?)", rows())
    (count,) = database.execute("SELECT count(*) FROM asset").fetchone()
    database.close()
    return int(count)


def run(command: list[str], folder: Path) -> tuple[float, float]:
    """Run a process; give its seconds and the peak MB of the largest process in it."""
    began = time.perf_counter()
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    return time.perf_counter() - began, used.ru_maxrss / 1024


def importing(path: Path, database: str, folder: Path) -> tuple[float, float]:
    command = [
        sys.executable,
        "-m",
        "auditor",
        "--db",
        database,
        "import",
        str(path),
        "--site",
        "hq",
    ]
    return run(command, folder)


def growth(full: str, folder: Path) -> None:
    """A short list costs the same in a full ledger."""
    times: dict[str, list[float]] = {"empty": [], "full": []}
    for at in range(5):
        short = folder / f"short{at}.csv"
        write_list(short, 1_000, first=20_000_000 + at * 1_000)
        times["empty"].append(importing(short, f"sqlite:///{folder}/empty{at}.db", folder)[0])
        times["full"].append(importing(short, full, folder)[0])
    empty, full_s = (statistics.median(times[name]) for name in ("empty", "full"))
    print(f"1,000 rows into an empty ledger {empty:.2f} s, into the full one {full_s:.2f} s: "
          f"{full_s / empty:.2f} x")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        bare(given.bare, Path.cwd())
        return
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        path = folder / "assets.csv"
        write_list(path, given.rows)
        speed: dict[str, list[float]] = {"bare": [], "import": []}
        peaks: dict[str, float] = {"bare": 0.0, "import": 0.0}
        for at in range(given.runs):  # in turn, so that a busy minute hits both alike
            inside = Path(tempfile.mkdtemp(dir=folder))
            found = {
                "bare": run([sys.executable, __file__, "--bare", str(path)], inside),
                "import": importing(path, f"sqlite:///{folder}/ledger{at}.db", inside),
            }
            for name, (seconds, peak) in found.items():
                speed[name].append(given.rows / seconds)
                peaks[name] = max(peaks[name], peak)
            print(f"run {at + 1}: ratio {speed['import'][-1] / speed['bare'][-1]:.2f}")
        print(f"{given.rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, median of {given.runs}")
        for name, found_speed in speed.items():
            print(f"{name:8} {statistics.median(found_speed):10,.0f} rows/s {peaks[name]:6.0f} MB")
        ratio = statistics.median(speed["import"]) / statistics.median(speed["bare"])
        print(f"import / bare: {ratio:.2f} (at least {LEAST_RATIO}); peak at most {MOST_MB} MB")
        if given.growth:
            growth(f"sqlite:///{folder}/ledger0.db", folder)


if __name__ == "__main__":
    main()
