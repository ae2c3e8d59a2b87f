"""What a search looks for."""

from collections.abc import Iterator

from services.catalogue import Catalogue, Entry
from services.errors import Invalid
from services.requests.search import Objective, SearchRequest

MEASURED_OF_THE_NETWORK = ("latency_ms", "parameters")
"""Which no epoch has, so that nothing can be given up early by them. Less is better."""


def objectives(catalogue: Catalogue, request: SearchRequest, task: Entry) -> list[dict[str, str]]:
    """`{"metric", "direction"}` each; by default the one that the task is watched by beside its loss.

    Raises `Invalid` for a metric that the task lacks, or what does not go together with several or with no epochs.
    """
    found = [
        {"metric": wanted.metric, "direction": wanted.direction or _direction(catalogue, wanted.metric)}
        for wanted in _wanted(request, task)
    ]
    if request.pruner != "none" and len(found) > 1:
        msg = "judges by one objective; use none with several"
        raise Invalid.field("pruner_unsuitable", ["body", "pruner"], msg)
    if request.pruner != "none" and found[0]["metric"] in MEASURED_OF_THE_NETWORK:
        msg = f"has nothing to judge by before the end, where {found[0]['metric']} is measured; use none"
        raise Invalid.field("pruner_unsuitable", ["body", "pruner"], msg)
    if request.strategy == "evolution" and len(found) > 1:
        msg = "evolution looks for one thing; use bayesian for several"
        raise Invalid.field("strategy_unsuitable", ["body", "strategy"], msg)
    return found


def _wanted(request: SearchRequest, task: Entry) -> Iterator[Objective]:
    known = [*task["watched"], *MEASURED_OF_THE_NETWORK]
    if request.objectives is None:
        metric = request.metric or task["watched"][-1]
        _require_known(metric, known, task, ["body", "metric"])
        yield Objective(metric=metric, direction=None)
        return
    if request.metric is not None:
        raise Invalid.field("metric_twice", ["body", "metric"], "is given by objectives; leave one of the two out")
    seen: set[str] = set()
    for place, objective in enumerate(request.objectives):
        loc: list[str | int] = ["body", "objectives", place, "metric"]
        _require_known(objective.metric, known, task, loc)
        if objective.metric in seen:
            raise Invalid.field("metric_twice", loc, "is there already")
        seen.add(objective.metric)
        yield objective


def _require_known(metric: str, known: list[str], task: Entry, loc: list[str | int]) -> None:
    if metric not in known:
        msg = f"is not measured for {task['name']}; use {' or '.join(known)}"
        raise Invalid.field("metric_unknown", loc, msg)


def _direction(catalogue: Catalogue, metric: str) -> str:
    name = metric.removeprefix("val_")
    greater = any(entry["name"] == name and entry["greater_is_better"] for entry in catalogue.snapshot["metrics"])
    return "maximize" if greater else "minimize"
