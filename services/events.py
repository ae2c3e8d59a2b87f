"""Reading a job's log: events to follow, metric series, log lines."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.tables import TERMINAL, Job, JobEvent

Series = dict[str, list[tuple[int, float]]]


def read(session: Session, job_id: str, after: int, limit: int = 500) -> list[JobEvent]:
    """The events numbered above `after`, oldest first."""
    statement = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.seq > after)
    return list(session.scalars(statement.order_by(JobEvent.seq).limit(limit)))


def is_over(session: Session, job_id: str) -> bool:
    """Whether the job has reached its end, after which no event is added."""
    return session.scalar(select(Job.state).where(Job.id == job_id)) in TERMINAL


def logs(session: Session, job_id: str) -> list[JobEvent]:
    """The job's log lines, oldest first."""
    statement = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.type == "log")
    return list(session.scalars(statement.order_by(JobEvent.seq)))


def series(session: Session, job_id: str, max_points: int = 1000) -> Series:
    """Every metric as points (step, value), thinned evenly to `max_points` with the last one kept.

    A step that an interrupted attempt had already reported is taken from the later attempt.
    """
    statement = select(JobEvent.data).where(JobEvent.job_id == job_id, JobEvent.type == "metric")
    points: dict[str, dict[int, float]] = {}
    for data in session.scalars(statement.order_by(JobEvent.seq)):
        if data["value"] is None:  # it was not a finite number
            continue
        points.setdefault(data["series"], {})[data["step"]] = data["value"]
    return {name: _thin(sorted(by_step.items()), max_points) for name, by_step in points.items()}


def _thin(points: list[tuple[int, float]], max_points: int) -> list[tuple[int, float]]:
    if len(points) <= max_points:
        return points
    last = len(points) - 1
    return [points[round(index * last / (max_points - 1))] for index in range(max_points)]
