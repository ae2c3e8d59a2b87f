"""Use-cases of jobs: submit, look up, cancel, pause, resume."""

import hashlib
import json
from collections.abc import Iterable

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services import lifecycle, transitions
from services.errors import Conflict, NotFound
from services.pages import Page, newest_first
from services.preparation import prepare
from services.queue import QUEUES
from services.requests.jobs import JobRequest
from services.resources import Resources
from services.tables import Job, JobArtifact


def submit(session: Session, resources: Resources, request: JobRequest, *, idempotency_key: str | None) -> Job:
    """Check a request and queue it.

    With a key that was used before, the earlier job is answered if the body is the same.
    Raises `Invalid` naming the wrong field, `Conflict` if the key came with another body.
    """
    digest = _digest(request)
    if (earlier := _by_key(session, idempotency_key, digest)) is not None:
        return earlier
    job = prepare(session, resources, request)
    job.idempotency_key, job.request_digest = idempotency_key, digest
    try:
        with session.begin_nested():
            lifecycle.create(session, job)
    except IntegrityError:  # the same key at the same moment
        if (winner := _by_key(session, idempotency_key, digest)) is None:
            raise
        return winner
    return job


def get(session: Session, job_id: str) -> Job:
    """One job. Raises `NotFound`."""
    job = session.get(Job, job_id)
    if job is None:
        raise NotFound("job_not_found", f"There is no job {job_id!r}.")
    return job


def page(
    session: Session,
    *,
    kind: str | None,
    state: str | None,
    parent_id: str | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Job]:
    """Jobs, newest first; with `parent_id` the trials of a search."""
    statement = select(Job)
    if kind is not None:
        statement = statement.where(Job.kind == kind)
    if state is not None:
        statement = statement.where(Job.state == state)
    if parent_id is not None:
        statement = statement.where(Job.parent_id == parent_id)
    return newest_first(session, statement, Job.id, limit, cursor)


def count_by_state(session: Session) -> dict[str, int]:
    """How many jobs there are in each state that has any."""
    return dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())


def queue_positions(session: Session, jobs: Iterable[Job]) -> dict[str, int]:
    """For each job that is queued for a worker, how many jobs of its queue come before it."""
    queued = [job.id for job in jobs if job.state == "queued" and job.queue in QUEUES]
    if not queued:
        return {}
    rank = func.row_number().over(partition_by=Job.queue, order_by=(Job.queued_at, Job.id))
    ranked = select(Job.id, (rank - 1).label("position")).where(Job.state == "queued").subquery()
    rows = session.execute(select(ranked.c.id, ranked.c.position).where(ranked.c.id.in_(queued)))
    return {row.id: row.position for row in rows}


def cancel(session: Session, job_id: str) -> Job:
    """Cancel a job: at once when no worker has it, else its worker is told. Raises `Conflict` when over."""
    job = _lock(session, job_id)
    if job.state in transitions.ENTERED_FROM["cancelled"] - {"cancelling"}:
        return lifecycle.enter(session, job_id, "cancelled")
    return lifecycle.enter(session, job_id, "cancelling")


def pause(session: Session, job_id: str) -> Job:
    """Pause a job: it keeps its last checkpoint. Raises `Conflict` when the state does not allow it."""
    job = _lock(session, job_id)
    return lifecycle.enter(session, job_id, "paused" if job.state == "queued" else "pausing")


def resume(session: Session, job_id: str) -> Job:
    """Queue a paused job again. Raises `Conflict` unless it is paused, and a trial's search is not."""
    job = _lock(session, job_id)
    if job.state != "paused":
        raise Conflict("job_state", f"Job {job_id} is {job.state}; only a paused job can be resumed.")
    search = None if job.parent_id is None else session.get(Job, job.parent_id)
    if search is not None and search.state not in ("queued", "running"):
        raise Conflict("search_state", f"The trial's search, {search.id}, is {search.state}; resume that.")
    return lifecycle.enter(session, job_id, "queued")


def artifacts(session: Session, job_id: str) -> list[JobArtifact]:
    """The files that a job produced. Raises `NotFound` if there is no such job."""
    get(session, job_id)
    statement = select(JobArtifact).where(JobArtifact.job_id == job_id)
    return list(session.scalars(statement.order_by(JobArtifact.name)))


def artifact(session: Session, job_id: str, name: str) -> JobArtifact:
    """One file that a job produced. Raises `NotFound`."""
    found = session.get(JobArtifact, (job_id, name))
    if found is None:
        raise NotFound("artifact_not_found", f"Job {job_id!r} has no artifact {name!r}.")
    return found


def _lock(session: Session, job_id: str) -> Job:
    job = transitions.lock(session, job_id)
    if job is None:
        raise NotFound("job_not_found", f"There is no job {job_id!r}.")
    return job


def _digest(request: BaseModel) -> str:
    canonical = json.dumps(request.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _by_key(session: Session, key: str | None, digest: str) -> Job | None:
    if key is None:
        return None
    job = session.scalar(select(Job).where(Job.idempotency_key == key))
    if job is not None and job.request_digest != digest:
        raise Conflict("idempotency_key_reused", "This Idempotency-Key was used with another body; send a new key.")
    return job
