"""Reading a job's log back."""

from services import events, lifecycle
from services.resources import Resources
from services.tables import Job
from services.transitions import EventDraft


def running(resources: Resources) -> tuple[str, str]:
    with resources.database.transaction() as session:
        job_id = lifecycle.create(session, Job(kind="train", queue="cpu", request={})).id
        job = lifecycle.claim(session, job_id, worker="w", lease_seconds=30)
        assert job is not None
        assert job.lease_token is not None
        return job_id, job.lease_token


def point(step: int, value: float) -> EventDraft:
    return "metric", {"series": "train_loss", "step": step, "value": value}


def test_a_long_series_is_thinned_with_both_ends_kept(resources: Resources) -> None:
    job_id, token = running(resources)
    with resources.database.transaction() as session:
        lifecycle.beat(session, job_id, token, lease_seconds=30, events=[point(step, step / 2) for step in range(5000)])
        series = events.series(session, job_id)["train_loss"]
    assert len(series) == 1000
    assert (series[0], series[-1]) == ((0, 0.0), (4999, 2499.5))
    assert all(value == step / 2 for step, value in series)


def test_a_step_reported_again_after_a_restart_counts_once(resources: Resources) -> None:
    job_id, token = running(resources)
    with resources.database.transaction() as session:
        points = [
            point(1, 3.0),
            point(2, 2.0),
            point(2, 1.5),
            point(3, 1.0),
            ("metric", {**point(4, 0)[1], "value": None}),
        ]
        lifecycle.beat(session, job_id, token, lease_seconds=30, events=points)
        assert events.series(session, job_id) == {"train_loss": [(1, 3.0), (2, 1.5), (3, 1.0)]}


def test_a_job_is_over_once_it_has_ended(resources: Resources) -> None:
    job_id, token = running(resources)
    with resources.database.transaction() as session:
        assert not events.is_over(session, job_id)
        lifecycle.enter(session, job_id, "succeeded", token=token)
        assert events.is_over(session, job_id)
