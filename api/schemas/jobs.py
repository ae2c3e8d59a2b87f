"""Jobs and what they produce."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.schemas.base import ErrorOut, Json, Schema, utc, utc_or_none
from services.tables import Job, JobArtifact, JobEvent


class Progress(Schema):
    """How far a job is."""

    fraction: float
    epoch: int | None
    step: int | None
    eta_seconds: float | None


class JobOut(Schema):
    """A job."""

    id: str
    parent_id: str | None
    kind: str
    state: str
    progress: Progress
    attempt: int
    queue_position: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    request: Json
    result: Json | None
    error: ErrorOut | None
    links: dict[str, str]

    @classmethod
    def of(cls, job: Job, queue_position: int | None = None) -> "JobOut":
        """The answer for a row."""
        return cls(
            id=job.id,
            parent_id=job.parent_id,
            kind=job.kind,
            state=job.state,
            progress=Progress(fraction=job.fraction, epoch=job.epoch, step=job.step, eta_seconds=job.eta_seconds),
            attempt=job.attempt,
            queue_position=queue_position,
            created_at=utc(job.created_at),
            started_at=utc_or_none(job.started_at),
            finished_at=utc_or_none(job.finished_at),
            request=job.request,
            result=job.result,
            error=None if job.error is None else ErrorOut(**job.error),
            links=_job_links(job),
        )


def _job_links(job: Job) -> dict[str, str]:
    itself = f"/v1/jobs/{job.id}"
    links = {"self": itself} | {name: f"{itself}/{name}" for name in ("events", "metrics", "logs", "artifacts")}
    if job.dataset_name is not None:
        links["dataset"] = f"/v1/datasets/{job.dataset_name}"
    if job.model_name is not None:
        links["model"] = f"/v1/models/{job.model_name}"
    if job.kind == "search":
        links["trials"] = f"{itself}/trials"
    if job.parent_id is not None:
        links["parent"] = f"/v1/jobs/{job.parent_id}"
    return links


Point = Annotated[list[int | float], Field(min_length=2, max_length=2)]


class SeriesOut(Schema):
    """Metrics by name as points [step, value]."""

    series: dict[str, list[Point]]


class LogLine(Schema):
    """One line of a job's log."""

    seq: int
    at: datetime
    level: str
    message: str

    @classmethod
    def of(cls, event: JobEvent) -> "LogLine":
        """The answer for a `log` event."""
        level, message = event.data.get("level", "info"), event.data.get("message", "")
        return cls(seq=event.seq, at=utc(event.at), level=level, message=message)

    def as_text(self) -> str:
        """One line of text; what is not printable (line breaks, escape codes) is written as its escape."""
        message = "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode() for char in self.message
        )
        return f"{self.at.isoformat(timespec='milliseconds')} {self.level.upper()} {message}\n"


class ArtifactOut(Schema):
    """A file that a job produced."""

    name: str
    media_type: str
    size: int
    sha256: str
    created_at: datetime
    href: str

    @classmethod
    def of(cls, artifact: JobArtifact) -> "ArtifactOut":
        """The answer for a row."""
        return cls(
            name=artifact.name,
            media_type=artifact.media_type,
            size=artifact.size,
            sha256=artifact.sha256,
            created_at=utc(artifact.created_at),
            href=f"/v1/jobs/{artifact.job_id}/artifacts/{artifact.name}",
        )
