"""Opening a database, SQLite or PostgreSQL, and saying plainly what is wrong with it.

SQLite runs in WAL mode with synchronous=FULL: what was committed survives loss of power
(https://www.sqlite.org/pragma.html#pragma_synchronous). Transactions begin explicitly,
because Python's sqlite3 would otherwise commit in the middle of schema changes.
"""

import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from auditor.errors import LedgerError

APPLICATION_ID = 0x41554454  # "AUDT" in the file header, shown by file(1) and checked here
VERSION_TABLE = "auditor_schema"
BUSY_TIMEOUT_MS = 10_000
PAGE_BYTES = 8_192  # raw values of up to 16 KiB stay on few pages
CACHE_KIB = 64 * 1024  # of pages; the indexes of a million attempts fit
MIGRATIONS = Path(__file__).parent / "migrations"

_SQLITE_REASONS = {
    "SQLITE_NOTADB": ("is no ledger", "this is another kind of file: name the right one with --db"),
    "SQLITE_CORRUPT": ("is damaged", "restore the last backup; bundles can be merged into a new one"),
    "SQLITE_BUSY": ("is in use by another program", "wait until the other audit has ended, or stop it"),
    "SQLITE_LOCKED": ("is in use", "wait until the other audit has ended, or stop it"),
    "SQLITE_FULL": ("cannot grow: the disk is full", "free some space and repeat; what was committed is kept"),
    "SQLITE_IOERR": ("cannot be read or written", "check the disk and free space; what was committed is kept"),
    "SQLITE_READONLY": ("may not be written", "give yourself the right to write the file and its directory"),
    "SQLITE_CANTOPEN": ("cannot be opened", "check that the directory exists and that you may write in it"),
    "SQLITE_PERM": ("cannot be opened", "check the rights of the file and its directory"),
    "SQLITE_TOOBIG": ("refuses so large a value", "shorten the value"),
}  # fmt: skip
_POSTGRES_REASONS = {
    "08": ("cannot be reached", "start the server, or check host, port and firewall"),
    "28": ("refused the login", "check user, password and pg_hba.conf"),
    "3D": ("does not exist", "create it: createdb NAME"),
    "42501": ("refused the permission", "GRANT the user the right to use and create tables"),
    "53": ("lacks disk, memory or connections", "free some and repeat; what was committed is kept"),
    "55P03": ("is in use by another program", "wait until the other audit has ended, or stop it"),
    "57": ("was shut down", "start the server again; what was committed is kept"),
    "XX": ("is damaged", "restore the last backup"),
}

# What fails is raised and told in our words; a signal in the middle of a close is no failure.
logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())

_LOGIN_FAILURES = {
    r"FATAL: +database .* does not exist": "3D",
    r"FATAL: .*(role|password|authentication|pg_hba)": "28",
    r"FATAL: .*(too many|slots)": "53",
    r"FATAL: .*(starting up|shutting down)": "57",
}


def open_engine(address: str) -> Engine:
    """Make the engine for `sqlite:///path` or `postgresql://…`; nothing is read yet."""
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise _unusable(address, str(error)) from error
    if url.get_backend_name() == "sqlite":
        if url.database in {None, "", ":memory:"}:
            raise _unusable(address, "it names no file: a ledger is there to be kept")
        engine = create_engine(url)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if url.get_backend_name() in {"postgresql", "postgres"}:
        connect = {"connect_timeout": 10, "application_name": "auditor"}
        return create_engine(url.set(drivername="postgresql+psycopg"), connect_args=connect)
    raise _unusable(url.render_as_string(), f"{url.get_backend_name()} is not supported")


