"""Runs migrations on the connection that `services.migrations` hands over, or on the one in the settings."""

from alembic import context
from sqlalchemy import Connection

from services.database import make_engine
from services.settings import Settings
from services.tables import Table


def run(connection: Connection) -> None:
    """Apply migrations; batch mode, since SQLite cannot alter most of a table in place."""
    context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with make_engine(Settings().database).begin() as connection:
        run(connection)
