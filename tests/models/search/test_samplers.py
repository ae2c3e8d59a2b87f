import json
from collections.abc import Callable
from statistics import fmean
from typing import Any

import pytest

from models.errors import JobError
from models.search.samplers import seed_of, suggest
from tests.models.search.studies import BATCH_SIZE, DROPOUT, LEARNING_RATE, history_of, record_of, request_of

Json = dict[str, Any]
SAMPLERS = ("random", "bayesian", "gaussian_process", "evolution")
X: Json = {"path": "training.l1", "kind": "float", "low": 0.0, "high": 1.0}
Y: Json = {"path": "training.l2", "kind": "float", "low": 0.0, "high": 1.0}


def bowl(parameters: Json) -> float:
    """Its lowest point is 0 at (0.7, 0.2)."""
    return float((parameters["training.l1"] - 0.7) ** 2 + (parameters["training.l2"] - 0.2) ** 2)


def search(
    request: Json, trials: int, value: Callable[[Json], float] = bowl, records: tuple[Json, ...] = ()
) -> list[Json]:
    """Trials of a search of which each knows those before it, whose values are told by a function."""
    known = list(records)
    for number in range(trials):
        history = history_of(request, [*known, record_of(number, "running")])
        suggestion = suggest(request, history, number)
        values = {"val_loss": value(suggestion.parameters)}
        attributes = json.loads(json.dumps(suggestion.attributes))
        known.append(record_of(number, parameters=suggestion.parameters, values=values, attributes=attributes))
    return known[len(records) :]


def request(strategy: str, *dimensions: Json, **given: Any) -> Json:
    objectives = [{"metric": "val_loss", "direction": "minimize"}]
    return request_of(**{"strategy": strategy, "dimensions": list(dimensions), "objectives": objectives, **given})


def parameters_of(records: list[Json]) -> list[Json]:
    return [record["parameters"] for record in records]


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_the_same_seed_gives_the_same_trials_and_another_seed_others(strategy: str) -> None:
    asked = request(strategy, X, Y, DROPOUT)
    first = parameters_of(search(asked, 12))
    assert parameters_of(search(asked, 12)) == first
    assert parameters_of(search({**asked, "seed": 1}, 12)) != first
    assert len({json.dumps(each) for each in first}) == 12


@pytest.mark.parametrize("strategy", ["bayesian", "gaussian_process", "evolution"])
def test_what_has_been_seen_leads_to_what_is_better(strategy: str) -> None:
    trials = 20 if strategy == "gaussian_process" else 40
    values = [record["values"]["val_loss"] for record in search(request(strategy, X, Y), trials)]
    chance = [record["values"]["val_loss"] for record in search(request("random", X, Y), trials)]
    assert sum(values[-8:]) < 0.25 * sum(chance[-8:])


@pytest.mark.parametrize("strategy", SAMPLERS[1:])
def test_more_is_sought_where_more_is_better(strategy: str) -> None:
    asked = request(strategy, X, objectives=[{"metric": "val_loss", "direction": "maximize"}])
    records = search(asked, 18, lambda parameters: float(parameters["training.l1"]))
    late = [record["parameters"]["training.l1"] for record in records[-6:]]
    assert fmean(late) > 0.7


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_every_kind_of_dimension_and_condition_is_served(strategy: str) -> None:
    architecture = {"path": "architecture", "kind": "choice", "choices": ["mlp", "logistic"]}
    hidden = {
        "path": "hyperparameters.hidden_dims",
        "kind": "choice",
        "choices": [[4], [8, 8]],
        "when": [{"path": "architecture", "values": ["mlp"]}],
    }
    width = {**BATCH_SIZE, "path": "training.epochs", "log": True, "step": None}
    asked = request(strategy, architecture, LEARNING_RATE, hidden, BATCH_SIZE, width, architecture=["mlp", "logistic"])

    def value(parameters: Json) -> float:
        return float(parameters["training.optimizer.learning_rate"] * len(parameters))

    records = search(asked, 14, value)
    history = history_of(asked)
    assert all(history.space.contains(each) for each in parameters_of(records))
    with_mlp = [each for each in parameters_of(records) if each["architecture"] == "mlp"]
    assert 0 < len(with_mlp) < 14
    assert {str(each["hyperparameters.hidden_dims"]) for each in with_mlp} == {"[4]", "[8, 8]"}


