"""The tables of a ledger: made, or brought forward to what this version knows, all or nothing."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, inspect, text

from auditor.errors import LedgerError
from auditor.store.database import plainly

APPLICATION_ID = 0x41554454  # "AUDT" in the file header, shown by file(1) and checked here
VERSION_TABLE = "auditor_schema"
MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Create the tables, or bring them forward to what this version knows; all or nothing."""
    _check_place(engine.url)
    with plainly(engine.url):
        found = _revision(engine)
        if found == newest():
            return
        whole = MIGRATIONS / f"{newest()}.{engine.dialect.name}.sql"
        if found is None and whole.exists():
            _make(engine, whole.read_text("utf-8"))
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


def _make(engine: Engine, script: str) -> None:
    """Make a new file what all revisions together would make of it: Alembic takes long to load."""
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        _one_at_a_time(engine, connection)
        if VERSION_TABLE in inspect(connection).get_table_names():
            return  # another program was quicker
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                connection.exec_driver_sql(statement)
                statement = ""


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
