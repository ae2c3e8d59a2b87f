"""The job lifecycle: every change of a job's state, in one place.

```
queued ──▶ running ──▶ succeeded | failed
  ▲          │ ├─▶ interrupted ──▶ queued | failed
  │          │ ├─▶ pausing ──▶ paused ──▶ queued
  └──────────┘ └─▶ cancelling ──▶ cancelled
```
A change is one guarded UPDATE (compare-and-set on the state and, for a worker, on its lease token) and one
row in the job's append-only log. A worker whose token is no longer the job's changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from services.database import now
from services.errors import Conflict, LeaseLost, NotFound, SyllabusError
from services.tables import TERMINAL, Job, JobEvent, new_id

# From which states each state may be entered.
ENTERED_FROM: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"interrupted", "paused"}),
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
    state: str,
    *,
    token: str | None = None,
    reason: str | None = None,
    values: Mapping[str, Any] | None = None,
) -> Job:
    """Move a job to `state` and log it.

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
    return job


def _refusal(session: Session, job_id: str, state: str, token: str | None) -> SyllabusError:
    job = session.get(Job, job_id, populate_existing=True)
    if job is None:
        return NotFound("job_not_found", f"There is no job {job_id!r}.")
    if token is not None and job.lease_token != token:
        return _lease_lost(job_id)
    return Conflict("job_state", f"Job {job_id} is {job.state}; from there it cannot become {state}.")


def create(session: Session, job: Job) -> Job:
    """Insert a job as `queued`, with the first line of its log."""
    job.last_event = 1
    session.add(job)
    session.flush()
    session.execute(insert(JobEvent).values(job_id=job.id, seq=1, type="state", data={"state": "queued", "attempt": 0}))
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
    statement = update(Job).where(Job.id == job_id, Job.lease_token == token)
    changes = {
        "last_event": Job.last_event + len(events),
        "lease_expires_at": now() + lease_seconds,
        **(progress or {}),
    }
    row = session.execute(statement.values(changes).returning(Job.last_event, Job.state)).one_or_none()
    if row is None:
        raise _lease_lost(job_id)
    last, state = row
    if events:
        numbered = enumerate(events, last - len(events) + 1)
        rows = [{"job_id": job_id, "seq": seq, "type": kind, "data": data} for seq, (kind, data) in numbered]
        session.execute(insert(JobEvent), rows)
    return str(state)


def state_under(session: Session, job_id: str, token: str | None, *, lock: bool = False) -> str:
    """The job's state as its holder reads it: `pausing` and `cancelling` are wishes.

    With `lock` no wish can slip in before the end of the transaction; without a token anybody may ask.
    Raises `LeaseLost`.
    """
    statement = select(Job.state).where(Job.id == job_id)
    if token is not None:
        statement = statement.where(Job.lease_token == token)
    state = session.scalar(statement.with_for_update() if lock else statement)
    if state is None:
        raise _lease_lost(job_id)
    return state


def _lease_lost(job_id: str) -> LeaseLost:
    return LeaseLost("lease_lost", f"Job {job_id} is no longer held under this lease.")


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


def expired(session: Session, *, lock: bool = False) -> dict[str, str]:
    """Tokens by job id of the leases that have run out by the database's clock; locked for the transaction if asked."""
    statement = select(Job.id, Job.lease_token).where(Job.state.in_(LEASED), Job.lease_expires_at < now())
    rows = session.execute(statement.with_for_update(skip_locked=True) if lock else statement)
    return {job_id: str(token) for job_id, token in rows}