def test_a_grid_is_taken_by_number() -> None:
    records = search(request("grid", BATCH_SIZE), 5, lambda parameters: 0.0)
    assert [each["training.batch_size"] for each in parameters_of(records)] == [10, 30, 50, 70, 90]
    with pytest.raises(JobError, match="no configuration 5"):
        suggest(request("grid", BATCH_SIZE), history_of(request("grid", BATCH_SIZE)), 5)


def test_a_list_is_taken_by_number() -> None:
    asked = request("manual", configurations=[{"training.l1": 0.5}, {"training.batch_size": 8}])
    assert parameters_of(search(asked, 2, lambda parameters: 0.0)) == asked["configurations"]
    with pytest.raises(JobError, match="no configuration 2"):
        suggest(asked, history_of(asked), 2)


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_failed_pruned_and_running_trials_are_part_of_the_history(strategy: str) -> None:
    asked = request(strategy, X, Y)
    records = search(asked, 12)
    records[3] = {**records[3], "state": "failed", "values": None, "error": {"code": "x", "detail": "y"}}
    records[5] = {**records[5], "state": "pruned", "intermediate": [[1, 0.9], [2, 0.8]]}
    records[7] = {**records[7], "state": "running", "values": None}
    records[8] = record_of(8, "running")
    again = suggest(asked, history_of(asked, [*records, record_of(12, "running")]), 12)
    assert history_of(asked).space.contains(again.parameters)
    late = suggest(asked, history_of(asked, records), 8)
    assert history_of(asked).space.contains(late.parameters)


def test_an_earlier_search_is_where_a_later_one_begins() -> None:
    earlier = [{**record, "warm": True} for record in search(request("random", X, Y), 40)]
    outside = [
        record_of(40, parameters={"training.l1": 9.0, "training.l2": 0.2}, values={"val_loss": 0.0}, warm=True),
        record_of(41, parameters={"training.l1": 0.7}, values={"val_loss": 0.0}, warm=True),
        record_of(42, parameters={"training.l1": 0.7, "training.l2": 0.2}, values={"val_accuracy": 1.0}, warm=True),
        record_of(43, "failed", parameters={"training.l1": 0.7, "training.l2": 0.2}, warm=True),
    ]
    assert len(history_of(request("bayesian", X, Y), [*earlier, *outside]).warm) == 40
    for strategy in ("bayesian", "gaussian_process", "evolution"):
        cold = search(request(strategy, X, Y), 8)
        warm = search(request(strategy, X, Y), 8, records=(*earlier, *outside))
        assert sum(map(bowl, parameters_of(warm))) < sum(map(bowl, parameters_of(cold)))


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_a_search_that_begins_with_another_tries_nothing_of_it_again(strategy: str) -> None:
    asked, latest = request(strategy, X, Y), list[Json]()
    points = list[Json]()
    for _ in range(3):  # each begins with the one before
        latest = search(asked, 3, records=tuple({**record, "warm": True} for record in latest))
        points += parameters_of(latest)
    assert len({json.dumps(point) for point in points}) == 9


def test_two_objectives_are_sought_together() -> None:
    objectives = [{"metric": "val_loss", "direction": "minimize"}, {"metric": "latency_ms", "direction": "minimize"}]
    for strategy in ("random", "bayesian", "gaussian_process"):
        asked = request(strategy, X, Y, objectives=objectives)
        known: list[Json] = []
        for number in range(12):
            parameters = suggest(asked, history_of(asked, [*known, record_of(number, "running")]), number).parameters
            values = {"val_loss": bowl(parameters), "latency_ms": parameters["training.l1"]}
            state = "pruned" if number == 4 else "complete"
            known.append(record_of(number, state, parameters=parameters, values=values, intermediate=[[1, 0.5]]))
        assert len({json.dumps(each) for each in parameters_of(known)}) == 12


def test_seeds_of_trials_differ() -> None:
    assert len({seed_of(seed, number) for seed in range(10) for number in range(100)}) == 1000
