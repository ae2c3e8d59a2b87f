"""Use-cases of data sets, on both databases."""

from pathlib import Path

import pytest
from sqlalchemy import select

from services import datasets, lifecycle, uploads
from services.errors import Conflict, Invalid, NotFound
from services.requests.datasets import DatasetOptions
from services.resources import Resources
from services.tables import Dataset, Job
from services.transitions import JobState

MANIFEST = {"digest": "sha256:abc", "task": "classification", "modality": "image"}


def create(resources: Resources, name: str = "photos") -> Job:
    upload = resources.settings.uploads / "incoming.part"
    upload.write_bytes(b"content")
    with resources.database.transaction() as session:
        options = DatasetOptions(channels=3)
        _, job = datasets.create(session, resources, name=name, format="auto", options=options, upload=upload, size=7)
        return job


def state(resources: Resources, name: str = "photos") -> str:
    with resources.database.transaction() as session:
        return datasets.get(session, name).state


def enter(resources: Resources, job_id: str, *states: JobState) -> None:
    with resources.database.transaction() as session:
        for each in states:
            lifecycle.enter(session, job_id, each)


def complete(resources: Resources, job_id: str) -> None:
    enter(resources, job_id, "running", "succeeded")
    with resources.database.transaction() as session:
        datasets.complete(session, job_id, MANIFEST)


def test_an_upload_becomes_the_ingest_jobs_and_rings(resources: Resources) -> None:
    before = resources.doorbell.depth("io")
    job = create(resources)
    assert uploads.path_of(resources.settings, job.id).read_bytes() == b"content"
    assert job.request["options"] == {"channels": 3}
    assert resources.doorbell.depth("io") == before + 1
    assert state(resources) == "ingesting"


def test_the_state_follows_the_ingest_job(resources: Resources) -> None:
    complete(resources, create(resources).id)
    assert state(resources) == "ready"
    cancelled = create(resources, "other")
    enter(resources, cancelled.id, "cancelled")
    with resources.database.transaction() as session:
        dataset = datasets.get(session, "other")
        assert (dataset.state, dataset.error and dataset.error["code"]) == ("failed", "cancelled")


def test_a_taken_name_is_a_conflict_and_the_upload_stays_the_callers(resources: Resources) -> None:
    create(resources)
    with pytest.raises(Conflict):
        create(resources)
    assert (resources.settings.uploads / "incoming.part").exists()


def test_a_failed_data_set_makes_way_for_a_new_one(resources: Resources) -> None:
    first = create(resources)
    with resources.database.transaction() as session:
        claimed = lifecycle.claim(session, first.id, worker="w", lease_seconds=30)
        assert claimed is not None
        token = str(claimed.lease_token)
        lifecycle.fail(session, first.id, {"code": "archive_unsafe", "detail": "no"}, token=token)
    assert state(resources) == "failed"
    create(resources)
    assert state(resources) == "ingesting"


def test_a_job_on_what_is_not_ready_is_told_what_helps(resources: Resources) -> None:
    job = create(resources)
    for states, remedy in (((), "wait until it is ready"), (("cancelled",), "see its error at /v1/datasets/photos")):
        enter(resources, job.id, *states)
        with resources.database.transaction() as session, pytest.raises(Invalid, match=remedy):
            datasets.named_in_body(session, "photos")


def test_a_data_set_in_use_is_not_deleted(resources: Resources) -> None:
    complete(resources, create(resources).id)
    with resources.database.transaction() as session:
        user = lifecycle.create(session, Job(kind="train", queue="cpu", request={}, dataset_name="photos"))
    with pytest.raises(Conflict) as caught, resources.database.transaction() as session:
        datasets.delete(session, "photos")
    assert caught.value.code == "dataset_in_use"
    enter(resources, user.id, "cancelled")
    with resources.database.transaction() as session:
        datasets.delete(session, "photos")
    with pytest.raises(NotFound):
        state(resources)


def test_a_built_in_data_set_stays(resources: Resources) -> None:
    with resources.database.transaction() as session:
        session.add(Dataset(name="digits", format="builtin", builtin=True, manifest=MANIFEST))
    with pytest.raises(Conflict) as caught, resources.database.transaction() as session:
        datasets.delete(session, "digits")
    assert caught.value.code == "dataset_builtin"


def test_equal_data_shares_a_directory(resources: Resources) -> None:
    assert datasets.directory(resources.settings, MANIFEST) == resources.settings.datasets / "abc"


def test_nothing_is_left_when_the_upload_has_vanished(resources: Resources, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), resources.database.transaction() as session:
        datasets.create(
            session,
            resources,
            name="ghost",
            format="auto",
            options=DatasetOptions(),
            upload=tmp_path / "gone",
            size=1,
        )
    with resources.database.transaction() as session:
        assert list(session.scalars(select(Job))) == []
        assert list(session.scalars(select(Dataset))) == []
