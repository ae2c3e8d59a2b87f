"""Brings the database's tables to the version that this code expects."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from services.database import Database

INI = Path(__file__).parent.parent / "alembic.ini"


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up to `revision`, in one transaction."""
    with database.engine.begin() as connection:
        command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str = "base") -> None:
    """Migrate down to `revision`, in one transaction."""
    with database.engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def _config(connection: object) -> Config:
    config = Config(INI)
    config.attributes["connection"] = connection
    return config
