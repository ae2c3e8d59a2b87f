"""Of `evaluate`."""

from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from services import datasets
from services.errors import Invalid
from services.preparation.versions import training_data, version_in_body
from services.preparation.with_model import check_classes, check_input
from services.requests.evaluate import EvaluateRequest
from services.resources import Resources
from services.tables import Job, ModelVersion


class Named(NamedTuple):
    """A version by its model's name and a number, an alias or `latest`."""

    model: str
    version: int | str


def prepare(session: Session, resources: Resources, request: EvaluateRequest) -> Job:
    """The versions are fixed now, so that what is meant by `latest` cannot change while the job waits.

    `reference` in the body is the data set that the version was trained on, null if that is no longer.
    """
    dataset = datasets.named_in_body(session, request.dataset)
    version = version_in_body(session, request)
    labelled = resources.catalogue.needs_targets(version.signature["task"])
    check_input(version.signature, dataset.manifest or {}, labelled=labelled)
    check_classes(version.signature, dataset.manifest or {}, resources)
    reference = training_data(session, version)
    body: dict[str, Any] = {
        **request.model_dump(mode="json"),
        "version": version.number,
        "reference": None if reference is None else reference.name,
        "against": _against(session, request, version),
    }
    return Job(kind="evaluate", queue="cpu", request=body, dataset_name=request.dataset, model_name=request.model)


def _against(session: Session, request: EvaluateRequest, version: ModelVersion) -> dict[str, Any] | None:
    """The other version by name and number. It must take what the first takes, and answer in its classes."""
    if request.against is None:
        return None
    loc = ["body", "against"]
    name = request.against.model or request.model
    other = version_in_body(session, Named(name, request.against.version), "against")
    if (name, other.number) == (request.model, version.number):
        raise Invalid.field("same_version", loc, "is the version that is evaluated; name another")
    msg = _mismatch(version.signature, other.signature)
    if msg is not None:
        raise Invalid.field("versions_differ", loc, f"version {other.number} of {name!r} {msg}")
    return {"model": name, "version": other.number}


def _mismatch(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """Why two versions cannot be asked about the same rows, if they cannot. Images are fitted to either's size."""
    if theirs["task"] != ours["task"]:
        return f"does {theirs['task']}, and the one that is evaluated {ours['task']}; name one for the same task"
    if "input" not in theirs or theirs["modality"] != ours["modality"] or _columns(theirs) != _columns(ours):
        return "takes other inputs than the one that is evaluated; name one trained on the same columns and steps"
    if set(theirs["labels"] or ()) != set(ours["labels"] or ()):
        return "knows other classes than the one that is evaluated; name one that was trained on the same classes"
    return None


def _columns(signature: dict[str, Any]) -> Any:
    """A table's columns by name and kind, and what windows are made of them; their number where they have no names."""
    if signature["modality"] == "image":
        return None
    described = signature["input"]
    if "columns" not in described:
        return described["shape"]
    columns = {(each["name"], each["kind"], each.get("role")) for each in described["columns"]}
    return columns, [described.get(name) for name in ("context", "horizon", "season")]
