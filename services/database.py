"""The database: engine, transactions and the clock that leases go by.

SQLite runs in WAL mode with full durability. Every transaction begins with `BEGIN IMMEDIATE`, since a
transaction that reads first and writes later cannot wait for another writer and fails as locked
(SQLite documentation, "Transactions"; recipe: SQLAlchemy documentation, SQLite dialect,
"Serializable isolation / Savepoints / Transactional DDL").
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Double, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.sql.functions import FunctionElement

from services.errors import StorageFull, SyllabusError, Unavailable

SQLITE_BUSY_TIMEOUT_SECONDS = 30
POOL_SIZE = 40  # as many as the gateway has threads, so that no reader waits for a writer's connection
# A server that has gone silent is noticed within seconds and not by the kernel's defaults (libpq documentation).
POSTGRESQL = {"connect_timeout": 3, "tcp_user_timeout": 10_000}
POSTGRESQL_DISK_FULL = "53100"  # PostgreSQL documentation, appendix A, "Error Codes"
# What a database that is out of reach, restarting or full raises; anything else is a mistake of ours.
OUTAGE = (OperationalError, InterfaceError, PoolTimeout)


class now(FunctionElement[float]):
    """The database's own clock in seconds since 1970, so that no worker's clock can expire a lease."""

    type = Double()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_sqlite(element: now, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_postgresql(element: now, compiler: Any, **options: Any) -> str:
    return "CAST(extract(epoch FROM statement_timestamp()) AS double precision)"


def _configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_TIMEOUT_SECONDS * 1000}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
        connection.exec_driver_sql(f"BEGIN {mode}")


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///` or `postgresql+psycopg://`; a bare `postgresql://` means psycopg 3 as well."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_size=POOL_SIZE,
            connect_args=POSTGRESQL,
        )
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, pool_size=POOL_SIZE, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
    _configure_sqlite(engine)
    return engine


def explain(error: BaseException) -> SyllabusError | None:
    """What a caller should be told of a database that failed; None if `error` says nothing of the kind.

    The driver's own text stays in the log: it may name hosts and users.
    """
    if not isinstance(error, OUTAGE):
        return None
    cause = getattr(error, "orig", None)
    is_full = (
        getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(cause, "sqlstate", None) == POSTGRESQL_DISK_FULL
    )
    if is_full:
        return StorageFull("storage_full", "No room is left for the database; free some.")
    return Unavailable("database_unavailable", "The database does not answer; try again in a moment.")


class Database:
    """Transactions over one engine."""

    def __init__(self, url: str, info: dict[str, Any] | None = None) -> None:
        """`info` goes with every session, as its `info`."""
        self.engine = make_engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False, info=info)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One unit of work: committed at the end, rolled back on any error.

        What `after_commit` was given runs once the commit has succeeded.
        """
        with self._sessions() as session:
            with session.begin():
                yield session
            for callback in session.info.pop("after_commit", []):
                callback()

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A transaction that only reads: on SQLite it neither waits for a writer nor holds one up."""
        with self._sessions() as session, session.begin():
            session.connection(execution_options={"sqlite_begin": "DEFERRED"})
            yield session

    def ping(self) -> None:
        """Raise `sqlalchemy.exc.SQLAlchemyError` if the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def after_commit(session: Session, callback: Callable[[], object]) -> None:
    """Run `callback` when the transaction of `session` has committed, and not if it fails."""
    session.info.setdefault("after_commit", []).append(callback)
