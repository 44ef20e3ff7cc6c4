"""A fresh ledger on each database that the ledger supports; the servers are real."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from auditor.store.ledger import Ledger

_HOMES = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/bin"))
AS_SERVER = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _programs() -> Path | None:
    found = shutil.which("initdb")
    return (
        Path(found).parent if found else next((h for h in _HOMES if (h / "initdb").exists()), None)
    )


def _run(command: list[str], prefix: list[str]) -> None:
    subprocess.run([*prefix, *command], check=True, timeout=60, cwd="/", stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Give the address of a server of our own, reached by a socket in a directory of ours."""
    programs = _programs()
    if programs is None:
        pytest.skip("skipped, because no PostgreSQL server programs were found")
    prefix = AS_SERVER if os.geteuid() == 0 else []  # PostgreSQL refuses to run as root
    home = Path(tempfile.mkdtemp(prefix="audpg-"))
    if prefix:
        shutil.chown(home, "postgres", "postgres")
    data = str(home / "data")
    try:
        _run([str(programs / "initdb"), "-D", data, "-U", "auditor", "-A", "trust", "-E", "UTF8",
              "--no-sync", "--locale=C"], prefix)  # fmt: skip
        options = f"-k {home} -c listen_addresses='' -c fsync=off -c max_connections=50"
        _run([str(programs / "pg_ctl"), "-D", data, "-o", options, "-w", "-l",
              str(home / "log"), "start"], prefix)  # fmt: skip
        try:
            yield f"postgresql://auditor@/postgres?host={home}"
        finally:
            _run([str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop"], prefix)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def fresh_postgres(postgres: str) -> Iterator[str]:
    """Give the address of an empty database."""
    name = f"t{os.urandom(6).hex()}"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    yield postgres.replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a ledger that does not exist yet, on each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """Give an empty ledger on each database."""
    with Ledger.open(url) as opened:
        yield opened
