"""Use-cases of jobs: submit, look up, cancel, pause, resume."""

import hashlib
import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services import datasets, lifecycle, presence, registry
from services.database import after_commit
from services.errors import Conflict, Invalid, NotFound
from services.pages import Page, newest_first
from services.requests import EvaluateRequest, InferRequest, JobRequest, OptimizeRequest, TrainRequest
from services.resources import Resources
from services.tables import Dataset, Job, JobArtifact, Model, ModelVersion


def submit(session: Session, resources: Resources, request: JobRequest, *, idempotency_key: str | None) -> Job:
    """Check a request and queue it.

    With a key that was used before, the earlier job is answered if the body is the same.
    Raises `Invalid` naming the wrong field, `Conflict` if the key came with another body.
    """
    digest = _digest(request)
    if (earlier := _by_key(session, idempotency_key, digest)) is not None:
        return earlier
    job = _prepare(session, resources, request)
    job.idempotency_key, job.request_digest = idempotency_key, digest
    try:
        with session.begin_nested():
            lifecycle.create(session, job)
    except IntegrityError:  # the same key at the same moment
        if (winner := _by_key(session, idempotency_key, digest)) is None:
            raise
        return winner
    ring(session, resources, job)
    return job


def ring(session: Session, resources: Resources, job: Job) -> None:
    """Ring the doorbell for a queued job once the transaction has committed."""
    after_commit(session, partial(resources.doorbell.ring, job.queue))


def get(session: Session, job_id: str) -> Job:
    """One job. Raises `NotFound`."""
    job = session.get(Job, job_id)
    if job is None:
        raise NotFound("job_not_found", f"There is no job {job_id!r}.")
    return job


def page(session: Session, *, kind: str | None, state: str | None, limit: int, cursor: str | None) -> Page[Job]:
    """Jobs, newest first."""
    statement = select(Job)
    if kind is not None:
        statement = statement.where(Job.kind == kind)
    if state is not None:
        statement = statement.where(Job.state == state)
    return newest_first(session, statement, Job.id, limit, cursor)


def count_by_state(session: Session) -> dict[str, int]:
    """How many jobs there are in each state that has any."""
    return dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())


def queue_positions(session: Session, jobs: Iterable[Job]) -> dict[str, int]:
    """For each queued job, how many jobs of its queue come before it."""
    queued = [job.id for job in jobs if job.state == "queued"]
    if not queued:
        return {}
    rank = func.row_number().over(partition_by=Job.queue, order_by=(Job.queued_at, Job.id))
    ranked = select(Job.id, (rank - 1).label("position")).where(Job.state == "queued").subquery()
    rows = session.execute(select(ranked.c.id, ranked.c.position).where(ranked.c.id.in_(queued)))
    return {row.id: row.position for row in rows}


def cancel(session: Session, job_id: str) -> Job:
    """Cancel a job: at once when no worker has it, else its worker is told. Raises `Conflict` when over."""
    job = _lock(session, job_id)
    if job.state in lifecycle.ENTERED_FROM["cancelled"] - {"cancelling"}:
        return lifecycle.enter(session, job_id, "cancelled")
    return lifecycle.enter(session, job_id, "cancelling")


def pause(session: Session, job_id: str) -> Job:
    """Pause a job: it keeps its last checkpoint. Raises `Conflict` when the state does not allow it."""
    job = _lock(session, job_id)
    return lifecycle.enter(session, job_id, "paused" if job.state == "queued" else "pausing")


def resume(session: Session, resources: Resources, job_id: str) -> Job:
    """Queue a paused job again. Raises `Conflict` unless it is paused."""
    job = _lock(session, job_id)
    if job.state != "paused":
        raise Conflict("job_state", f"Job {job_id} is {job.state}; only a paused job can be resumed.")
    job = lifecycle.enter(session, job_id, "queued")
    ring(session, resources, job)
    return job


def artifacts(session: Session, job_id: str) -> list[JobArtifact]:
    """The files that a job produced. Raises `NotFound` if there is no such job."""
    get(session, job_id)
    statement = select(JobArtifact).where(JobArtifact.job_id == job_id)
    return list(session.scalars(statement.order_by(JobArtifact.name)))


def artifact(session: Session, job_id: str, name: str) -> JobArtifact:
    """One file that a job produced. Raises `NotFound`."""
    found = session.get(JobArtifact, (job_id, name))
    if found is None:
        raise NotFound("artifact_not_found", f"Job {job_id!r} has no artifact {name!r}.")
    return found


def _lock(session: Session, job_id: str) -> Job:
    job = session.get(Job, job_id, with_for_update=True)
    if job is None:
        raise NotFound("job_not_found", f"There is no job {job_id!r}.")
    return job


