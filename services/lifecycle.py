"""The job lifecycle: every change of a job's state, in one place, with what follows from it.

```
queued ──▶ running ──▶ succeeded | failed
  ▲          │ ├─▶ interrupted ──▶ queued | failed
  │          │ ├─▶ pausing ──▶ paused ──▶ queued
  └──────────┘ └─▶ cancelling ──▶ cancelled
```
A change is one guarded UPDATE (compare-and-set on the state and, for a worker, on its lease token) and one
row in the job's append-only log. A worker whose token is no longer the job's changes nothing. A search moves on
with its trials, in the same transaction; it alone is queued while it runs: once, when its trials are over.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services import transitions
from services.database import now
from services.errors import Conflict, NotFound
from services.studies import course
from services.tables import Job, new_id
from services.transitions import LEASED, EventDraft, JobState, lease_lost


def enter(
    session: Session,
    job_id: str,
    state: JobState,
    *,
    token: str | None = None,
    reason: str | None = None,
    values: Mapping[str, Any] | None = None,
) -> Job:
    """Move a job to `state`, log it and let its search follow.

    With `token` the caller must hold that lease. Raises `LeaseLost` if it does not, `Conflict` if the
    job's state does not allow the change, `NotFound` if there is no such job.
    """
    job = transitions.enter(session, job_id, state, token=token, reason=reason, values=values)
    course.follow(session, job)
    return job


def create(session: Session, job: Job) -> Job:
    """Insert a job as `queued`, with the first line of its log; a search with its first trials."""
    transitions.create(session, job)
    course.follow(session, job)
    return job


def claim(session: Session, job_id: str, *, worker: str, lease_seconds: float) -> Job | None:
    """Take a queued job under a new lease; None if somebody else has it or it is not queued any more."""
    values = {
        "attempt": Job.attempt + 1,
        "lease_token": new_id(),
        "lease_expires_at": now() + lease_seconds,
        "worker": worker,
        "started_at": func.coalesce(Job.started_at, now()),
    }
    try:
        return enter(session, job_id, "running", values=values)
    except (Conflict, NotFound):
        return None


def claim_next(session: Session, queues: Collection[str], *, worker: str, lease_seconds: float) -> Job | None:
    """Take the job that has waited longest on these queues; None if none waits."""
    waiting = select(Job.id).where(Job.state == "queued", Job.queue.in_(queues)).order_by(Job.queued_at, Job.id)
    job_id = session.scalar(waiting.limit(1).with_for_update(skip_locked=True))
    return None if job_id is None else claim(session, job_id, worker=worker, lease_seconds=lease_seconds)


def beat(
    session: Session,
    job_id: str,
    token: str,
    *,
    lease_seconds: float,
    events: Sequence[EventDraft] = (),
    progress: Mapping[str, Any] | None = None,
) -> str:
    """Extend a lease, append events and set the columns in `progress`; answers the job's state.

    Raises `LeaseLost`.
    """
    values = {"lease_expires_at": now() + lease_seconds, **(progress or {})}
    return transitions.append(session, job_id, events, values, token=token)


def state_under(session: Session, job_id: str, token: str | None, *, lock: bool = False) -> str:
    """The job's state as its holder reads it: `pausing` and `cancelling` are wishes.

    With `lock` no wish can slip in before the end of the transaction; without a token anybody may ask.
    Raises `LeaseLost`.
    """
    if lock:
        transitions.lock(session, job_id)
    statement = select(Job.state).where(Job.id == job_id)
    if token is not None:
        statement = statement.where(Job.lease_token == token)
    state = session.scalar(statement)
    if state is None:
        raise lease_lost(job_id)
    return state


def fail(session: Session, job_id: str, error: dict[str, Any], *, token: str) -> Job:
    """End a job as failed, or as cancelled if that was wished meanwhile. Raises `LeaseLost`."""
    if state_under(session, job_id, token, lock=True) == "cancelling":
        return enter(session, job_id, "cancelled", token=token)
    return enter(session, job_id, "failed", token=token, values={"error": error}, reason=error["code"])


def interrupt(
    session: Session, job_id: str, cause: str, *, max_attempts: int, charged: bool = True, token: str | None = None
) -> Job:
    """A job's process or worker is gone: queue it again, or end it when its attempts are used up.

    A wish that was under way is fulfilled instead. `charged=False` gives the attempt back, as after a
    graceful stop. Raises `LeaseLost`.
    """
    refund = {} if charged else {"attempt": Job.attempt - 1}
    state = state_under(session, job_id, token, lock=True)
    if state == "cancelling":
        return enter(session, job_id, "cancelled", token=token, values=refund)
    job = session.get_one(Job, job_id, populate_existing=True)
    exhausted = charged and job.attempt >= max_attempts
    if state == "pausing" and not exhausted:
        return enter(session, job_id, "paused", token=token, values=refund)
    enter(session, job_id, "interrupted", token=token, reason=cause, values=refund)
    if not exhausted:
        return enter(session, job_id, "queued")
    detail = f"Its process ended {job.attempt} times without finishing; the last cause: {cause}."
    error = {"code": "attempts_exhausted", "detail": detail}
    return enter(session, job_id, "failed", reason=cause, values={"error": error})


def expired(session: Session) -> dict[str, str]:
    """Tokens by job id of the leases that have run out by the database's clock."""
    statement = select(Job.id, Job.lease_token).where(Job.state.in_(LEASED), Job.lease_expires_at < now())
    return {job_id: str(token) for job_id, token in session.execute(statement)}
