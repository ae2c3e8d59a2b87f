"""What a trial, or the conclusion of a search, is told of the trials so far."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.tables import Job, Trial

Record = dict[str, Any]


def study(session: Session, job: Job) -> dict[str, Any]:
    """The study of a trial or a search: `{"id", "number", "trials"}`, with those of the search it began with as `warm`.

    A record is `{"number", "state": running | complete | pruned | failed, "parameters", "values", "intermediate",
    "attributes", "warm", "error", "seconds"}`.
    """
    search = search_of(session, job)
    records = _records(session, search.id, warm=False)
    if (earlier := search.request["warm_start"]) is not None:
        records = _records(session, earlier, warm=True) + records
    return {"id": search.id, "number": job.request.get("number"), "trials": records}


def search_of(session: Session, job: Job) -> Job:
    """The search that a trial is of; a search itself."""
    return job if job.parent_id is None else session.get_one(Job, job.parent_id)


def _records(session: Session, search_id: str, *, warm: bool) -> list[Record]:
    trials = session.scalars(select(Trial).where(Trial.search_id == search_id).order_by(Trial.number))
    return [_record(trial, warm) for trial in trials]


def _record(trial: Trial, warm: bool) -> Record:
    return {
        "number": trial.number,
        "state": _state(trial),
        "parameters": trial.parameters,
        "values": trial.values,
        "intermediate": trial.intermediate,
        "attributes": trial.attributes,
        "warm": warm,
        "error": trial.job.error,
        "seconds": seconds(trial.job),
    }


def seconds(job: Job) -> float | None:
    """From a job's first start to its end; None before that."""
    return None if job.started_at is None or job.finished_at is None else job.finished_at - job.started_at


def _state(trial: Trial) -> str:
    if not trial.job.is_over:
        return "running"
    if trial.job.state != "succeeded":
        return "failed"
    return "pruned" if trial.pruned else "complete"
