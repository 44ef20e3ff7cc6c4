"""The same million records into PostgreSQL by COPY, against bare COPY of the same rows.

    python bench/ledger_copy.py [--rows 1000000] [--runs 3]

Starts a server of its own (fsync on) in a temporary directory and removes it afterwards.
Two peers: `bare COPY` reads and normalises the file as the ledger does and writes its eight
columns; nothing else. See ledger_bulk.py for what is measured.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ledger_bulk

AS_SERVER = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@contextmanager
def server() -> Iterator[str]:
    """Run a PostgreSQL server; give the address of its database."""
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    if not found and not homes:
        raise SystemExit("skipped, because no PostgreSQL server programs were found")
    programs = Path(found).parent if found else homes[0]
    prefix = AS_SERVER if os.geteuid() == 0 else []
    home = Path(tempfile.mkdtemp(prefix="audpg-"))
    if prefix:
        shutil.chown(home, "postgres", "postgres")

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*prefix, str(programs / program), "-D", str(home / "data"), *arguments],
            check=True, cwd="/", timeout=120, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    try:
        run("initdb", "-U", "auditor", "-A", "trust", "-E", "UTF8", "--locale=C")
        options = f"-k {home} -c listen_addresses='' -c max_wal_size=4GB"
        run("pg_ctl", "-o", options, "-w", "-l", str(home / "log"), "start")
        try:
            yield f"postgresql://auditor@/postgres?host={home}"
        finally:
            run("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, server() as url:
        path = Path(folder) / "assets.csv"
        ledger_bulk.write_assets(path, given.rows)
        ledger_bulk.compare(path, given.rows, given.runs, url)


if __name__ == "__main__":
    main()
