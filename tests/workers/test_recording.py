"""What a job came to is recorded whole, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from services import datasets, jobs, lifecycle, registry
from services.errors import Conflict, LeaseLost
from services.resources import Resources
from services.tables import Dataset, Job, ModelVersion
from workers import recording

MANIFEST = {"digest": "sha256:abc", "modality": "image", "task": "classification"}
FILE = {"name": "model.onnx", "path": "gone", "sha256": "0", "size": 1, "media_type": "application/octet-stream"}
RECORD: dict[str, Any] = {
    "task": "classification",
    "architecture": "lenet",
    "hyperparameters": {},
    "dataset_digest": "sha256:1",
    "metrics": {},
    "parity": {},
    "signature": {},
    "labels": ["a"],
}
TRAINED: dict[str, Any] = {
    "result": {"model": "m"},
    "files": [FILE],
    "version": RECORD,
    "variants": None,
    "manifest": None,
    "trial": None,
}


def claimed(resources: Resources, kind: str = "train", **request: Any) -> tuple[str, str]:
    with resources.database.transaction() as session:
        request = {"model": "m", "dataset": "d", **request}
        job_id = lifecycle.create(session, Job(kind=kind, queue="cpu", request=request)).id
        job = lifecycle.claim(session, job_id, worker="w", lease_seconds=30)
        assert job is not None
        return job_id, str(job.lease_token)


def succeed(resources: Resources, job_id: str, token: str, outcome: dict[str, Any]) -> None:
    with resources.database.transaction() as session:
        recording.succeed(session, resources, job_id, token, outcome)


def ingested(resources: Resources, name: str) -> dict[str, Any]:
    source = resources.settings.jobs / name
    source.mkdir()
    (source / "train.inputs.npy").write_text(name)
    files: dict[str, Any] = {"files": [], "version": None, "variants": None}
    return {"result": {}, **files, "manifest": MANIFEST, "dataset": str(source), "trial": None}


def test_version_artifacts_and_result_appear_with_the_state(resources: Resources) -> None:
    job_id, token = claimed(resources)
    succeed(resources, job_id, token, TRAINED)
    with resources.database.transaction() as session:
        job = jobs.get(session, job_id)
        assert (job.state, job.result) == ("succeeded", {"model": "m", "version": 1})
        assert [each.name for each in jobs.artifacts(session, job_id)] == ["model.onnx"]


@pytest.mark.parametrize("change", ["cancelled", "taken"])
def test_nothing_appears_of_a_job_that_was_cancelled_or_taken_away(resources: Resources, change: str) -> None:
    job_id, token = claimed(resources)
    with resources.database.transaction() as session:
        if change == "cancelled":
            lifecycle.enter(session, job_id, "cancelling")
        else:
            lifecycle.interrupt(session, job_id, "lost", max_attempts=3)
    if change == "cancelled":
        succeed(resources, job_id, token, TRAINED)
    else:
        with pytest.raises(LeaseLost):
            succeed(resources, job_id, token, TRAINED)
    with resources.database.transaction() as session:
        assert jobs.get(session, job_id).state == ("cancelled" if change == "cancelled" else "queued")
        assert session.query(ModelVersion).count() == 0
        assert jobs.artifacts(session, job_id) == []


def test_of_two_files_of_one_name_the_later_stays(resources: Resources) -> None:
    job_id, token = claimed(resources)
    sheet = {**FILE, "name": "sheet.png", "media_type": "image/png"}
    for files in ([sheet], [{**sheet, "sha256": "1"}, {**sheet, "sha256": "2", "size": 9}]):
        with resources.database.transaction() as session:
            recording.keep(session, job_id, files)
    succeed(resources, job_id, token, {**TRAINED, "files": [FILE, {**FILE, "name": "model.onnx"}]})
    with resources.database.transaction() as session:
        kept = [(each.name, each.sha256, each.size) for each in jobs.artifacts(session, job_id)]
    assert kept == [("model.onnx", "0", 1), ("sheet.png", "2", 9)]


def test_a_version_that_its_model_cannot_take_leaves_the_job_as_it_was(resources: Resources) -> None:
    succeed(resources, *claimed(resources), TRAINED)
    job_id, token = claimed(resources)
    with pytest.raises(Conflict):
        succeed(resources, job_id, token, {**TRAINED, "version": {**RECORD, "task": "regression"}})
    with resources.database.transaction() as session:
        assert jobs.get(session, job_id).state == "running"
        assert jobs.artifacts(session, job_id) == []


def test_accepted_variants_appear_with_the_state_and_newer_ones_replace_them(resources: Resources) -> None:
    succeed(resources, *claimed(resources), TRAINED)
    for sha256 in ("1", "2"):
        job_id, token = claimed(resources, kind="optimize", version=1)
        outcome: dict[str, Any] = {
            "result": {},
            "files": [{**FILE, "name": "int8.onnx", "sha256": sha256}],
            "version": None,
            "variants": [{"name": "int8", "file": "int8.onnx", "report": {"made": sha256}}],
            "manifest": None,
            "trial": None,
        }
        succeed(resources, job_id, token, outcome)
        with resources.database.transaction() as session:
            (variant,) = registry.version(session, "m").variants
            assert (variant.onnx_sha256, variant.report, variant.job_id) == (sha256, {"made": sha256}, job_id)
    with resources.database.transaction() as session:
        assert registry.revision(session, "m") == 3


def test_arrays_are_moved_to_their_digest_and_equal_ones_serve_both(resources: Resources) -> None:
    for name in ("first", "second"):
        job_id, token = claimed(resources, kind="ingest")
        with resources.database.transaction() as session:
            session.add(Dataset(name=name, format="npz", job_id=job_id))
        succeed(resources, job_id, token, ingested(resources, name))
    target: Path = datasets.directory(resources.settings, MANIFEST)
    assert (target / "train.inputs.npy").read_text() == "first"
    with resources.database.transaction() as session:
        assert [datasets.get(session, name).state for name in ("first", "second")] == ["ready", "ready"]


def test_arrays_that_are_nowhere_are_an_error_and_the_data_set_not_ready(resources: Resources) -> None:
    job_id, token = claimed(resources, kind="ingest")
    with resources.database.transaction() as session:
        session.add(Dataset(name="ghost", format="npz", job_id=job_id))
    outcome = {**ingested(resources, "ghost"), "dataset": "nowhere"}
    with pytest.raises(FileNotFoundError):
        succeed(resources, job_id, token, outcome)
    with resources.database.transaction() as session:
        assert datasets.get(session, "ghost").state == "ingesting"
