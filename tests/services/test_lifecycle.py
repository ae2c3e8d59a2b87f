"""The state machine: guarded, fenced, logged; the same on both databases."""

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import select

from services import events, lifecycle, transitions
from services.errors import Conflict, LeaseLost, NotFound
from services.resources import Resources
from services.tables import TERMINAL, Job, JobEvent
from services.transitions import JobState

LEASE = 30.0


def queued(resources: Resources) -> str:
    with resources.database.transaction() as session:
        return lifecycle.create(session, Job(kind="train", queue="cpu", request={})).id


def claimed(resources: Resources, lease_seconds: float = LEASE) -> tuple[str, str]:
    job_id = queued(resources)
    with resources.database.transaction() as session:
        job = lifecycle.claim(session, job_id, worker="w", lease_seconds=lease_seconds)
        assert job is not None
        assert job.lease_token is not None
        return job_id, job.lease_token


def state(resources: Resources, job_id: str) -> str:
    with resources.database.transaction() as session:
        return session.scalars(select(Job.state).where(Job.id == job_id)).one()


def log(resources: Resources, job_id: str) -> list[str]:
    with resources.database.transaction() as session:
        return [event.data["state"] for event in events.read(session, job_id, 0) if event.type == "state"]


def test_a_second_claim_of_the_same_job_gets_nothing(resources: Resources) -> None:
    job_id, _ = claimed(resources)
    with resources.database.transaction() as session:
        assert lifecycle.claim(session, job_id, worker="other", lease_seconds=LEASE) is None
    assert log(resources, job_id) == ["queued", "running"]


