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


class Server:
    """A PostgreSQL server of our own, reached by a socket in a directory of ours."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.prefix = AS_SERVER if os.geteuid() == 0 else []  # PostgreSQL refuses to run as root
        self.home = Path(tempfile.mkdtemp(prefix="audpg-"))
        if self.prefix:
            shutil.chown(self.home, "postgres", "postgres")
        self.run("initdb", "-U", "auditor", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")

    def run(self, program: str, *arguments: str) -> None:
        data = str(self.home / "data")
        subprocess.run(
            [*self.prefix, str(self.programs / program), "-D", data, *arguments],
            check=True, timeout=60, cwd="/", stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self) -> None:
        options = f"-k {self.home} -c listen_addresses='' -c fsync=off -c max_connections=50"
        self.run("pg_ctl", "-o", options, "-w", "-l", str(self.home / "log"), "start")

    def crash(self) -> None:
        """Stop at once, as a power cut would: nothing is finished, nothing is tidied."""
        self.run("pg_ctl", "-m", "immediate", "-w", "stop")

    @property
    def url(self) -> str:
        return f"postgresql://auditor@/postgres?host={self.home}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Give a running server; tests that stop it must start it again."""
    programs = _programs()
    if programs is None:
        pytest.skip("skipped, because no PostgreSQL server programs were found")
    one = Server(programs)
    try:
        one.start()
        yield one
        one.crash()
    finally:
        shutil.rmtree(one.home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(server: Server) -> str:
    """Give the address of a server."""
    return server.url


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
