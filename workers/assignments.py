"""Turns a claimed job into what its child process is started with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models.run import Assignment, Candidate
from services import baselines, datasets, registry, uploads
from services.artifacts import remove_tree
from services.resources import Resources
from services.settings import Settings
from services.studies import history, trials
from services.tables import Job
from workers.child import Provision

READ_UPLOADS = ("ingest", "register")
COMPARED = ("train", "search")
"""The kinds whose version is compared with the baselines stored of its data set."""
MAX_REGISTER_SECONDS = 60.0


@dataclass(frozen=True)
class Slot:
    """What one job may use of the machine."""

    threads: int
    device: str | None = None
    """A GPU as CUDA numbers it, or None for the CPU alone."""


def scratch_directory(resources: Resources, job: Job) -> Path:
    """Where one attempt keeps its files; the lease token keeps a worker that lost its lease out of it."""
    return resources.settings.jobs / job.id / f"attempt-{job.lease_token}"


def assign(session: Session, resources: Resources, job: Job, slot: Slot) -> Assignment:
    """Find the files that a job needs and make its directories."""
    settings = resources.settings
    scratch = scratch_directory(resources, job)
    checkpoints = settings.jobs / job.id / "checkpoints"
    if job.kind == "trial" and not trials.is_suggested(session, job.id):
        remove_tree(checkpoints)  # of parameters that were lost before they were written down
    for directory in (scratch, checkpoints):
        directory.mkdir(parents=True, exist_ok=True)
    dataset = model = weights = version = None
    stored: list[dict[str, Any]] = []
    if job.kind != "ingest" and job.dataset_name is not None:
        manifest = datasets.get(session, job.dataset_name).manifest or {}
        dataset = datasets.directory(settings, manifest)
        if job.kind in COMPARED:
            stored = baselines.stored(session, resources.catalogue, manifest, job.request["training"])
    if job.kind in ("evaluate", "infer", "optimize", "explain"):
        found = registry.version(session, job.request["model"], str(job.request["version"]))
        model, version = resources.artifacts.path(found.onnx_sha256), found.record
        if job.kind == "explain" and (digest := registry.weights(session, found)) is not None:
            weights = resources.artifacts.path(digest)
    of_study = job.kind in ("trial", "search")
    request = {**history.search_of(session, job).request, **job.request} if of_study else job.request
    upload = uploads.path_of(settings, job.id)
    return Assignment(
        kind=job.kind,
        request=request,
        attempt=job.attempt,
        scratch=scratch,
        checkpoints=checkpoints,
        checkpoint_interval_seconds=settings.checkpoint_interval_seconds,
        threads=slot.threads,
        dataset=dataset,
        upload=upload if job.kind in READ_UPLOADS and upload.exists() else None,
        model=model,
        weights=weights,
        version=version,
        study=history.study(session, job) if of_study else None,
        others=_others(session, resources, job),
        reference=_reference(session, settings, job),
        baselines=stored,
        limits={
            "max_archive_entries": settings.max_archive_entries,
            "max_decompressed_bytes": settings.max_decompressed_bytes,
            "max_pixels": settings.max_pixels,
        },
    )


def _others(session: Session, resources: Resources, job: Job) -> tuple[Candidate, ...]:
    """The version that an evaluation compares with, if it names one."""
    if job.kind != "evaluate" or (against := job.request.get("against")) is None:
        return ()
    found = registry.version(session, against["model"], str(against["version"]))
    return (Candidate(resources.artifacts.path(found.onnx_sha256), found.record),)


def _reference(session: Session, settings: Settings, job: Job) -> Path | None:
    """The data set that an evaluated version was trained on, if it was there when the job was submitted."""
    if job.kind != "evaluate" or (name := job.request.get("reference")) is None:
        return None
    return datasets.directory(settings, datasets.get(session, name).manifest or {})


def provide(settings: Settings, assignment: Assignment, slot: Slot) -> Provision:
    """What a job's process gets of the machine: one that reads what a user sent in has memory and time bounded."""
    trusted = assignment.kind not in READ_UPLOADS and (assignment.version or {}).get("trusted", True)
    if trusted:
        return Provision(settings.artifact_directory, slot.device)
    return Provision(
        settings.artifact_directory,
        slot.device,
        trusted=False,
        max_memory_bytes=settings.max_ingest_memory_bytes,
        max_seconds=MAX_REGISTER_SECONDS if assignment.kind == "register" else settings.max_ingest_seconds,
    )
