"""Of `baseline`."""

from typing import Any

from sqlalchemy.orm import Session

from services import baselines, datasets, schema
from services.catalogue import Catalogue
from services.errors import FieldError, Invalid
from services.requests.baseline import BaselineRequest
from services.resources import Resources
from services.tables import Job

LEARNED = {
    ("classification", "image"),
    ("classification", "tabular"),
    ("classification", "text"),
    ("classification", "tree"),
    ("regression", "image"),
    ("regression", "tabular"),
}
"""The tasks and modalities that learners other than networks take here."""
TASKS = ("classification", "regression", "segmentation")


def prepare(session: Session, resources: Resources, request: BaselineRequest) -> Job:
    """The families and the whole split are spelled out in the body, so that later jobs can be compared with it."""
    manifest = datasets.named_in_body(session, request.dataset).manifest or {}
    if manifest["task"] not in TASKS:
        msg = f"is for {manifest['task'] or 'no task (unlabelled)'}, and baselines are of {', '.join(TASKS)}"
        raise Invalid.field("task_unsuitable", ["body", "dataset"], msg)
    split = _split(resources.catalogue, request.training)
    if not {"validation", "test"} & (manifest["splits"].keys() | baselines.held_out(manifest, split).keys()):
        msg = "must hold rows out for validation or test: baselines are measured on them, and the data set brings none"
        raise Invalid.field("no_held_out_rows", ["body", "training", "split"], msg)
    body = {
        **request.model_dump(mode="json"),
        "families": _families(request, manifest),
        "training": {"split": split},
    }
    return Job(kind="baseline", queue="cpu", request=body, dataset_name=request.dataset)


def _families(request: BaselineRequest, manifest: dict[str, Any]) -> list[str]:
    learned = (manifest["task"], manifest["modality"]) in LEARNED
    if request.families is None:
        return ["random", "classical", "automl"] if learned else ["random"]
    families: list[str] = list(dict.fromkeys(request.families))
    if not learned and families != ["random"]:
        msg = f"must be random alone for a {manifest['task']} of {manifest['modality']} data"
        raise Invalid.field("family_unsuitable", ["body", "families"], msg)
    return families


def _split(catalogue: Catalogue, training: dict[str, Any]) -> dict[str, Any]:
    """`training.split`, defaults filled in, and nothing else."""
    loc: list[str | int] = ["body", "training"]
    errors: list[FieldError] = [
        {"loc": [*loc, name], "msg": "is not for baselines, which take `split` alone"}
        for name in training
        if name != "split"
    ]
    errors += schema.errors(catalogue.snapshot["training"], {"split": training.get("split", {})}, loc)
    if errors:
        detail = "; ".join(f"{'.'.join(map(str, error['loc'][1:]))}: {error['msg']}" for error in errors)
        raise Invalid("job_invalid", detail, errors)
    return baselines.split_of(catalogue, training)
