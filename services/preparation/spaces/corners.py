"""Every value that a trial can be given is tried on the catalogue, so that no trial fails for being out of bounds.

A setting's value is right or wrong by itself and by what decides what the setting means: the architecture, and of an
optimizer's option the optimizer. So of each dimension the bounds and choices are tried with each of these.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, NamedTuple

from services.catalogue import Catalogue, Entry
from services.errors import FieldError, Invalid
from services.preparation.spaces.dimensions import ARCHITECTURE
from services.preparation.spaces.fields import default
from services.requests.search import SearchRequest
from shapes.search import Dimension, in_order, put

MAX_TRIED = 3000
"""The most values that are tried."""
MAX_ERRORS = 20

Point = dict[str, Any]
"""Values by path."""


class Configuration(NamedTuple):
    """What a trial trains."""

    architecture: str
    hyperparameters: Entry
    training: Entry
    task: str | None


def configured(catalogue: Catalogue, request: SearchRequest, point: Mapping[str, Any]) -> Configuration:
    """The configuration of a point: its values beside what is fixed. Each architecture has what it knows of that."""
    architecture = point.get(ARCHITECTURE, request.architectures[0])
    known = catalogue.architectures[architecture]["hyperparameters"]["properties"]
    alone = len(request.architectures) == 1
    fixed = {name: value for name, value in request.hyperparameters.items() if alone or name in known}
    configuration = Configuration(architecture, deepcopy(fixed), deepcopy(request.training), request.task)
    for path in in_order(point):
        root, _, setting = path.partition(".")
        if root == "hyperparameters":
            configuration.hyperparameters[setting] = point[path]
        elif root == "training":
            put(configuration.training, setting.split("."), point[path], partial(_usual, catalogue, architecture))
    return configuration


def _usual(catalogue: Catalogue, architecture: str, setting: str) -> Entry:
    """What a training setting with parts has where a request says nothing of it, as far as that must be said."""
    if (own := catalogue.architectures[architecture].get("training", {}).get(setting)) is not None:
        return dict(own)
    usual = default(catalogue, architecture, setting)
    return {"name": usual["name"]} if usual and "name" in usual else {}


def check_fixed(catalogue: Catalogue, request: SearchRequest, manifest: Entry) -> Entry:
    """The task that every architecture is trained for. Raises `Invalid` for what is the same in all trials."""
    tasks = {}
    for place, name in enumerate(request.architectures):
        loc: list[str | int] = ["body", "architecture", *([] if isinstance(request.architecture, str) else [place])]
        if name not in catalogue.architectures:
            known = ", ".join(sorted(catalogue.architectures))
            raise Invalid.field("architecture_unknown", loc, f"unknown; choose of {known}")
        if name in request.architectures[:place]:
            raise Invalid.field("architecture_twice", loc, "is there already")
        try:
            task = catalogue.check_training(*configured(catalogue, request, {ARCHITECTURE: name}), manifest)
        except Invalid as error:
            errors: list[FieldError] = [
                {"loc": loc if each["loc"] == ["body", "architecture"] else each["loc"], "msg": each["msg"]}
                for each in error.errors
            ]
            raise Invalid(error.code, error.detail, errors) from error
        tasks[task["name"]] = task
        if len(tasks) > 1:
            raise Invalid.field("tasks_differ", loc, f"is for another task; all must be for one of {', '.join(tasks)}")
    _require_known(catalogue, request)
    return next(iter(tasks.values()))


def _require_known(catalogue: Catalogue, request: SearchRequest) -> None:
    for name in request.hyperparameters:
        if not any(
            name in catalogue.architectures[each]["hyperparameters"]["properties"] for each in request.architectures
        ):
            msg = f"unknown to {' and '.join(request.architectures)}"
            raise Invalid.field("hyperparameter_unknown", ["body", "hyperparameters", name], msg)


def check_corners(
    catalogue: Catalogue, request: SearchRequest, manifest: Entry, dimensions: Sequence[Dimension]
) -> None:
    """Raise `Invalid` naming the bounds and choices that some configuration of the space cannot have."""
    errors: list[FieldError] = []
    tried = 0
    for dimension in dimensions:
        for context in contexts(dimension, dimensions):
            for place, value in _corners(dimension):
                tried += 1
                if tried > MAX_TRIED:
                    msg = f"has over {MAX_TRIED:,} values that would have to be checked; give fewer choices"
                    raise Invalid.field("space_too_large", ["body", "space"], msg)
                loc: list[str | int] = ["body", "space", dimension.path, *place]
                point = {**context, dimension.path: value}
                errors += faults(catalogue, request, manifest, point, loc, dimension.path)
    if errors:
        raise_all(errors)


def raise_all(errors: Sequence[FieldError]) -> None:
    """Raise `Invalid` with the first of the errors, each once."""
    shown = [error for place, error in enumerate(errors) if error not in errors[:place]][:MAX_ERRORS]
    detail = "; ".join(f"{'.'.join(map(str, error['loc'][1:]))}: {error['msg']}" for error in shown)
    raise Invalid("space_invalid", detail, shown)


def faults(
    catalogue: Catalogue, request: SearchRequest, manifest: Entry, point: Point, loc: list[str | int], path: str
) -> Iterator[FieldError]:
    """What is wrong with a point, told at `loc`; `path` is what was varied, of which no more need be said."""
    try:
        catalogue.check_training(*configured(catalogue, request, point), manifest)
    except Invalid as error:
        others = ", ".join(f"{name} {value}" for name, value in point.items() if name != path and path)
        for each in error.errors:
            place = ".".join(map(str, each["loc"][1:]))
            about = "" if place == path or not place else f"{place} "
            yield {"loc": loc, "msg": f"{about}{each['msg']}" + (f" (with {others})" if others else "")}


def contexts(dimension: Dimension, dimensions: Sequence[Dimension]) -> list[Point]:
    """The values of what decides the meaning of a dimension, in every combination with which it is varied."""
    deciding = [each for each in dimensions if _decides(each, dimension)]
    paths = {each.path for each in deciding}
    points: list[Point] = [{}]
    for each in deciding:
        points = [
            extended
            for point in points
            for extended in (
                [{**point, each.path: value} for value in each.choices] if _may_have(point, each, paths) else [point]
            )
        ]
    return [point for point in points if _may_have(point, dimension, paths)]


def _decides(one: Dimension, other: Dimension) -> bool:
    """Whether what the other means depends on the value of the one."""
    parent = other.path.rpartition(".")[0]
    if one.path == ARCHITECTURE:
        return other.path != ARCHITECTURE
    return "." in parent and one.path != other.path and one.path in (parent, f"{parent}.name")


def _may_have(point: Point, dimension: Dimension, known: set[str]) -> bool:
    """Whether the conditions on what the point is about hold; of the others nothing is known."""
    return all(condition.holds(point) for condition in dimension.when if condition.path in known)


def _corners(dimension: Dimension) -> Iterator[tuple[list[str | int], Any]]:
    """The values to try, and where the request has them."""
    if dimension.path == ARCHITECTURE:
        return
    if dimension.kind == "choice":
        for place, value in enumerate(dimension.choices):
            yield ["choices", place], value
        return
    whole = dimension.kind == "int"
    for name, bound in (("low", dimension.low), ("high", dimension.high)):
        if bound is not None:
            yield [name], int(bound) if whole else bound