def _digest(request: BaseModel) -> str:
    canonical = json.dumps(request.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _by_key(session: Session, key: str | None, digest: str) -> Job | None:
    if key is None:
        return None
    job = session.scalar(select(Job).where(Job.idempotency_key == key))
    if job is not None and job.request_digest != digest:
        raise Conflict("idempotency_key_reused", "This Idempotency-Key was used with another body; send a new key.")
    return job


def _prepare(session: Session, resources: Resources, request: JobRequest) -> Job:
    if isinstance(request, TrainRequest):
        return _prepare_train(session, resources, request)
    if isinstance(request, OptimizeRequest):
        return _prepare_optimize(session, request)
    return _prepare_with_model(session, request)


def _prepare_train(session: Session, resources: Resources, request: TrainRequest) -> Job:
    dataset = datasets.named_in_body(session, request.dataset)
    manifest = dataset.manifest or {}
    resources.catalogue.check_training(request.architecture, request.hyperparameters, request.training, manifest)
    body = request.model_dump(mode="json")
    body["model"] = request.model or f"{request.dataset}-{request.architecture}"[:63]
    _check_task(session, body["model"], manifest["task"])
    return Job(
        kind="train",
        queue=_compute_queue(session, request.training.get("device", "auto")),
        request=body,
        dataset_name=request.dataset,
        model_name=body["model"],
    )


def _check_task(session: Session, name: str, task: str) -> None:
    existing = session.scalar(select(Model.task).where(Model.name == name))
    if existing is not None and existing != task:
        msg = f"{name} holds versions for {existing} and this data set is for {task}; choose another name"
        raise Invalid.field("model_task_differs", ["body", "model"], msg)


def _prepare_with_model(session: Session, request: EvaluateRequest | InferRequest) -> Job:
    dataset = datasets.named_in_body(session, request.dataset)
    version = _version_in_body(session, request)
    _check_input(version.signature, dataset.manifest or {}, labelled=request.kind == "evaluate")
    body: dict[str, Any] = {**request.model_dump(mode="json"), "version": version.number}
    return Job(kind=request.kind, queue="cpu", request=body, dataset_name=request.dataset, model_name=request.model)


def _prepare_optimize(session: Session, request: OptimizeRequest) -> Job:
    version = _version_in_body(session, request)
    dataset = _training_data(session, version)
    variants = list(dict.fromkeys(request.variants))
    if dataset is None and "int8" in variants:
        msg = (
            "int8 learns from the data set that the version was trained on, which "
            + ("it has none of" if version.dataset_name is None else f"{version.dataset_name!r} is no longer")
            + "; ask for optimized or fp16"
        )
        raise Invalid.field("no_calibration_data", ["body", "variants"], msg)
    body: dict[str, Any] = {**request.model_dump(mode="json"), "version": version.number, "variants": variants}
    dataset_name = None if dataset is None else dataset.name
    return Job(kind="optimize", queue="cpu", request=body, dataset_name=dataset_name, model_name=request.model)


def _version_in_body(session: Session, request: EvaluateRequest | InferRequest | OptimizeRequest) -> ModelVersion:
    """The version that a job's fields `model` and `version` name. Raises `Invalid`."""
    try:
        return registry.version(session, request.model, str(request.version))
    except NotFound as error:
        field = "model" if error.code == "model_not_found" else "version"
        raise Invalid.field(error.code, ["body", field], error.detail) from error


def _training_data(session: Session, version: ModelVersion) -> Dataset | None:
    """The data set that a version was trained on, locked against deletion; None if it has none or that is gone."""
    if version.dataset_name is None:
        return None
    try:
        dataset = datasets.named_in_body(session, version.dataset_name)
    except Invalid:
        return None
    return dataset if (dataset.manifest or {}).get("digest") == version.dataset_digest else None


def _check_input(signature: dict[str, Any], manifest: dict[str, Any], *, labelled: bool) -> None:
    """Images of another size are fitted by the job; a table must have as many columns."""
    if "input" not in signature:
        msg = "was registered as a file that takes tensors, and a data set holds images or rows; use /v2 to run it"
        raise Invalid.field("model_takes_tensors", ["body", "model"], msg)
    wanted, given = signature["input"]["shape"], manifest["input"]["shape"]
    if signature["modality"] != manifest["modality"] or (manifest["modality"] != "image" and wanted != given):
        msg = (
            f"holds {manifest['modality']} data of shape {given} and the model takes {signature['modality']} data "
            f"of shape {wanted}; upload the data with the model's columns"
        )
        raise Invalid.field("dataset_mismatch", ["body", "dataset"], msg)
    if labelled and manifest["task"] != signature["task"]:
        msg = f"is for {manifest['task'] or 'no task (unlabelled)'} and the model does {signature['task']}"
        raise Invalid.field("dataset_mismatch", ["body", "dataset"], msg)


def _compute_queue(session: Session, device: str) -> str:
    if device == "cpu":
        return "cpu"
    if presence.has_gpu(session):
        return "gpu"
    if device == "cuda":
        msg = "no worker with a GPU was seen in the last 30 s; start one, or use auto or cpu"
        raise Invalid.field("no_gpu", ["body", "training", "device"], msg)
    return "cpu"
