"""Used by the `alembic` program of a developer (`alembic revision --autogenerate`).

The ledger itself migrates from `auditor.store.database`, with its own connection.
"""

import os

from alembic import context
from sqlmodel import SQLModel

import auditor.store.schema  # noqa: F401 (fills SQLModel.metadata)
from auditor.store.database import open_engine
from auditor.store.migrate import VERSION_TABLE

with open_engine(os.environ.get("AUDITOR_DB", "sqlite:///auditor.db")).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        version_table=VERSION_TABLE,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()
