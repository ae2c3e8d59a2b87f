"""Data sets."""

from datetime import datetime

from api.schemas.base import ErrorOut, Json, Schema, utc
from api.schemas.jobs import JobOut
from services.tables import Dataset, Job


class DatasetOut(Schema):
    """A data set; what is read from the data is null until it is ready."""

    name: str
    state: str
    format: str
    builtin: bool
    modality: str | None
    task: str | None
    splits: dict[str, Json] | None
    classes: list[str] | None
    class_counts: dict[str, list[int]] | None
    input: Json | None
    target: Json | None
    bytes: int | None
    digest: str | None
    skipped: Json | None
    error: ErrorOut | None
    created_at: datetime
    links: dict[str, str]

    @classmethod
    def of(cls, dataset: Dataset) -> "DatasetOut":
        """The answer for a row."""
        return cls(**_dataset_fields(dataset))


def _dataset_fields(dataset: Dataset) -> Json:
    manifest = dataset.manifest or {}
    itself = f"/v1/datasets/{dataset.name}"
    read = ("modality", "task", "splits", "classes", "class_counts", "input", "target", "bytes", "digest", "skipped")
    return {
        "name": dataset.name,
        "state": dataset.state,
        "format": dataset.format,
        "builtin": dataset.builtin,
        **{key: manifest.get(key) for key in read},
        "error": None if dataset.error is None else ErrorOut(**dataset.error),
        "created_at": utc(dataset.created_at),
        "links": {"self": itself, "preview": f"{itself}/preview"}
        | ({"job": f"/v1/jobs/{dataset.job_id}"} if dataset.job_id else {}),
    }


class CreatedDatasetOut(DatasetOut):
    """A new data set and the job that ingests it."""

    job: JobOut

    @classmethod
    def created(cls, dataset: Dataset, job: Job) -> "CreatedDatasetOut":
        """The answer for the rows."""
        return cls(**_dataset_fields(dataset), job=JobOut.of(job))


class Rows(Schema):
    """The first samples: rows of a table by column, texts, trees or series, each with its target."""

    rows: list[Json]
