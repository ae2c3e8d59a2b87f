"""Which of a search's trials are the best so far."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.tables import Job, JobEvent, Trial

SERIES = "best"
"""The metric series of a search: the best value so far of its first objective, by the number of trials that ended."""

Objectives = Sequence[Mapping[str, str]]


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
    return min(values, key=lambda value: _loss(value, objective), default=None)


def front(objectives: Objectives, values: Mapping[int, Mapping[str, float]]) -> set[int]:
    """The numbers of the trials that no other is at least as good as in every objective, and better in one.

    `values` are those of completed trials by number. With one objective they are the best, if several are equally good.
    """
    losses = {number: tuple(_loss(own[each["metric"]], each) for each in objectives) for number, own in values.items()}
    found: list[tuple[float, ...]] = []
    for own in sorted(set(losses.values())):  # whatever beats another stands before it
        if not any(all(a <= b for a, b in zip(other, own, strict=True)) for other in found):
            found.append(own)
    return {number for number, own in losses.items() if own in found}


def _loss(value: Any, objective: Mapping[str, str]) -> float:
    return -float(value) if objective["direction"] == "maximize" else float(value)
