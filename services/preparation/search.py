"""Of `search`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services import datasets
from services.baselines import split_of
from services.catalogue import Catalogue, Entry
from services.errors import FieldError, Invalid
from services.preparation.division import check_rows
from services.preparation.objectives import MEASURED_OF_THE_NETWORK, objectives
from services.preparation.queues import compute_queue
from services.preparation.spaces.corners import check_corners, check_fixed, faults, raise_all
from services.preparation.spaces.defaults import default_space
from services.preparation.spaces.dimensions import ARCHITECTURE, resolve
from services.preparation.spaces.fields import fields, known
from services.preparation.train import check_task
from services.requests.search import SearchRequest
from services.resources import Resources
from services.studies import course
from services.tables import Job
from shapes.search import Dimension, grid_size

DEFAULT_TRIALS = 20
MAX_LISTED = 1000
"""The most trials of a grid, a list, or a sampler that takes ever longer with their number."""
SMALL_RANGE = 100
"""How many whole numbers a range may have in a grid that names no step."""


def prepare(session: Session, resources: Resources, request: SearchRequest) -> Job:
    """The space is resolved into `dimensions`, and all that a trial can be given is checked as of a train request."""
    manifest = datasets.named_in_body(session, request.dataset).manifest or {}
    catalogue = resources.catalogue
    task = check_fixed(catalogue, request, manifest)
    _check_rows(catalogue, request, manifest)
    dimensions = _dimensions(catalogue, request, manifest, task)
    looked_for = objectives(catalogue, request, task)
    _check_measured(catalogue, request, looked_for)
    model = request.model or f"{request.dataset[:58]}-best"
    check_task(session, model, task["name"])
    _check_warm_start(session, request)
    body: dict[str, Any] = {
        **request.model_dump(mode="json"),
        "model": model,
        "metric": looked_for[0]["metric"],
        "objectives": looked_for,
        "dimensions": [dimension.model_dump(mode="json") for dimension in dimensions],
        "trials": request.trials or _most_trials(request, dimensions) or DEFAULT_TRIALS,
        "queue": compute_queue(session, request.training.get("device", "auto")),
    }
    require_trials(request.strategy, body["trials"], _most_trials(request, dimensions), "trials")
    return Job(kind="search", queue=course.QUEUE, request=body, dataset_name=request.dataset, model_name=model)


def require_trials(strategy: str, wanted: int, most: int | None, field: str) -> None:
    """No more trials than there are configurations, or than the strategy can cope with."""
    if most is not None and wanted > most:
        raise Invalid.field("too_many_trials", ["body", field], f"there are {most:,} configurations in all")
    if strategy == "gaussian_process" and wanted > MAX_LISTED:
        msg = f"gaussian_process takes ever longer and does at most {MAX_LISTED:,} trials; use bayesian for more"
        raise Invalid.field("too_many_trials", ["body", field], msg)


def _dimensions(catalogue: Catalogue, request: SearchRequest, manifest: Entry, task: Entry) -> tuple[Dimension, ...]:
    if request.strategy == "manual":
        _check_configurations(catalogue, request, manifest)
        return ()
    if request.configurations is not None:
        msg = f"are for the strategy manual; {request.strategy} has a space"
        raise Invalid.field("configurations_unsuitable", ["body", "configurations"], msg)
    space = request.space
    if space is None:
        space = default_space(catalogue, request, manifest, writes=task["writes"])
    dimensions = resolve(catalogue, request, space)
    if not dimensions:
        msg = f"is empty, and there is nothing to search; there are {known(catalogue, request.architectures)}"
        raise Invalid.field("space_empty", ["body", "space"], msg)
    check_corners(catalogue, request, manifest, dimensions)
    if request.strategy == "evolution":
        _require_numbers(dimensions)
    if request.strategy == "grid":
        _check_grid(dimensions)
    return dimensions


def _require_numbers(dimensions: Sequence[Dimension]) -> None:
    numbers = [each for each in dimensions if each.kind != "choice" and not each.when and each.low != each.high]
    if len(numbers) < 2:
        msg = "evolution moves through two or more ranges of numbers that every trial has; use bayesian or random"
        raise Invalid.field("strategy_unsuitable", ["body", "strategy"], msg)


def _check_grid(dimensions: Sequence[Dimension]) -> None:
    for dimension in dimensions:
        if dimension.kind == "choice" or dimension.step is not None:
            continue
        if dimension.kind == "float" or dimension.num_values() > SMALL_RANGE:
            msg = f"has more than {SMALL_RANGE} values for a grid; give it a step, or choices"
            raise Invalid.field("range_without_step", ["body", "space", dimension.path], msg)
    if grid_size(dimensions, MAX_LISTED) > MAX_LISTED:
        msg = f"has more than {MAX_LISTED:,} points, the most of a grid; use fewer values, or the strategy random"
        raise Invalid.field("grid_too_large", ["body", "space"], msg)


def _most_trials(request: SearchRequest, dimensions: Sequence[Dimension]) -> int | None:
    """How many configurations there are; None if no end of them."""
    if request.strategy == "manual":
        return len(request.configurations or ())
    return grid_size(dimensions, MAX_LISTED) if request.strategy == "grid" else None


def _check_configurations(catalogue: Catalogue, request: SearchRequest, manifest: Entry) -> None:
    """Each is checked as a train request, and none is there twice."""
    if request.space is not None:
        raise Invalid.field("space_unsuitable", ["body", "space"], "is not for manual, which has configurations")
    if request.configurations is None:
        msg = 'is missing; manual takes a list such as [{"training.l2": 0.01}]'
        raise Invalid.field("configurations_missing", ["body", "configurations"], msg)
    errors: list[FieldError] = []
    for place, point in enumerate(request.configurations):
        loc: list[str | int] = ["body", "configurations", place]
        _check_paths(catalogue, request, point, loc)
        errors += faults(catalogue, request, manifest, point, loc, "")
        if point in request.configurations[:place]:
            errors.append({"loc": loc, "msg": "is there already, and would be trained twice"})
    if errors:
        raise_all(errors)


def _check_paths(catalogue: Catalogue, request: SearchRequest, point: dict[str, Any], loc: list[str | int]) -> None:
    several = len(request.architectures) > 1
    if (ARCHITECTURE in point) != several or point.get(ARCHITECTURE, request.architectures[0]) not in (
        request.architectures
    ):
        msg = f"must be one of {', '.join(request.architectures)}" if several else "is the request's; leave it out"
        raise Invalid.field("architecture_unsuitable", [*loc, ARCHITECTURE], msg)
    architectures = (point.get(ARCHITECTURE, request.architectures[0]),)
    for path in point.keys() - {ARCHITECTURE}:
        if not fields(catalogue, architectures, path):
            msg = f"unknown, or the same for all trials; there are {known(catalogue, architectures)}"
            raise Invalid.field("setting_unknown", [*loc, path], msg)


def _check_rows(catalogue: Catalogue, request: SearchRequest, manifest: Entry) -> None:
    """There are validation rows to compare trials on, or enough rows for the folds."""
    splits = manifest["splits"]
    split = split_of(catalogue, request.training)
    if request.folds == 0:
        if "validation" not in splits and split["validation"] == 0:
            msg = "must be above 0, or folds given: trials are compared on these rows, and the data set brings none"
            raise Invalid.field("no_held_out_rows", ["body", "training", "split", "validation"], msg)
        check_rows(catalogue, request.training, manifest)
        return
    if request.folds == 1:
        raise Invalid.field("folds_unsuitable", ["body", "folds"], "must be 0, for one training, or 2 or more")
    if request.refit == "all":
        msg = "takes the best trial's number of epochs, and with folds each has its own; use best"
        raise Invalid.field("refit_unsuitable", ["body", "refit"], msg)
    if manifest["task"] == "forecasting":  # whose rows are windows, of which the job knows how many there are
        return
    left = 1.0 if "test" in splits else 1.0 - split["test"]
    counts = (manifest.get("class_counts") or {}).get("train") or [splits["train"]["count"]]
    fewest = int(min(count for count in counts if count) * left)
    if request.folds > fewest:
        what = "of the smallest class " if len(counts) > 1 else ""
        msg = f"must be at most {fewest}: so many rows {what}are left beside the test rows"
        raise Invalid.field("too_many_folds", ["body", "folds"], msg)


def _check_measured(catalogue: Catalogue, request: SearchRequest, looked_for: Sequence[Mapping[str, str]]) -> None:
    """A network without a loss of held-out rows has nothing that its trials could be compared by."""
    without = [name for name in request.architectures if not catalogue.architectures[name]["has_validation_loss"]]
    if without and any(each["metric"] not in MEASURED_OF_THE_NETWORK for each in looked_for):
        msg = f"{', '.join(without)} has no validation metrics by which trials could be compared; use a train job"
        raise Invalid.field("no_validation_metric", ["body", "architecture"], msg)


def _check_warm_start(session: Session, request: SearchRequest) -> None:
    if request.warm_start is None:
        return
    earlier = session.get(Job, request.warm_start)
    if earlier is None or earlier.kind != "search":
        msg = "there is no such search" if earlier is None else f"is a {earlier.kind} job; name a search"
        raise Invalid.field("search_not_found", ["body", "warm_start"], msg)
