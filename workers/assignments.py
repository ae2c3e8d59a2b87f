"""Turns a claimed job into what its child process is started with."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from models.run import Assignment
from services import datasets, registry, uploads
from services.resources import Resources
from services.settings import Settings
from services.tables import Job
from workers.child import Provision

READ_UPLOADS = ("ingest", "register")
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
    for directory in (scratch, checkpoints):
        directory.mkdir(parents=True, exist_ok=True)
    dataset = model = weights = version = None
    if job.kind != "ingest" and job.dataset_name is not None:
        manifest = datasets.get(session, job.dataset_name).manifest or {}
        dataset = datasets.directory(settings, manifest)
    if job.kind in ("evaluate", "infer", "optimize", "explain"):
        found = registry.version(session, job.request["model"], str(job.request["version"]))
        model, version = resources.artifacts.path(found.onnx_sha256), found.record
        if job.kind == "explain" and (digest := registry.weights(session, found)) is not None:
            weights = resources.artifacts.path(digest)
    upload = uploads.path_of(settings, job.id)
    return Assignment(
        kind=job.kind,
        request=job.request,
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
        limits={
            "max_archive_entries": settings.max_archive_entries,
            "max_decompressed_bytes": settings.max_decompressed_bytes,
            "max_pixels": settings.max_pixels,
        },
    )


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
