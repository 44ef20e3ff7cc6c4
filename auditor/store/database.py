"""Opening a database, SQLite or PostgreSQL, and saying plainly what is wrong with it.

SQLite runs in WAL mode with synchronous=FULL: what was committed survives loss of power
(https://www.sqlite.org/pragma.html#pragma_synchronous). Transactions begin explicitly,
because Python's sqlite3 would otherwise commit in the middle of schema changes.
"""

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from auditor.errors import LedgerError

BUSY_TIMEOUT_MS = 10_000
PAGE_BYTES = 8_192  # raw values of up to 16 KiB stay on few pages
CACHE_KIB = 64 * 1024  # of pages; the indexes of a million attempts fit

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
