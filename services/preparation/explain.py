"""Of `explain`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services import datasets, registry
from services.errors import Invalid
from services.preparation.versions import training_data, version_in_body
from services.preparation.with_model import VARYING, check_input
from services.requests.explain import ExplainRequest
from services.resources import Resources
from services.tables import Dataset, Job, ModelVersion

TASKS = ("classification", "regression")
FOR_TABLES = ("saliency", "integrated_gradients")


def prepare(session: Session, resources: Resources, request: ExplainRequest) -> Job:
    """What is refused here needs no look at the network: whether it has convolutions, the job finds out first."""
    version = version_in_body(session, request)
    signature = version.signature
    _require_network(session, version)
    dataset = _dataset(session, request, version)
    check_input(signature, dataset.manifest or {}, labelled=False)
    methods = list(dict.fromkeys(request.methods))
    _check_methods(methods, signature)
    _check_target(request.target, version)
    body: dict[str, Any] = {
        **request.model_dump(mode="json"),
        "version": version.number,
        "dataset": dataset.name,
        "methods": methods,
    }
    return Job(kind="explain", queue="cpu", request=body, dataset_name=dataset.name, model_name=request.model)


def _require_network(session: Session, version: ModelVersion) -> None:
    loc = ["body", "model"]
    if registry.weights(session, version) is None:
        msg = f"version {version.number} was registered as a file, and only networks trained here can be looked into"
        raise Invalid.field("model_without_weights", loc, f"{msg}; train the model with a `train` job")
    if (modality := version.signature["modality"]) in VARYING:
        msg = f"takes {modality}; `explain` is for models of images and tables"
        raise Invalid.field("model_not_explained", loc, msg)
    if version.signature["task"] not in TASKS:
        msg = f"is for {version.signature['task']}; `explain` is for {' and '.join(TASKS)}"
        raise Invalid.field("model_not_explained", loc, msg)


def _dataset(session: Session, request: ExplainRequest, version: ModelVersion) -> Dataset:
    if request.dataset is not None:
        return datasets.named_in_body(session, request.dataset)
    dataset = training_data(session, version)
    if dataset is None:
        msg = f"{version.dataset_name!r}, on which the version was trained, is no longer; name another data set"
        raise Invalid.field("dataset_not_found", ["body", "dataset"], msg)
    return dataset


def _check_methods(methods: Sequence[str], signature: dict[str, Any]) -> None:
    refused = [method for method in methods if method not in FOR_TABLES]
    if signature["modality"] != "image" and refused:
        msg = f"{', '.join(refused)}: for images only, and the model takes a table; use {' or '.join(FOR_TABLES)}"
        raise Invalid.field("method_unsuitable", ["body", "methods"], msg)


def _check_target(target: str | None, version: ModelVersion) -> None:
    if target is None or target in (version.labels or []):
        return
    known = ", ".join((version.labels or [])[:20])
    msg = f"unknown; the labels are {known}" if known else "is for classification; leave it out for a regression"
    raise Invalid.field("target_unknown", ["body", "target"], msg)
