"""The sweeper finds what died and deletes what nothing names."""

import os
import threading
import time
from dataclasses import asdict
from pathlib import Path

from redis import Redis
from sqlalchemy import update

from services import datasets, lifecycle
from services.resources import Resources
from services.tables import Dataset, Job, JobArtifact
from workers import recording
from workers.sweeper import COLLECT_SECONDS, LATE_SECONDS, ORPHAN_SECONDS, SECOND_LOOK_SECONDS, UPLOAD_SECONDS, Sweeper


def queued(resources: Resources, age_seconds: float = 0.0) -> str:
    with resources.database.transaction() as session:
        job = lifecycle.create(session, Job(kind="train", queue="cpu", request={}))
        session.execute(update(Job).where(Job.id == job.id).values(queued_at=Job.queued_at - age_seconds))
        return job.id


def state(resources: Resources, job_id: str) -> tuple[str, int]:
    with resources.database.transaction() as session:
        job = session.get_one(Job, job_id)
        return job.state, job.attempt


def drain(resources: Resources) -> None:
    with Redis(unix_socket_path=resources.settings.broker.removeprefix("redis+socket://")) as client:
        client.flushall()


def age(path: Path, seconds: float) -> Path:
    os.utime(path, (time.time() - seconds, time.time() - seconds))
    return path


def test_an_expired_lease_queues_the_job_again_and_rings(resources: Resources) -> None:
    job_id = queued(resources)
    drain(resources)
    with resources.database.transaction() as session:
        lifecycle.claim(session, job_id, worker="w", lease_seconds=-1)
    Sweeper(resources).sweep()
    assert state(resources, job_id) == ("queued", 1)
    assert resources.doorbell.depth("cpu") == 1


def test_a_worker_that_was_only_kept_from_the_database_is_left_alone(resources: Resources) -> None:
    job_id = queued(resources)
    with resources.database.transaction() as session:
        job = lifecycle.claim(session, job_id, worker="w", lease_seconds=-1)
        assert job is not None
        token = str(job.lease_token)

    def renew_late() -> None:
        time.sleep(SECOND_LOOK_SECONDS / 4)
        with resources.database.transaction() as session:
            lifecycle.beat(session, job_id, token, lease_seconds=30)

    worker = threading.Thread(target=renew_late)
    worker.start()
    Sweeper(resources).sweep()
    worker.join()
    assert state(resources, job_id) == ("running", 1)


def test_a_lease_in_force_is_left_alone(resources: Resources) -> None:
    job_id = queued(resources)
    with resources.database.transaction() as session:
        lifecycle.claim(session, job_id, worker="w", lease_seconds=30)
    Sweeper(resources).sweep()
    assert state(resources, job_id) == ("running", 1)


def test_jobs_that_the_broker_forgot_are_rung_for_again_and_not_twice(resources: Resources) -> None:
    for _ in range(3):
        queued(resources, age_seconds=LATE_SECONDS + 1)
    drain(resources)
    sweeper = Sweeper(resources)
    sweeper.sweep()
    sweeper.sweep()
    assert resources.doorbell.depth("cpu") == 3


def test_a_job_just_queued_is_not_rung_for_again(resources: Resources) -> None:
    queued(resources)
    drain(resources)
    Sweeper(resources).sweep()
    assert resources.doorbell.depth("cpu") == 0


def test_files_that_nothing_names_are_deleted_and_named_ones_kept(resources: Resources) -> None:
    settings = resources.settings
    active, over = queued(resources), queued(resources)
    kept_file, orphan = settings.root / "kept", settings.root / "orphan"
    kept_file.write_bytes(b"kept")
    orphan.write_bytes(b"orphan")
    kept_artifact, lost_artifact = resources.artifacts.put(kept_file), resources.artifacts.put(orphan)
    manifest = {"digest": "sha256:abc", "modality": "image", "task": None}
    with resources.database.transaction() as session:
        lifecycle.enter(session, over, "cancelled")
        session.add(Dataset(name="kept", format="npz", manifest=manifest))
        row = {"sha256": kept_artifact.sha256, "size": 4, "media_type": "text/plain"}
        session.add(JobArtifact(job_id=over, name="kept", **row))
    kept, gone = [datasets.directory(settings, manifest)], [settings.datasets / "deleted"]
    kept.append(settings.jobs / active)
    gone.append(settings.jobs / over)
    for directory in (*kept, *gone):
        directory.mkdir()
        (directory / "file").touch()
        age(directory, COLLECT_SECONDS + 1)
    for name, listing in ((active, kept), (over, gone), ("aborted.part", gone)):
        (settings.uploads / name).touch()
        listing.append(age(settings.uploads / name, UPLOAD_SECONDS + 1))
    kept.append(age(resources.artifacts.path(kept_artifact.sha256), ORPHAN_SECONDS + 1))
    gone.append(age(resources.artifacts.path(lost_artifact.sha256), ORPHAN_SECONDS + 1))
    (settings.uploads / "arriving.part").touch()
    kept.append(settings.uploads / "arriving.part")

    Sweeper(resources).sweep()

    assert [path for path in kept if not path.exists()] == []
    assert [path for path in gone if path.exists()] == []


def test_a_broker_out_of_reach_does_not_stop_the_sweep(resources: Resources, tmp_path: Path) -> None:
    deaf = Resources.open(resources.settings.model_copy(update={"broker_url": f"redis+socket://{tmp_path}/none"}))
    job_id = queued(resources)
    with resources.database.transaction() as session:
        lifecycle.claim(session, job_id, worker="w", lease_seconds=-1)
    Sweeper(deaf).sweep()
    assert state(resources, job_id) == ("queued", 1)
    deaf.close()


def test_what_a_later_artifact_of_the_same_name_replaced_is_deleted(resources: Resources) -> None:
    job_id, sheet = queued(resources), resources.settings.root / "sheet"
    stored = []
    for content in (b"first", b"second"):
        sheet.write_bytes(content)
        stored.append(resources.artifacts.put(sheet))
        with resources.database.transaction() as session:
            recording.keep(session, job_id, [{"name": "sheet.png", "media_type": "image/png", **asdict(stored[-1])}])
    first, second = (age(resources.artifacts.path(each.sha256), ORPHAN_SECONDS + 1) for each in stored)
    Sweeper(resources).sweep()
    assert (first.exists(), second.exists()) == (False, True)
