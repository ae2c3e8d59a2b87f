"""One change of a job's state: a guarded UPDATE (compare-and-set) and one row in the job's append-only log.

What else follows from a change is `services.lifecycle`'s business; this is what it and `services.studies` are made of.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from services.database import after_commit, now
from services.errors import Conflict, LeaseLost, NotFound, SyllabusError
from services.queue import QUEUES
from services.tables import TERMINAL, Job, JobEvent

JobState = Literal[
    "queued", "running", "pausing", "paused", "interrupted", "cancelling", "succeeded", "failed", "cancelled"
]
# From which states each state may be entered.
ENTERED_FROM: Mapping[JobState, frozenset[JobState]] = {
    "queued": frozenset({"running", "interrupted", "paused"}),
    "running": frozenset({"queued"}),
    "pausing": frozenset({"running"}),
    "cancelling": frozenset({"running", "pausing"}),
    "paused": frozenset({"queued", "pausing"}),
    "interrupted": frozenset({"running", "pausing"}),
    "succeeded": frozenset({"running", "pausing"}),
    "failed": frozenset({"running", "pausing", "interrupted"}),
    "cancelled": frozenset({"queued", "paused", "cancelling"}),
}
# States in which a worker holds the job under a lease.
LEASED = frozenset({"running", "pausing", "cancelling"})

EventDraft = tuple[str, dict[str, Any]]


def enter(
    session: Session,
    job_id: str,
    state: JobState,
    *,
    token: str | None = None,
    reason: str | None = None,
    values: Mapping[str, Any] | None = None,
) -> Job:
    """Move a job to `state` and log it; one that becomes queued is rung for.

    With `token` the caller must hold that lease. Raises `LeaseLost` if it does not, `Conflict` if the
    job's state does not allow the change, `NotFound` if there is no such job.
    """
    changes: dict[str, Any] = {"state": state, "last_event": Job.last_event + 1, **(values or {})}
    if state not in LEASED:
        changes |= {"lease_token": None, "lease_expires_at": None}
    if state in TERMINAL:
        changes |= {"finished_at": now(), "eta_seconds": None}
    if state == "queued":
        changes |= {"queued_at": now()}
    statement = update(Job).where(Job.id == job_id, Job.state.in_(ENTERED_FROM[state]))
    if token is not None:
        statement = statement.where(Job.lease_token == token)
    job = session.scalars(
        statement.values(changes).returning(Job), execution_options={"populate_existing": True}
    ).one_or_none()
    if job is None:
        raise _refusal(session, job_id, state, token)
    data = {"state": state, "attempt": job.attempt} | ({"reason": reason} if reason else {})
    session.execute(insert(JobEvent).values(job_id=job_id, seq=job.last_event, type="state", data=data))
    if state == "queued":
        _ring(session, job)
    return job


def _refusal(session: Session, job_id: str, state: str, token: str | None) -> SyllabusError:
    job = session.get(Job, job_id, populate_existing=True)
    if job is None:
        return NotFound("job_not_found", f"There is no job {job_id!r}.")
    if token is not None and job.lease_token != token:
        return lease_lost(job_id)
    return Conflict("job_state", f"Job {job_id} is {job.state}; from there it cannot become {state}.")


def create(session: Session, job: Job) -> Job:
    """Insert a job as `queued`, with the first line of its log, and ring for it."""
    job.last_event = 1
    session.add(job)
    session.flush()
    session.execute(insert(JobEvent).values(job_id=job.id, seq=1, type="state", data={"state": "queued", "attempt": 0}))
    _ring(session, job)
    return job


def _ring(session: Session, job: Job) -> None:
    """Ring the doorbell for a queued job once the transaction has committed, if workers serve its queue."""
    if job.queue in QUEUES and (doorbell := session.info.get("doorbell")) is not None:
        after_commit(session, partial(doorbell.ring, job.queue))


def append(
    session: Session,
    job_id: str,
    events: Sequence[EventDraft],
    values: Mapping[str, Any],
    *,
    token: str | None = None,
) -> str:
    """Add lines to a job's log and set columns, whatever its state; answers the state. Raises `LeaseLost`."""
    statement = update(Job).where(Job.id == job_id)
    if token is not None:
        statement = statement.where(Job.lease_token == token)
    changes = {"last_event": Job.last_event + len(events), **values}
    row = session.execute(statement.values(changes).returning(Job.last_event, Job.state)).one_or_none()
    if row is None:
        raise lease_lost(job_id)
    last, state = row
    if events:
        numbered = enumerate(events, last - len(events) + 1)
        rows = [{"job_id": job_id, "seq": seq, "type": kind, "data": data} for seq, (kind, data) in numbered]
        session.execute(insert(JobEvent), rows)
    return str(state)


def lock(session: Session, job_id: str) -> Job | None:
    """Lock a job until the end of the transaction, and before it the search that it is a trial of; None if unknown.

    Whoever locks both does so in this order, so that no two wait for each other.
    """
    parent = select(Job.parent_id).where(Job.id == job_id).scalar_subquery()
    session.execute(select(Job.id).where(Job.id == parent).with_for_update())
    return session.get(Job, job_id, with_for_update=True, populate_existing=True)


def lease_lost(job_id: str) -> LeaseLost:
    """What a worker is told that writes under a lease which is no longer its own."""
    return LeaseLost("lease_lost", f"Job {job_id} is no longer held under this lease.")
