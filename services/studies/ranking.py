"""The best value that a search has found so far."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.tables import Job, JobEvent, Trial
from shapes.search import losses

SERIES = "best"
"""The metric series of a search: the best value so far of its first objective, by the number of trials that ended."""


def best_after(session: Session, search: Job, ended: Job) -> float | None:
    """The best value of the first objective, now that one more trial has ended; None if none has one."""
    objective = search.request["objectives"][0]
    last = session.scalars(
        select(JobEvent.data)
        .where(JobEvent.job_id == search.id, JobEvent.type == "metric")
        .order_by(JobEvent.seq.desc())
        .limit(1)
    ).one_or_none()
    values = [] if last is None else [last["value"]]
    trial = session.get_one(Trial, ended.id)
    if ended.state == "succeeded" and not trial.pruned and trial.values is not None:
        values.append(trial.values[objective["metric"]])
    return min(values, key=lambda value: losses([objective], {objective["metric"]: value}), default=None)
