"""Registering an ONNX file of the user's own as a version of a model."""

from pathlib import Path

from sqlalchemy.orm import Session

from services import lifecycle, uploads
from services.resources import Resources
from services.tables import Job, new_id


def create(session: Session, resources: Resources, *, name: str, upload: Path, size: int) -> Job:
    """Queue the job that examines an uploaded file and registers it; the file becomes the job's.

    The job is made here and not by `POST /v1/jobs`, since it is nothing without its file.
    """
    request = {"kind": "register", "model": name, "bytes": size}
    job = lifecycle.create(session, Job(id=new_id(), kind="register", queue="io", request=request, model_name=name))
    uploads.hand_over(resources.settings, job, upload)
    return job
