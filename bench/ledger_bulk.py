"""How fast a million records become facts, against the barest loop that could store them.

    python bench/ledger_bulk.py [--rows 1000000] [--runs 3] [--postgres URL]

Every way reads the same CSV file (eight columns, hardware addresses written in six ways) and
normalises the addresses. `bare` is csv + sqlite3 executemany into one table with one index;
`ledger` builds our attempts and imports them: provenance, indexes, hash chain, all or nothing;
`session.add` is SQLModel row by row (a tenth of the rows). Each runs in a process of its own;
peak memory is that of the process. Prints rows per second and ratios of the same run.
"""

import argparse
import csv
import json
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

FIELDS = (
    "asset.tag", "asset.name", "device.ip", "mac", "device.serial", "asset.manufacturer",
    "asset.location", "asset.acquired",
)  # fmt: skip
MAKERS = ("Acme Cameras", "Beispiel AG", "Caméras Dupont", "", "Delta Vision")
_DELETED = str.maketrans("", "", ":-. ")


def write_assets(path: Path, rows: int) -> None:
    """Write a made-up asset list, the same every time."""
    chance = random.Random(7)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("Tag", "Name", "IP", "MAC", "Serial", "Maker", "Location", "Acquired"))
        for at in range(rows):
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


def records(path: Path) -> Iterator[list[str]]:
    """Read the rows, hardware addresses normalised."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            row[3] = bytes.fromhex(row[3].translate(_DELETED)).hex(":")
            yield row


def bare(path: Path, folder: Path, _rows: int, _url: str) -> int:
    database = sqlite3.connect(folder / "bare.db")
    database.execute(
        "CREATE TABLE asset (a TEXT, b TEXT, c TEXT, d TEXT, e TEXT, f TEXT, g TEXT, h TEXT)"
    )
    database.execute("CREATE INDEX asset_mac ON asset (d)")
    with database:
        database.executemany("INSERT INTO asset VALUES (?,?,?,?,?,?,?,?)", records(path))
    (count,) = database.execute("SELECT count(*) FROM asset").fetchone()
    database.close()
    return int(count)


def attempts(path: Path):
    from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome

    moment = datetime(2026, 3, 4, 12, tzinfo=UTC)
    for line, row in enumerate(records(path), 2):
        seen = tuple(
            [Observation(name, value) for name, value in zip(FIELDS, row, strict=True) if value]
        )
        end = Endpoint(row[2], row[3], 0, "file")
        yield Attempt("asset_csv", end, Outcome.ANSWERED, seen, moment, 0.0,
                      f"assets.csv:{line}", Origin.FILE)  # fmt: skip


def blocks(path: Path):
    from itertools import islice

    from auditor.model.block import Block

    moment = datetime(2026, 3, 4, 12, tzinfo=UTC)
    rows = (
        (row[2], row[3], f"assets.csv:{line}", row if row[5] else [v or None for v in row])
        for line, row in enumerate(records(path), 2)
    )
    while some := list(islice(rows, 1000)):
        yield Block("asset_csv", FIELDS, some, moment)


def only_attempts(path: Path, _folder: Path, _rows: int, _url: str) -> int:
    return sum(1 for _ in attempts(path))


def ledger(path: Path, folder: Path, _rows: int, url: str) -> int:
    return into_ledger(attempts(path), folder, url)


def ledger_blocks(path: Path, folder: Path, _rows: int, url: str) -> int:
    return into_ledger(blocks(path), folder, url)


def into_ledger(items, folder: Path, url: str) -> int:
    from auditor.model.observation import Run
    from auditor.store.ledger import Ledger

    moment = datetime(2026, 3, 4, 12, tzinfo=UTC)
    with Ledger.open(url or f"sqlite:///{folder}/ledger.db") as opened:
        run = Run(f"bench-{time.time_ns()}", "hq", "import", moment)
        with opened.importing(run, f"{time.time_ns():064x}", "hq", "assets.csv") as batch:
            return batch.append(items)


def session_add(path: Path, folder: Path, rows: int, url: str) -> int:
    from sqlmodel import Field, Session, SQLModel, create_engine

    class Asset(SQLModel, table=True):
        n: int | None = Field(default=None, primary_key=True)
        a: str
        b: str
        c: str
        d: str = Field(index=True)
        e: str
        f: str
        g: str
        h: str

    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://") or f"sqlite:///{folder}/added.db"
    )
    SQLModel.metadata.create_all(engine)
    with Session(engine) as session:
        for count, row in enumerate(records(path), 1):
            session.add(Asset(**dict(zip("abcdefgh", row, strict=True))))
            if count >= rows // 10:
                break
        session.commit()
    return rows // 10


def bare_copy(path: Path, _folder: Path, _rows: int, url: str) -> int:
    import psycopg

    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as server:
        server.execute(
            "CREATE TABLE IF NOT EXISTS bare "
            "(a TEXT, b TEXT, c TEXT, d TEXT, e TEXT, f TEXT, g TEXT, h TEXT)"
        )
        server.execute("CREATE INDEX IF NOT EXISTS bare_mac ON bare (d)")
        server.execute("TRUNCATE bare")
        with server.cursor().copy("COPY bare FROM STDIN") as copy:
            for row in records(path):
                copy.write_row(row)
        return int(server.execute("SELECT count(*) FROM bare").fetchone()[0])


WAYS = {"bare": bare, "attempts": only_attempts, "ledger": ledger, "blocks": ledger_blocks, "session.add": session_add,
        "bare COPY": bare_copy}  # fmt: skip


def measure(way: str, path: Path, rows: int, url: str) -> tuple[float, float, float]:
    """Run one way in a process of its own; give rows per second, peak MB, µs of CPU a row."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", way, "--file", str(path), "--rows", str(rows), "--postgres", url],
        check=True, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    speed, peak_mb, cpu_us = json.loads(done.stdout)
    return speed, peak_mb, cpu_us


def one(way: str, path: Path, rows: int, url: str) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        began = time.perf_counter()
        count = WAYS[way](path, Path(folder), rows, url)
        elapsed = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_us = (used.ru_utime + used.ru_stime) / count * 1e6
    print(json.dumps([count / elapsed, used.ru_maxrss / 1024, cpu_us]))


def compare(path: Path, rows: int, runs: int, url: str) -> None:
    print(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, median of {runs}")
    base = "bare COPY" if url else "bare"
    names = [base, "attempts", "ledger", "blocks", "session.add"]
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for _ in range(runs):  # interleaved, so that a busy minute hits all alike
        for name in names:
            found[name].append(measure(name, path, rows, url))
    speed = {name: statistics.median(one[0] for one in some) for name, some in found.items()}
    for name in names:
        peak = max(one[1] for one in found[name])
        cpu = min(one[2] for one in found[name])
        print(f"{name:12} {speed[name]:10,.0f} rows/s {peak:6.0f} MB {cpu:6.1f} µs CPU a row")
    for way in ("ledger", "blocks"):
        print(f"{way} / {base}: {speed[way] / speed[base]:.2f} (at least 0.50)")
        print(f"{way} / session.add: {speed[way] / speed['session.add']:.1f} (at least 4)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--postgres", default="", help="URL of an empty database to use instead")
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        one(given.one, given.file, given.rows, given.postgres)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "assets.csv"
        write_assets(path, given.rows)
        compare(path, given.rows, given.runs, given.postgres)


if __name__ == "__main__":
    main()