def _unusable(address: str, why: str) -> LedgerError:
    return LedgerError(
        f"{address!r} names no ledger",
        why=why,
        hint="write sqlite:///path/to/file.db or postgresql://user@host/database",
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"page_size={PAGE_BYTES}",  # of a new file
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # else INSERT OR REPLACE would go round the delete triggers
        f"cache_size=-{CACHE_KIB}",
        "trusted_schema=OFF",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection inside one transaction that alone may write; commit at the end."""
    with (
        plainly(engine.url),
        engine.connect().execution_options(writing=True) as connection,
        connection.begin(),
    ):
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_TIMEOUT_MS}")
            connection.exec_driver_sql("LOCK TABLE link IN EXCLUSIVE MODE")
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees one state of the ledger from beginning to end."""
    with plainly(engine.url), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


@contextmanager
def plainly(url: URL) -> Iterator[None]:
    """Turn what the driver says into the three parts that a person can act on."""
    try:
        yield
    except DBAPIError as error:
        raise _explained(url, error.orig or error) from error
    except (sqlite3.Error, SQLAlchemyError) as error:
        raise _explained(url, error) from error


def _explained(url: URL, error: BaseException) -> LedgerError:
    name = url.render_as_string(hide_password=True)
    why = " ".join(str(error).split())
    if isinstance(error, UnicodeEncodeError):
        return LedgerError(f"the ledger {name} cannot hold a text", why=why)
    code = getattr(error, "sqlite_errorname", None)
    if code is not None:
        known = [reason for start, reason in _SQLITE_REASONS.items() if code.startswith(start)]
    else:
        state = getattr(error, "sqlstate", None) or _login_state(why)
        known = [reason for start, reason in _POSTGRES_REASONS.items() if state.startswith(start)]
    what, hint = known[0] if known else ("refused the operation", "run `auditor doctor`")
    return LedgerError(f"the ledger {name} {what}", why=why, hint=hint)


def _login_state(why: str) -> str:
    """Tell why a login failed: until it has succeeded the driver gives words and no state."""
    found = (state for words, state in _LOGIN_FAILURES.items() if re.search(words, why))
    return next(found, "08" if "connect" in why.lower() else "?")


# ---------------------------------------------------------------- schema


def migrate(engine: Engine) -> None:
    """Create the tables, or bring them forward to what this version knows; all or nothing."""
    _check_place(engine.url)
    with plainly(engine.url):
        found = _revision(engine)
        if found == newest():
            return
        script = MIGRATIONS / "new" / f"{newest()}.{engine.dialect.name}.sql"
        if found is None and script.exists():
            _create(engine, script.read_text("utf-8"))
        else:
            _upgrade(engine, found)


def _check_place(url: URL) -> None:
    """Refuse a place where SQLite would only say that it cannot open the file."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    path = Path(url.database)
    try:
        path.stat()
    except FileNotFoundError:
        pass
    except OSError as error:  # e.g. a directory on the way that may not be entered
        raise LedgerError(
            f"the ledger {path} may not be written",
            why=str(error),
            hint="choose another place with --db, or change the rights",
        ) from error
    if path.is_dir():
        raise LedgerError(f"{path} is a directory", hint="name a file with --db sqlite:///file.db")
    if not path.parent.is_dir():
        raise LedgerError(f"{path.parent} does not exist", hint=f"mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise LedgerError(
            f"the ledger {path} may not be written",
            why=f"no right to write {path if path.exists() else path.parent}",
            hint="choose another place with --db, or change the rights",
        )


def newest() -> str:
    """Give the newest revision without loading Alembic: revisions are numbered files."""
    return max(file.name.split("_", 1)[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        if VERSION_TABLE in tables:
            found = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
            return str(found)
        _refuse_encoding(engine, connection)
        _refuse_foreign(engine, connection, tables)
        return None


def _refuse_encoding(engine: Engine, connection: Connection) -> None:
    """Refuse a PostgreSQL database that cannot hold every character."""
    if engine.dialect.name == "postgresql":
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise LedgerError(
                f"{engine.url.render_as_string(hide_password=True)} cannot hold every character",
                why=f"its encoding is {encoding}",
                hint="createdb --encoding=UTF8 --template=template0 NAME",
            )


def _refuse_foreign(engine: Engine, connection: Connection, tables: set[str]) -> None:
    """Refuse what another program made; a PostgreSQL database may be shared, a file may not."""
    name = engine.url.render_as_string(hide_password=True)
    if engine.dialect.name == "sqlite":
        mark = connection.exec_driver_sql("PRAGMA application_id").scalar()
        if not tables and mark in {0, APPLICATION_ID}:
            return
    elif not tables & {"run", "attempt", "link"}:
        return
    raise LedgerError(
        f"{name} is no ledger",
        why=f"it holds the tables of another program: {', '.join(sorted(tables)[:5])}",
        hint="name the right file or an empty database with --db",
    )


def _create(engine: Engine, script: str) -> None:
    """Make a new ledger without loading Alembic, which takes longer than all else."""
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        _one_at_a_time(engine, connection)
        if not inspect(connection).has_table(VERSION_TABLE):
            for statement in script.split(";\n\n"):
                connection.exec_driver_sql(statement)


def _upgrade(engine: Engine, found: str | None) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    if found is not None and found not in known:
        raise LedgerError(
            f"the ledger {engine.url.render_as_string(hide_password=True)} is of a newer version",
            why=f"its schema is {found}, this program knows up to {newest()}",
            hint="install the newer version of the program that wrote it",
        )

    def steps(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs("head", revision)

    with (
        EnvironmentContext(config, scripts, fn=steps, destination_rev="head") as environment,
        engine.connect().execution_options(writing=True) as connection,
        connection.begin(),
    ):
        _one_at_a_time(engine, connection)
        environment.configure(
            connection=connection,
            version_table=VERSION_TABLE,
            render_as_batch=True,
            transactional_ddl=True,
            fn=steps,
        )
        environment.run_migrations()


def _one_at_a_time(engine: Engine, connection: Connection) -> None:
    """Two programs that open a new ledger at once: the second finds it made."""
    if engine.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPLICATION_ID})
    else:
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
