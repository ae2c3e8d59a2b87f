"""Turns a claimed job into what its child process is started with."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from models.run import Assignment
from services import datasets, registry
from services.resources import Resources
from services.settings import Settings
from services.tables import Job
from workers.child import Provision


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
    dataset = model = version = None
    if job.kind != "ingest" and job.dataset_name is not None:
        manifest = datasets.get(session, job.dataset_name).manifest or {}
        dataset = datasets.directory(settings, manifest)
    if job.kind in ("evaluate", "infer"):
        found = registry.version(session, job.request["model"], str(job.request["version"]))
        model, version = resources.artifacts.path(found.onnx_sha256), found.record
    upload = datasets.upload_path(settings, job.id)
    return Assignment(
        kind=job.kind,
        request=job.request,
        attempt=job.attempt,
        scratch=scratch,
        checkpoints=checkpoints,
        checkpoint_interval_seconds=settings.checkpoint_interval_seconds,
        threads=slot.threads,
        dataset=dataset,
        upload=upload if job.kind == "ingest" and upload.exists() else None,
        model=model,
        version=version,
        limits={
            "max_archive_entries": settings.max_archive_entries,
            "max_decompressed_bytes": settings.max_decompressed_bytes,
            "max_pixels": settings.max_pixels,
        },
    )


def provide(settings: Settings, job: Job, slot: Slot) -> Provision:
    """What a job's process gets of the machine: only a job that reads untrusted files has its memory bounded."""
    max_memory_bytes = settings.max_ingest_memory_bytes if job.kind == "ingest" else None
    return Provision(settings.artifact_directory, slot.device, max_memory_bytes)
