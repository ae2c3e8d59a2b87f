"""The course of a search: which trials it makes, what it wishes of them, and when it is concluded.

Everything here happens in the transaction that changes a job's state, under the lock of the search's row. A search
waits on the queue `trials`, which no worker serves. When its trials are over it goes to the queue that they were on,
for a worker to conclude it.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services import transitions
from services.database import now
from services.studies import ranking
from services.tables import TERMINAL, Job, Trial
from services.transitions import LEASED, JobState

QUEUE = "trials"
"""Where a search waits for its trials."""

# What becomes of a trial, by its state, when its search has entered a state.
_STOPPED: Mapping[str, JobState] = {
    "queued": "cancelled",
    "paused": "cancelled",
    "running": "cancelling",
    "pausing": "cancelling",
}
_HALTED: Mapping[str, JobState] = {"queued": "paused", "running": "pausing"}
WISHES: Mapping[str, Mapping[str, JobState]] = {
    "queued": {"paused": "queued"},
    "pausing": _HALTED,
    "paused": _HALTED,
    "cancelling": _STOPPED,
    "cancelled": _STOPPED,
    "failed": _STOPPED,
}


def follow(session: Session, job: Job) -> None:
    """Let a search follow from what has become of one of its trials, and its trials from what has become of it."""
    if job.kind == "search" and job.queue == QUEUE:
        _spread(session, job)
        advance(session, job.id)
    elif job.kind == "trial" and job.parent_id is not None:
        if job.state == "running":
            _begin(session, job.parent_id)
        elif job.state == "paused" or job.is_over:
            advance(session, job.parent_id, ended=job if job.is_over else None)


def advance(session: Session, search_id: str, *, ended: Job | None = None) -> None:
    """Make the trials that are to come, or end the search when there are none; once or many times is the same."""
    session.flush()
    search = session.get_one(Job, search_id, with_for_update=True, populate_existing=True)
    if search.queue != QUEUE or search.is_over:
        return
    tally = _tally(session, search)
    if ended is not None:
        _report(session, search, tally, ended)
    if search.state == "cancelling" and not _open(tally):
        transitions.enter(session, search_id, "cancelled")
    elif search.state == "pausing" and not LEASED & tally.keys():
        transitions.enter(session, search_id, "paused")
    elif search.state in ("queued", "running"):
        _go_on(session, search, tally)


def _begin(session: Session, search_id: str) -> None:
    """One of its trials has been taken, perhaps the first.

    Whoever holds the search's row just now is not waited for, since the trial is locked already: two could wait for
    each other. The search then begins with the next change.
    """
    waiting = select(Job.id).where(Job.id == search_id, Job.queue == QUEUE, Job.state == "queued")
    if session.scalar(waiting.with_for_update(skip_locked=True)) is not None:
        _run(session, search_id)


def _run(session: Session, search_id: str) -> None:
    transitions.enter(session, search_id, "running", values={"started_at": func.coalesce(Job.started_at, now())})


def _go_on(session: Session, search: Job, tally: Counter[str]) -> None:
    if search.state == "queued" and any(state not in ("queued", "paused") for state in tally):
        _run(session, search.id)
    request, made, open_trials = search.request, sum(tally.values()), _open(tally)
    if tally["failed"] >= (request["max_failures"] or float("inf")):
        _give_up(session, search, tally["failed"])
        return
    wanted = min(request["parallelism"] - open_trials, request["trials"] - made)
    if _is_out_of_time(session, search):
        wanted = 0
        open_trials -= _bring(session, search, {"queued": "cancelled"})
    if wanted > 0:
        for number in range(made, made + wanted):
            _make(session, search, number)
    elif open_trials == 0:
        transitions.enter(session, search.id, "queued", values={"queue": request["queue"]})


def _make(session: Session, search: Job, number: int) -> None:
    request: dict[str, Any] = {"kind": "trial", "search": search.id, "number": number}
    trial = Job(
        kind="trial",
        parent_id=search.id,
        queue=search.request["queue"],
        request=request,
        dataset_name=search.dataset_name,
    )
    transitions.create(session, trial)
    session.add(Trial(job_id=trial.id, search_id=search.id, number=number))
    session.flush()


def _give_up(session: Session, search: Job, failures: int) -> None:
    """More trials have failed than the user puts up with; those under way are cancelled."""
    failed = select(Job.error).where(Job.parent_id == search.id, Job.state == "failed")
    last = session.scalars(failed.order_by(Job.finished_at.desc(), Job.id.desc()).limit(1)).one() or {}
    detail = f"{failures} trials failed, and max_failures is {search.request['max_failures']}; the last: "
    error = {"code": "too_many_failures", "detail": detail + str(last.get("detail"))}
    _spread(session, transitions.enter(session, search.id, "failed", reason=error["code"], values={"error": error}))


def _spread(session: Session, search: Job) -> None:
    """Bring the trials in line with what has been wished of their search."""
    _bring(session, search, WISHES.get(search.state, {}))


def _bring(session: Session, search: Job, wishes: Mapping[str, JobState]) -> int:
    """Bring the trials that are in one of these states into what it is mapped to; how many there were."""
    trials = select(Job).where(Job.parent_id == search.id, Job.state.in_(wishes)).order_by(Job.id)
    found = session.scalars(trials.with_for_update(), execution_options={"populate_existing": True}).all()
    for trial in found:
        transitions.enter(session, trial.id, wishes[trial.state])
    return len(found)


def _report(session: Session, search: Job, tally: Counter[str], ended: Job) -> None:
    """Tell those who follow the search of a trial's end: how far it is, and the best value so far."""
    done, total = sum(tally.values()) - _open(tally), search.request["trials"]
    progress: dict[str, Any] = {"fraction": done / (total + 1), "epoch": None, "step": done, "eta_seconds": None}
    if search.started_at is not None:
        spent = session.scalars(select(now())).one() - search.started_at
        progress["eta_seconds"] = spent / done * (total - done)
    events = [("progress", progress), ("log", _told(session.get_one(Trial, ended.id)))]
    if (best := ranking.best_after(session, search, ended)) is not None:
        events.append(("metric", {"series": ranking.SERIES, "step": done, "value": best}))
    transitions.append(session, search.id, events, progress)


def _told(trial: Trial) -> dict[str, Any]:
    """The line of the search's log on a trial that has ended."""
    if trial.job.state == "failed":
        return {"level": "warning", "message": f"trial {trial.number} failed: {(trial.job.error or {}).get('detail')}"}
    values = ", ".join(f"{name} {value:.4g}" for name, value in (trial.values or {}).items())
    end = "was given up" if trial.pruned else trial.job.state
    return {"level": "info", "message": f"trial {trial.number} {end}" + (f": {values}" if values else "")}


def _is_out_of_time(session: Session, search: Job) -> bool:
    budget, started_at = search.request["time_budget_seconds"], search.started_at
    return budget is not None and started_at is not None and session.scalars(select(now())).one() > started_at + budget


def _tally(session: Session, search: Job) -> Counter[str]:
    """How many trials are in each state."""
    states = select(Job.state, func.count()).where(Job.parent_id == search.id).group_by(Job.state)
    return Counter(dict(session.execute(states).all()))


def _open(tally: Counter[str]) -> int:
    """How many trials have not reached their end."""
    return sum(count for state, count in tally.items() if state not in TERMINAL)
