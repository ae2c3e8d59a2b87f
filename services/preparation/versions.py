"""The model version that a job is about, and its data."""

from typing import Protocol

from sqlalchemy.orm import Session

from services import datasets, registry
from services.errors import Invalid, NotFound
from services.tables import Dataset, ModelVersion


class OfVersion(Protocol):
    """A request that names a version."""

    @property
    def model(self) -> str:
        """The model's name."""

    @property
    def version(self) -> int | str:
        """A number, an alias or `latest`."""


def version_in_body(session: Session, request: OfVersion, *within: str) -> ModelVersion:
    """The version that a job's fields `model` and `version` name, or those within a field of it. Raises `Invalid`."""
    try:
        return registry.version(session, request.model, str(request.version))
    except NotFound as error:
        field = "model" if error.code == "model_not_found" else "version"
        raise Invalid.field(error.code, ["body", *within, field], error.detail) from error


def training_data(session: Session, version: ModelVersion) -> Dataset | None:
    """The data set that a version was trained on, locked against deletion; None if it has none or that is gone."""
    if version.dataset_name is None:
        return None
    try:
        dataset = datasets.named_in_body(session, version.dataset_name)
    except Invalid:
        return None
    return dataset if (dataset.manifest or {}).get("digest") == version.dataset_digest else None
