"""Records what a job came to, in one transaction with the change of state."""

import contextlib
import errno
import os
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from services import datasets, lifecycle, registry
from services.artifacts import StoredFile, sync_directory
from services.resources import Resources
from services.studies import trials
from services.tables import JobArtifact


def succeed(session: Session, resources: Resources, job_id: str, token: str, outcome: dict[str, Any]) -> None:
    """End a job as succeeded with everything it produced, or as cancelled if that was wished.

    The files are in the artifact store already. Raises `LeaseLost`, `Conflict` if the model cannot take the
    version, `OSError` if the arrays cannot be moved into place; nothing of this attempt is visible then.
    """
    if lifecycle.state_under(session, job_id, token, lock=True) == "cancelling":
        lifecycle.enter(session, job_id, "cancelled", token=token)
        return
    result = dict(outcome["result"])
    if outcome["trial"] is not None:  # first, so that its search sees it
        trials.record(session, job_id, outcome["trial"])
    job = lifecycle.enter(session, job_id, "succeeded", token=token, values={"fraction": 1.0})
    keep(session, job_id, outcome["files"])
    if outcome["version"] is not None:
        graph = next(file for file in outcome["files"] if file["name"] == "model.onnx")
        onnx = StoredFile(graph["sha256"], graph["size"])
        result["version"] = registry.register(session, job, outcome["version"], onnx).number
    if outcome["variants"]:
        files = {file["name"]: StoredFile(file["sha256"], file["size"]) for file in outcome["files"]}
        registry.add_variants(session, job, outcome["variants"], files)
    if outcome["manifest"] is not None:
        place_dataset(resources, Path(outcome["dataset"]), outcome["manifest"])
        datasets.complete(session, job_id, outcome["manifest"])
    job.result = result


def keep(session: Session, job_id: str, files: list[dict[str, Any]]) -> None:
    """Record files of the artifact store as the job's; of two with one name the later one stays."""
    columns = ("name", "sha256", "size", "media_type")
    rows = {file["name"]: {"job_id": job_id, **{column: file[column] for column in columns}} for file in files}
    if rows:
        session.execute(delete(JobArtifact).where(JobArtifact.job_id == job_id, JobArtifact.name.in_(rows)))
        session.execute(insert(JobArtifact), list(rows.values()))


def place_dataset(resources: Resources, source: Path, manifest: dict[str, Any]) -> None:
    """Move ingested arrays to where their digest says; equal data that is there already serves as well.

    Raises `OSError`.
    """
    target = datasets.directory(resources.settings, manifest)
    while source.exists():
        try:
            source.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            with contextlib.suppress(FileNotFoundError):  # the sweeper has just taken it away: move ours
                os.utime(target)  # the sweeper leaves alone what is new
                return
    os.utime(target)
    sync_directory(target)
    sync_directory(target.parent)
