"""Of `infer`: a version and a data set that suits it."""

from typing import Any

from sqlalchemy.orm import Session

from services import datasets
from services.errors import Invalid
from services.preparation.versions import version_in_body
from services.requests.infer import InferRequest
from services.resources import Resources
from services.tables import Job
from shapes.matching import unknown_classes, unlike

VARYING = ("text", "tree", "series")
"""Modalities whose rows vary in length."""


def prepare(session: Session, resources: Resources, request: InferRequest) -> Job:
    """The version is fixed now, so that what is meant by `latest` cannot change while the job waits."""
    dataset = datasets.named_in_body(session, request.dataset)
    version = version_in_body(session, request)
    check_input(version.signature, dataset.manifest or {}, labelled=False)
    check_classes(version.signature, dataset.manifest or {}, resources)
    body: dict[str, Any] = {**request.model_dump(mode="json"), "version": version.number}
    return Job(kind="infer", queue="cpu", request=body, dataset_name=request.dataset, model_name=request.model)


def check_input(signature: dict[str, Any], manifest: dict[str, Any], *, labelled: bool) -> None:
    """Raise `Invalid` where the data cannot be given to the model, or, if they are to be `labelled`, their classes be
    told by it."""
    if "input" not in signature:
        msg = "was registered as a file that takes tensors, and a data set holds images or rows; use /v2 to run it"
        raise Invalid.field("model_takes_tensors", ["body", "model"], msg)
    if signature["input"]["name"] == "code":
        msg = "makes samples of codes, and takes no rows of a data set; call its generate or decode"
        raise Invalid.field("model_takes_codes", ["body", "model"], msg)
    _require(unlike(signature, manifest))
    if labelled and manifest["task"] != signature["task"]:
        msg = f"is for {manifest['task'] or 'no task (unlabelled)'} and the model does {signature['task']}"
        raise Invalid.field("dataset_mismatch", ["body", "dataset"], msg)
    if labelled and manifest["classes"] is not None:
        _require(unknown_classes(manifest["classes"], signature["labels"]))


def check_classes(signature: dict[str, Any], manifest: dict[str, Any], resources: Resources) -> None:
    """Raise `Invalid` where the model is to be told the class of each row, and the data set has not those classes."""
    if signature["labels"] is None or resources.catalogue.needs_targets(signature["task"]):
        return
    target = manifest["target"]
    if manifest["classes"] is None or target is None or target["shape"]:
        msg = "has no classes, and the model is conditional: it is told the class of each row; choose a labelled one"
        raise Invalid.field("dataset_mismatch", ["body", "dataset"], msg)
    _require(unknown_classes(manifest["classes"], signature["labels"]))


def _require(fault: str | None) -> None:
    if fault is not None:
        raise Invalid.field("dataset_mismatch", ["body", "dataset"], fault)
