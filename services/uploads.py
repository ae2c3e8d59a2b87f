"""The uploaded file of a job, from the gateway's hands into the worker's."""

from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from services.artifacts import sync_directory
from services.database import after_commit
from services.resources import Resources
from services.settings import Settings
from services.tables import Job


def path_of(settings: Settings, job_id: str) -> Path:
    """Where the uploaded file of a job waits."""
    return settings.uploads / job_id


def hand_over(session: Session, resources: Resources, job: Job, upload: Path) -> None:
    """Let a received file become the job's, durably, and ring for the job once the transaction has committed."""
    upload.rename(path_of(resources.settings, job.id))
    sync_directory(resources.settings.uploads)
    after_commit(session, partial(resources.doorbell.ring, job.queue))