def test_of_twenty_claims_at_once_one_wins(resources: Resources) -> None:
    job_id = queued(resources)
    winners: list[str] = []
    barrier = threading.Barrier(20)

    def claim(name: str) -> None:
        barrier.wait()
        with resources.database.transaction() as session:
            if lifecycle.claim(session, job_id, worker=name, lease_seconds=LEASE):
                winners.append(name)

    threads = [threading.Thread(target=claim, args=(str(number),)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1


def test_jobs_are_taken_in_the_order_they_were_queued_from_the_queues_asked_for(resources: Resources) -> None:
    first, second = queued(resources), queued(resources)
    with resources.database.transaction() as session:
        lifecycle.create(session, Job(kind="ingest", queue="io", request={}))
        taken = [lifecycle.claim_next(session, ["gpu", "cpu"], worker="w", lease_seconds=LEASE) for _ in range(3)]
    assert [job and job.id for job in taken] == [first, second, None]


def test_every_change_is_numbered_without_gaps_in_one_log(resources: Resources) -> None:
    job_id, token = claimed(resources)
    with resources.database.transaction() as session:
        events_ = [("log", {"message": "a"}), ("log", {"message": "b"})]
        lifecycle.beat(session, job_id, token, lease_seconds=LEASE, events=events_, progress={"epoch": 1})
        lifecycle.enter(session, job_id, "succeeded", token=token)
    with resources.database.transaction() as session:
        read = events.read(session, job_id, 0)
        assert [event.seq for event in read] == [1, 2, 3, 4, 5]
        assert [event.type for event in read] == ["state", "state", "log", "log", "state"]
        assert [event.seq for event in events.read(session, job_id, 3)] == [4, 5]


WORKER_WRITES: list[Callable[[Resources, str, str], None]] = []


def worker_write(write: Callable[..., object]) -> Callable[..., object]:
    WORKER_WRITES.append(write)  # type: ignore[arg-type]
    return write


@worker_write
def renews(resources: Resources, job_id: str, token: str) -> None:
    with resources.database.transaction() as session:
        lifecycle.beat(session, job_id, token, lease_seconds=LEASE)


@worker_write
def reports(resources: Resources, job_id: str, token: str) -> None:
    with resources.database.transaction() as session:
        lifecycle.beat(session, job_id, token, lease_seconds=LEASE, events=[("log", {"message": "late"})])


@worker_write
def reads_its_wish(resources: Resources, job_id: str, token: str) -> None:
    with resources.database.transaction() as session:
        lifecycle.state_under(session, job_id, token)


@worker_write
def succeeds(resources: Resources, job_id: str, token: str) -> None:
    with resources.database.transaction() as session:
        lifecycle.enter(session, job_id, "succeeded", token=token)


@worker_write
def fails(resources: Resources, job_id: str, token: str) -> None:
    with resources.database.transaction() as session:
        lifecycle.fail(session, job_id, {"code": "x", "detail": "y"}, token=token)


@worker_write
def interrupts(resources: Resources, job_id: str, token: str) -> None:
    with resources.database.transaction() as session:
        lifecycle.interrupt(session, job_id, "z", max_attempts=3, token=token)


@pytest.mark.parametrize("write", WORKER_WRITES, ids=lambda write: write.__name__)
def test_a_worker_that_lost_its_lease_changes_nothing(
    resources: Resources, write: Callable[[Resources, str, str], None]
) -> None:
    job_id, stale = claimed(resources, lease_seconds=0.0)
    with resources.database.transaction() as session:
        time.sleep(0.01)
        assert lifecycle.expired(session) == {job_id: stale}
        lifecycle.interrupt(session, job_id, "lost", max_attempts=3)
    with resources.database.transaction() as session:
        assert lifecycle.claim(session, job_id, worker="second", lease_seconds=LEASE) is not None
    before = log(resources, job_id)
    with pytest.raises(LeaseLost):
        write(resources, job_id, stale)
    assert log(resources, job_id) == before == ["queued", "running", "interrupted", "queued", "running"]


def test_a_lease_that_is_renewed_does_not_expire(resources: Resources) -> None:
    job_id, token = claimed(resources, lease_seconds=0.0)
    with resources.database.transaction() as session:
        lifecycle.beat(session, job_id, token, lease_seconds=LEASE)
        assert lifecycle.expired(session) == {}


def test_the_third_death_fails_a_job_with_its_cause(resources: Resources) -> None:
    job_id = queued(resources)
    for _ in range(3):
        with resources.database.transaction() as session:
            job = lifecycle.claim(session, job_id, worker="w", lease_seconds=LEASE)
            assert job is not None
            lifecycle.interrupt(session, job_id, "killed by SIGKILL", max_attempts=3, token=job.lease_token)
    with resources.database.transaction() as session:
        job = session.get_one(Job, job_id)
        assert (job.state, job.attempt) == ("failed", 3)
        assert job.error is not None
        assert job.error["code"] == "attempts_exhausted"
        assert "SIGKILL" in job.error["detail"]


def test_a_graceful_stop_gives_the_attempt_back(resources: Resources) -> None:
    job_id = queued(resources)
    for _ in range(5):
        with resources.database.transaction() as session:
            job = lifecycle.claim(session, job_id, worker="w", lease_seconds=LEASE)
            assert job is not None
            job = lifecycle.interrupt(session, job_id, "stopped", max_attempts=3, charged=False, token=job.lease_token)
            assert (job.state, job.attempt) == ("queued", 0)


def test_pausing_before_every_crash_does_not_add_attempts(resources: Resources) -> None:
    job_id = queued(resources)
    states = []
    for _ in range(3):
        with resources.database.transaction() as session:
            job = lifecycle.claim(session, job_id, worker="w", lease_seconds=LEASE)
            assert job is not None
            lifecycle.enter(session, job_id, "pausing")
            job = lifecycle.interrupt(session, job_id, "SIGKILL", max_attempts=3, token=job.lease_token)
            states.append(job.state)
            if job.state == "paused":
                lifecycle.enter(session, job_id, "queued")
    assert states == ["paused", "paused", "failed"]


@pytest.mark.parametrize(("wish", "end"), [("cancelling", "cancelled"), ("pausing", "paused")])
def test_a_wish_is_fulfilled_when_the_worker_dies(resources: Resources, wish: JobState, end: str) -> None:
    job_id, _ = claimed(resources)
    with resources.database.transaction() as session:
        lifecycle.enter(session, job_id, wish)
    with resources.database.transaction() as session:
        lifecycle.interrupt(session, job_id, "its worker stopped answering", max_attempts=3)
    assert state(resources, job_id) == end


def test_a_failure_does_not_undo_a_cancellation(resources: Resources) -> None:
    job_id, token = claimed(resources)
    with resources.database.transaction() as session:
        lifecycle.enter(session, job_id, "cancelling")
    with resources.database.transaction() as session:
        lifecycle.fail(session, job_id, {"code": "x", "detail": "y"}, token=token)
    assert state(resources, job_id) == "cancelled"


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_nothing_leaves_an_end(resources: Resources, end: str) -> None:
    job_id = queued(resources)
    with resources.database.transaction() as session:
        session.get_one(Job, job_id).state = end
    for target in transitions.ENTERED_FROM:
        with pytest.raises(Conflict), resources.database.transaction() as session:
            lifecycle.enter(session, job_id, target)
    assert state(resources, job_id) == end


def test_an_unknown_job_is_not_found(resources: Resources) -> None:
    with pytest.raises(NotFound), resources.database.transaction() as session:
        lifecycle.enter(session, "nobody", "cancelled")


def test_eight_writers_are_never_locked_out(resources: Resources) -> None:
    job_id, token = claimed(resources)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(25):
                with resources.database.transaction() as session:
                    lifecycle.beat(session, job_id, token, lease_seconds=LEASE, events=[("log", {"message": "m"})])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with resources.database.transaction() as session:
        seqs = list(session.scalars(select(JobEvent.seq).where(JobEvent.job_id == job_id).order_by(JobEvent.seq)))
    assert seqs == list(range(1, 2 + 1 + 200))
