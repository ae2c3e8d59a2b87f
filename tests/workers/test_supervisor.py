"""What a child reports while it runs is recorded under its job's lease."""

import threading
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from services import events, jobs, lifecycle
from services.errors import LeaseLost
from services.resources import Resources
from services.tables import Job
from workers.child import Provision
from workers.supervisor import Child, Supervisor, Watch
from workers.wire import encode

OUTCOME = {"type": "outcome", "data": {}}


def sheet(sha256: str) -> dict[str, Any]:
    data = {"name": "sheet.png", "path": "gone", "media_type": "image/png", "sha256": sha256, "size": 3}
    return {"type": "artifact", "data": data}


def watching(resources: Resources, *messages: dict[str, Any]) -> tuple[Watch, str]:
    """The watch of a claimed job whose child has sent these messages."""
    with resources.database.transaction() as session:
        job_id = lifecycle.create(session, Job(kind="train", queue="cpu", request={})).id
        job = lifecycle.claim(session, job_id, worker="w", lease_seconds=30)
        assert job is not None
        session.expunge(job)
    ours, theirs = Pipe()
    for message in messages:
        theirs.send_bytes(encode(message))
    supervisor = Supervisor(resources, "w", threading.Event())
    return Watch(supervisor, job, Child(None, ours), Provision(Path())), job_id


def test_artifacts_of_a_running_job_are_listed_and_told_of(resources: Resources) -> None:
    watch, job_id = watching(resources, sheet("1"), sheet("2"), OUTCOME)
    assert watch.until_the_end() == OUTCOME
    with resources.database.transaction() as session:
        assert jobs.get(session, job_id).state == "running"
        assert [(each.name, each.sha256) for each in jobs.artifacts(session, job_id)] == [("sheet.png", "2")]
        told = [event.data for event in events.read(session, job_id, after=0) if event.type == "artifact"]
    assert told == [{"name": "sheet.png", "media_type": "image/png", "size": 3}] * 2


def test_a_later_attempt_overwrites_what_an_earlier_one_left(resources: Resources) -> None:
    watch, job_id = watching(resources, sheet("1"), OUTCOME)
    watch.until_the_end()
    with resources.database.transaction() as session:
        lifecycle.interrupt(session, job_id, "killed", max_attempts=3)
        job = lifecycle.claim(session, job_id, worker="w", lease_seconds=30)
        assert job is not None
        session.expunge(job)
    ours, theirs = Pipe()
    for message in (sheet("2"), OUTCOME):
        theirs.send_bytes(encode(message))
    Watch(watch.supervisor, job, Child(None, ours), Provision(Path())).until_the_end()
    with resources.database.transaction() as session:
        assert [each.sha256 for each in jobs.artifacts(session, job_id)] == ["2"]


def test_a_worker_that_lost_its_lease_records_no_artifact(resources: Resources) -> None:
    watch, job_id = watching(resources, sheet("1"), OUTCOME)
    with resources.database.transaction() as session:
        lifecycle.interrupt(session, job_id, "its worker stopped answering", max_attempts=3)
    with pytest.raises(LeaseLost):
        watch.until_the_end()
    with resources.database.transaction() as session:
        assert jobs.artifacts(session, job_id) == []
