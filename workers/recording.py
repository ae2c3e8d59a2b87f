"""Records what a job came to: its files first, then one transaction with the change of state."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from services import datasets, lifecycle, registry
from services.artifacts import StoredFile, sync_directory
from services.resources import Resources
from services.tables import JobArtifact

Files = dict[str, tuple[StoredFile, str]]
"""Stored file and media type by artifact name."""


def store_files(resources: Resources, outcome: dict[str, Any]) -> Files:
    """Put the produced files into the artifact store; what no row names later is collected by the sweeper."""
    return {
        file["name"]: (resources.artifacts.put(Path(file["path"])), file["media_type"]) for file in outcome["files"]
    }


def succeed(
    session: Session, resources: Resources, job_id: str, token: str, outcome: dict[str, Any], files: Files
) -> None:
    """End a job as succeeded with everything it produced, or as cancelled if that was wished.

    Raises `LeaseLost`; nothing of this attempt is visible then.
    """
    if lifecycle.state_under(session, job_id, token) == "cancelling":
        lifecycle.enter(session, job_id, "cancelled", token=token)
        return
    result = dict(outcome["result"])
    job = lifecycle.enter(session, job_id, "succeeded", token=token, values={"fraction": 1.0})
    for name, (stored, media_type) in files.items():
        row = {"name": name, "sha256": stored.sha256, "size": stored.size, "media_type": media_type}
        session.execute(insert(JobArtifact).values(job_id=job_id, **row))
    if outcome["version"] is not None:
        result["version"] = registry.register(session, job, outcome["version"], files["model.onnx"][0]).number
    if outcome["manifest"] is not None:
        place_dataset(resources, Path(outcome["dataset"]), outcome["manifest"])
        datasets.complete(session, job_id, outcome["manifest"])
    job.result = result


def place_dataset(resources: Resources, source: Path, manifest: dict[str, Any]) -> None:
    """Move ingested arrays to where their digest says; equal data that is there already serves as well."""
    target = datasets.directory(resources.settings, manifest)
    if source.exists():
        try:
            source.rename(target)
        except OSError:
            if not target.exists():
                raise
    os.utime(target)  # the sweeper leaves alone what is new
    sync_directory(target.parent)
