import json
import random
from typing import Any

import pytest

from models.search.pruning import Judge, most_steps
from tests.models.search.studies import BATCH_SIZE, LEARNING_RATE, history_of, record_of, request_of

Json = dict[str, Any]
EPOCHS = 9


def request(pruner: str, **given: Any) -> Json:
    return request_of(**{"pruner": pruner, "dimensions": [LEARNING_RATE], "training": {"epochs": EPOCHS}, **given})


def trial(asked: Json, records: list[Json], final: float, steps: int = EPOCHS) -> Json:
    """A trial whose metric rises evenly to `final`, and is given up when its judge says so."""
    number = len(records)
    judge = Judge(asked, history_of(asked, [*records, record_of(number, "running")]), number)
    state = "complete"
    for step in range(1, steps + 1):
        if judge.report(step, final * step / steps) and step < steps:
            state = "pruned"
            break
    last = judge.reported[-1][1]
    attributes = json.loads(json.dumps(judge.attributes))
    return record_of(
        number,
        state,
        parameters={"training.optimizer.learning_rate": 0.01},
        values={asked["objectives"][0]["metric"]: last},
        intermediate=judge.reported,
        attributes=attributes,
    )


def trials(asked: Json, finals: list[float], steps: int = EPOCHS) -> list[Json]:
    records: list[Json] = []
    for final in finals:
        records.append(trial(asked, records, final, steps))
    return records


def test_without_a_pruner_all_is_reported_and_nothing_given_up() -> None:
    records = trials(request("none"), [0.9, 0.1, 0.2])
    assert [record["state"] for record in records] == ["complete"] * 3
    assert records[1]["intermediate"][-1] == [EPOCHS, 0.1]
    assert records[1]["attributes"] == {}


def test_the_median_is_what_a_trial_is_held_against_after_five() -> None:
    records = trials(request("median"), [0.5, 0.6, 0.7, 0.8, 0.9, 0.69, 0.71])
    assert [record["state"] for record in records] == ["complete"] * 5 + ["pruned", "complete"]
    assert len(records[5]["intermediate"]) == 1


def test_less_is_better_where_the_objective_says_so() -> None:
    objectives = [{"metric": "val_loss", "direction": "minimize"}]
    records = trials(request("median", objectives=objectives), [0.5, 0.6, 0.7, 0.8, 0.9, 0.69, 0.71])
    assert [record["state"] for record in records] == ["complete"] * 6 + ["pruned"]


def test_several_objectives_are_pruned_by_the_first() -> None:
    objectives = [{"metric": metric, "direction": "maximize"} for metric in ("val_accuracy", "parameters")]
    records: list[Json] = []
    for final in (0.5, 0.6, 0.7, 0.8, 0.9, 0.69, 0.71):
        record = trial(request("median", objectives=objectives), records, final)
        records.append({**record, "values": {**record["values"], "parameters": 7.0}})
    assert [record["state"] for record in records] == ["complete"] * 5 + ["pruned", "complete"]


def test_successive_halving_promotes_a_third_at_steps_1_3_and_9() -> None:
    records = trials(request("successive_halving"), [0.9, 0.8, 0.7, 0.95, 0.6, 0.5, 0.94, 0.99])
    assert [len(record["intermediate"]) for record in records] == [9, 1, 1, 9, 1, 1, 3, 9]
    assert records[6]["attributes"] == {
        "completed_rung_0": pytest.approx(0.94 / 9),
        "completed_rung_1": pytest.approx(0.94 / 3),
    }


def test_hyperband_spends_less_than_half_and_keeps_the_best() -> None:
    finals = [0.5 + number / 120 for number in range(60)]
    random.Random(0).shuffle(finals)
    records = trials(request("hyperband", training={"epochs": 27}), finals, 27)
    spent = sum(len(record["intermediate"]) for record in records)
    assert spent < 60 * 27 / 2
    best = max(record["values"]["val_accuracy"] for record in records if record["state"] == "complete")
    assert best == pytest.approx(max(finals), abs=0.02)


def test_brackets_of_hyperband_depend_on_the_search_and_the_number_alone() -> None:
    """A trial is judged the same whether later trials are known or not, and whatever search it began with."""
    asked = request("hyperband")
    records = trials(asked, [0.9, 0.5, 0.6, 0.7, 0.4, 0.3, 0.2])
    warm = [{**records[0], "number": number, "warm": True} for number in range(5)]
    for extra in ([], warm):
        history = history_of(asked, [*records[:6], record_of(6, "running"), *extra])
        judge = Judge(asked, history, 6)
        for step, value in records[6]["intermediate"]:
            judge.report(step, value)
        assert judge.attributes == records[6]["attributes"]


def test_a_value_that_is_no_number_is_passed_over() -> None:
    asked = request("median")
    judge = Judge(asked, history_of(asked, [record_of(0, "running")]), 0)
    assert not judge.report(1, float("nan"))
    assert not judge.report(2, 0.5)
    assert judge.reported == [[2, 0.5]]


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({"training": {}}, 10),
        ({"training": {"epochs": 7}}, 7),
        ({"folds": 5}, 5),
        ({"dimensions": [{**BATCH_SIZE, "path": "training.epochs"}]}, 100),
        ({"dimensions": [{"path": "training.epochs", "kind": "choice", "choices": [3, 12]}]}, 12),
    ],
)
def test_the_most_steps_of_a_trial_are_epochs_or_folds(given: Json, most: int) -> None:
    assert most_steps(request("hyperband", **given)) == most
