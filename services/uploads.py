"""The uploaded file of a job, from the gateway's hands into the worker's."""

from pathlib import Path

from services.artifacts import sync_directory
from services.settings import Settings
from services.tables import Job


def path_of(settings: Settings, job_id: str) -> Path:
    """Where the uploaded file of a job waits."""
    return settings.uploads / job_id


def hand_over(settings: Settings, job: Job, upload: Path) -> None:
    """Let a received file become the job's, durably, before the transaction commits."""
    upload.rename(path_of(settings, job.id))
    sync_directory(settings.uploads)
