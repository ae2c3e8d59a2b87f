from typing import Any

import pytest

from models.errors import JobError
from models.search.findings import best, importance, pareto
from tests.models.search.studies import DROPOUT, LEARNING_RATE, history_of, record_of, request_of

Json = dict[str, Any]
LESS_LOSS, MORE_ACCURACY = (
    {"metric": "val_loss", "direction": "minimize"},
    {"metric": "val_accuracy", "direction": "maximize"},
)


def trial(number: int, learning_rate: float, dropout: float, **values: float) -> Json:
    parameters = {"training.optimizer.learning_rate": learning_rate, "hyperparameters.dropout": dropout}
    return record_of(number, parameters=parameters, values=values)


def test_the_best_is_the_earliest_of_those_with_the_best_value() -> None:
    records = [trial(number, 0.01, 0.0, val_loss=loss) for number, loss in enumerate([0.5, 0.3, 0.3, 0.9])]
    assert best(history_of(request_of(objectives=[LESS_LOSS]), records)).number == 1
    records = [trial(number, 0.01, 0.0, val_accuracy=value) for number, value in enumerate([0.5, 0.9, 0.3, 0.9])]
    assert best(history_of(request_of(), records)).number == 1
    assert pareto(history_of(request_of(), records)) == [1, 3]


def test_neither_pruned_nor_earlier_trials_are_the_best() -> None:
    good = trial(0, 0.01, 0.0, val_accuracy=1.0)
    records = [
        {**good, "state": "pruned", "intermediate": [[1, 1.0]]},
        {**good, "number": 9, "warm": True},
        trial(1, 0.01, 0.0, val_accuracy=0.1),
    ]
    assert best(history_of(request_of(), records)).number == 1


def test_the_pareto_front_is_what_no_other_trial_beats() -> None:
    values = [(0.5, 0.5), (0.4, 0.6), (0.3, 0.4), (0.6, 0.7), (0.4, 0.5)]
    records = [trial(n, 0.01, 0.0, val_loss=loss, val_accuracy=accuracy) for n, (loss, accuracy) in enumerate(values)]
    history = history_of(request_of(objectives=[LESS_LOSS, MORE_ACCURACY]), records)
    assert pareto(history) == [1, 2, 3]
    assert best(history).number == 2


def test_where_nothing_was_trained_to_its_end_the_commonest_cause_is_named() -> None:
    causes = ["The loss became nan", "The loss became nan", "no such layer"]
    failed = [record_of(number, "failed", error={"code": "x", "detail": cause}) for number, cause in enumerate(causes)]
    with pytest.raises(JobError, match=r"None of the 3 trials.*2 failed, most often so: The loss became nan") as caught:
        best(history_of(request_of(), failed))
    assert caught.value.code == "no_trial_completed"
    pruned = {**trial(3, 0.01, 0.0, val_accuracy=0.1), "state": "pruned", "intermediate": [[1, 0.1]]}
    with pytest.raises(JobError, match=r"1 were pruned: set `pruner` to none"):
        best(history_of(request_of(), [pruned]))


def test_importance_is_shared_among_the_paths() -> None:
    records = [
        trial(number, 10 ** -(1 + number % 10 * 0.3), [0.0, 0.25, 0.5][number % 3], val_accuracy=1 - number % 10 / 10)
        for number in range(30)
    ]
    shares = importance(history_of(request_of(dimensions=[DROPOUT, LEARNING_RATE]), records))
    assert list(shares) == ["training.optimizer.learning_rate", "hyperparameters.dropout"]
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["training.optimizer.learning_rate"] > 0.8


def test_of_few_or_equal_trials_nothing_is_important() -> None:
    few = [trial(number, 0.01 + number / 100, 0.0, val_accuracy=number / 10) for number in range(3)]
    equal = [trial(number, 0.01 + number / 100, 0.0, val_accuracy=1.0) for number in range(9)]
    assert importance(history_of(request_of(), few)) == {}
    assert importance(history_of(request_of(), equal)) == {}
    assert importance(history_of(request_of())) == {}
