"""Searches whose trials no process runs: a test claims and ends them by itself."""

from typing import Any

from sqlalchemy import select

from services import events, lifecycle
from services.resources import Resources
from services.studies import course, trials
from services.tables import Job, Trial
from workers import recording

LEASE = 30.0
DONE: dict[str, Any] = {"result": {}, "files": [], "version": None, "variants": None, "manifest": None}


def search(resources: Resources, **given: Any) -> str:
    """A search as `services.preparation.search` leaves it; the id."""
    request = {
        "kind": "search",
        "strategy": "random",
        "architecture": "mlp",
        "dimensions": [],
        "objectives": [{"metric": "val_accuracy", "direction": "maximize"}],
        "trials": 4,
        "parallelism": 2,
        "queue": "cpu",
        "max_failures": None,
        "time_budget_seconds": None,
        "warm_start": None,
        **given,
    }
    with resources.database.transaction() as session:
        return lifecycle.create(session, Job(kind="search", queue=course.QUEUE, request=request)).id


def claim(resources: Resources) -> Job | None:
    """The job that has waited longest."""
    with resources.database.transaction() as session:
        return lifecycle.claim_next(session, ["gpu", "cpu"], worker="w", lease_seconds=LEASE)


def taken(resources: Resources) -> Job:
    job = claim(resources)
    assert job is not None
    return job


def succeed(resources: Resources, job: Job, value: float = 0.5, *, pruned: bool = False) -> None:
    """Record what a trial came to as its supervisor does."""
    measured = {"values": {"val_accuracy": value}, "intermediate": [[1, value]], "attributes": {"epochs": 1}}
    with resources.database.transaction() as session:
        recording.succeed(
            session, resources, job.id, str(job.lease_token), {**DONE, "trial": {"pruned": pruned, **measured}}
        )


def fail(resources: Resources, job: Job, detail: str = "diverged") -> None:
    with resources.database.transaction() as session:
        lifecycle.fail(session, job.id, {"code": "diverged", "detail": detail}, token=str(job.lease_token))


def state(resources: Resources, job_id: str) -> str:
    with resources.database.transaction() as session:
        return session.scalars(select(Job.state).where(Job.id == job_id)).one()


def states(resources: Resources, search_id: str) -> list[str]:
    """The states of the trials by number."""
    with resources.database.transaction() as session:
        return [trial.job.state for trial in trials.listed(session, search_id).page.items]


def history(resources: Resources, job_id: str) -> list[str]:
    with resources.database.transaction() as session:
        return [event.data["state"] for event in events.read(session, job_id, 0) if event.type == "state"]


def numbers(resources: Resources, search_id: str) -> list[int]:
    with resources.database.transaction() as session:
        rows = session.scalars(select(Trial.number).where(Trial.search_id == search_id).order_by(Trial.number))
        return list(rows)
