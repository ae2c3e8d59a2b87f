"""Use-cases of data sets: create from an upload, look up, delete."""

from pathlib import Path
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services import lifecycle, uploads
from services.errors import Conflict, Invalid, NotFound
from services.pages import Page, newest_first
from services.requests.datasets import DatasetOptions
from services.resources import Resources
from services.settings import Settings
from services.tables import TERMINAL, Dataset, Job, new_id


def create(
    session: Session,
    resources: Resources,
    *,
    name: str,
    format: str,
    options: DatasetOptions,
    upload: Path,
    size: int,
) -> tuple[Dataset, Job]:
    """Name an uploaded file and queue its ingest job; the file becomes the job's.

    A data set that failed to be ingested makes way for a new one. Raises `Conflict` if the name is taken.
    """
    if (failed := check_free(session, name)) is not None:
        session.delete(failed)
        session.flush()
    request = {
        "kind": "ingest",
        "dataset": name,
        "format": format,
        "options": options.model_dump(mode="json", exclude_none=True),
        "bytes": size,
    }
    job = Job(id=new_id(), kind="ingest", queue="io", request=request, dataset_name=name)
    dataset = Dataset(name=name, format=format, job_id=job.id)
    try:
        lifecycle.create(session, job)
        session.add(dataset)
        session.flush()
    except IntegrityError as error:
        raise _taken(name) from error
    uploads.hand_over(resources.settings, job, upload)
    return dataset, job


def check_free(session: Session, name: str) -> Dataset | None:
    """The failed data set that holds this name, if any. Raises `Conflict` if it is ready or being ingested."""
    dataset = session.scalar(select(Dataset).where(Dataset.name == name))
    if dataset is not None and dataset.state != "failed":
        raise _taken(name)
    return dataset


def _taken(name: str) -> Conflict:
    return Conflict("dataset_exists", f"There is a data set {name!r} already; delete it or choose another name.")


def get(session: Session, name: str) -> Dataset:
    """One data set. Raises `NotFound`."""
    dataset = session.scalar(select(Dataset).where(Dataset.name == name))
    if dataset is None:
        raise NotFound("dataset_not_found", f"There is no data set {name!r}.")
    return dataset


def named_in_body(session: Session, name: str) -> Dataset:
    """The ready data set that a job's `dataset` field names, locked against deletion. Raises `Invalid`."""
    dataset = session.scalar(select(Dataset).where(Dataset.name == name).with_for_update(of=Dataset))
    loc = ["body", "dataset"]
    if dataset is None:
        raise Invalid.field("dataset_not_found", loc, f"there is no data set {name!r}")
    if dataset.state != "ready":
        is_lost = dataset.state == "failed"
        remedy = f"see its error at /v1/datasets/{name} and upload it again" if is_lost else "wait until it is ready"
        raise Invalid.field("dataset_not_ready", loc, f"{name!r} is {dataset.state}; {remedy}")
    return dataset


def page(session: Session, *, limit: int, cursor: str | None) -> Page[Dataset]:
    """Data sets, newest first."""
    return newest_first(session, select(Dataset), Dataset.id, limit, cursor)


def delete(session: Session, name: str) -> None:
    """Forget a data set; the sweeper deletes its files. Raises `NotFound`, or `Conflict` while a job uses it."""
    dataset = session.scalar(select(Dataset).where(Dataset.name == name).with_for_update(of=Dataset))
    if dataset is None:
        raise NotFound("dataset_not_found", f"There is no data set {name!r}.")
    if dataset.builtin:
        raise Conflict("dataset_builtin", f"{name!r} is built in and cannot be deleted.")
    uses = or_(Job.dataset_name == name, Job.request["reference"].as_string() == name)
    user = session.scalar(select(Job.id).where(uses, Job.state.not_in(TERMINAL)).limit(1))
    if user is not None:
        raise Conflict("dataset_in_use", f"Job {user} uses {name!r}; cancel it or wait until it ends.")
    session.delete(dataset)


def complete(session: Session, job_id: str, manifest: dict[str, Any]) -> None:
    """Give the data set of an ingest job its manifest, which makes it ready."""
    session.execute(update(Dataset).where(Dataset.job_id == job_id).values(manifest=manifest))


def directory(settings: Settings, manifest: dict[str, Any]) -> Path:
    """Where the arrays of a ready data set are: a directory named by their digest, shared by equal data sets."""
    return settings.datasets / str(manifest["digest"]).removeprefix("sha256:")
