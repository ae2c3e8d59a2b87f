"""Of `validation_curve`."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from sqlalchemy.orm import Session

from services.catalogue import Catalogue
from services.errors import Invalid
from services.preparation.fits import Subject
from services.requests.fits import ValidationCurveRequest
from services.resources import Resources
from services.tables import Job


def prepare(session: Session, resources: Resources, request: ValidationCurveRequest) -> Job:
    """Every value is checked in its place, and what is trained with each is spelled out in the body's `points`."""
    path = request.parameter.split(".")
    _require_known(resources.catalogue, request, path)
    points = []
    for place, value in enumerate(request.values):
        point = with_value(resources.catalogue, request, path, value)
        try:
            subject = Subject.of(session, resources, point)
        except Invalid as error:
            raise _blaming_the_value(error, path, place) from error
        subject.require_held_out("validation")
        subject.require_last_epoch()
        points.append({"hyperparameters": point.hyperparameters, "training": point.training})
    what = f"{len(request.values)} values with {request.repeats} repeats"
    subject.require_number(len(points) * request.repeats, "repeats", what, "use fewer of either")
    return subject.job(session, {**request.model_dump(mode="json"), "points": points})


def with_value(
    catalogue: Catalogue, request: ValidationCurveRequest, path: Sequence[str], value: Any
) -> ValidationCurveRequest:
    """The request with a value at a path, such as `training`, `optimizer`, `learning_rate`.

    A training setting on the way of which the request says nothing has its default. Raises `Invalid` for a path
    that leads through something without parts.
    """
    root, *parents, last = path
    changed: dict[str, Any] = deepcopy(getattr(request, root))
    if root == "training" and parents:
        setting = catalogue.snapshot["training"]["properties"][parents[0]]
        changed.setdefault(parents[0], deepcopy(setting.get("default")))
    place = changed
    for depth, parent in enumerate(parents, 2):
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            msg = f"leads through {'.'.join(path[:depth])}, which is not an object; give it as one in {root}"
            raise Invalid.field("parameter_unknown", ["body", "parameter"], msg)
    place[last] = value
    return request.model_copy(update={root: changed})


def _require_known(catalogue: Catalogue, request: ValidationCurveRequest, path: Sequence[str]) -> None:
    """The architecture has such a hyperparameter, or training such a setting."""
    if request.architecture not in catalogue.architectures:
        return  # which is said of every value
    schemas = {
        "hyperparameters": catalogue.architectures[request.architecture]["hyperparameters"],
        "training": catalogue.snapshot["training"],
    }
    known = schemas[path[0]]["properties"]
    if path[1] not in known:
        msg = f"{path[1]} is unknown; {path[0]} are {', '.join(known)}"
        raise Invalid.field("parameter_unknown", ["body", "parameter"], msg)


def _blaming_the_value(error: Invalid, path: Sequence[str], place: int) -> Invalid:
    """The error with the place of the value in the request, where the value is what is wrong."""
    errors = list(error.errors)
    for index, each in enumerate(errors):
        if list(each["loc"][1 : len(path) + 1]) == list(path):
            errors[index] = {"loc": ["body", "values", place], "msg": f"{'.'.join(path)}: {each['msg']}"}
    detail = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in errors)
    return Invalid(error.code, detail, errors)
