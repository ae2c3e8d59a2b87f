"""Transactions, snapshots, and what a caller is told of a database that fails."""

import sqlite3

import pytest
from psycopg.errors import DiskFull
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError

from services import lifecycle
from services.database import after_commit, explain, make_engine
from services.errors import StorageFull, Unavailable
from services.resources import Resources
from services.tables import Job


def job() -> Job:
    return Job(kind="train", queue="cpu", request={})


def test_what_was_to_follow_the_commit_follows_only_a_commit(resources: Resources) -> None:
    rung: list[str] = []
    with resources.database.transaction() as session:
        after_commit(session, lambda: rung.append("first"))
        assert rung == []
    assert rung == ["first"]

    def fail() -> None:
        with resources.database.transaction() as session:
            lifecycle.create(session, job())
            after_commit(session, lambda: rung.append("second"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert rung == ["first"]
    with resources.database.snapshot() as session:
        assert list(session.scalars(select(Job))) == []


def test_a_snapshot_waits_for_no_writer(resources: Resources) -> None:
    with resources.database.transaction() as writer:
        lifecycle.create(writer, job())
        with resources.database.snapshot() as reader:
            assert list(reader.scalars(select(Job))) == []
    with resources.database.snapshot() as reader:
        assert len(list(reader.scalars(select(Job)))) == 1


def test_a_database_that_cannot_be_reached_is_unavailable() -> None:
    engine = make_engine("postgresql://somebody:hunter2@127.0.0.1:1/none")
    with pytest.raises(OperationalError) as failure:
        engine.connect()
    told = explain(failure.value)
    assert isinstance(told, Unavailable)
    assert "hunter2" not in told.detail


def test_a_full_disk_is_told_apart() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert isinstance(explain(OperationalError("INSERT", {}, full)), StorageFull)
    assert isinstance(explain(OperationalError("INSERT", {}, DiskFull())), StorageFull)


def test_a_mistake_of_ours_is_not_explained_away() -> None:
    assert explain(IntegrityError("INSERT", {}, sqlite3.IntegrityError())) is None
    assert explain(ValueError()) is None
