from typing import Any

from models.baselines.standing import sentence, standing
from models.tasks import Classification, Regression


def stored(name: str, accuracy: float, **given: Any) -> dict[str, Any]:
    metrics = {"test": {"accuracy": accuracy}, "validation": {"accuracy": accuracy}}
    return {"job": "j", "name": name, "family": "classical", "task": "classification", "metrics": metrics} | given


def test_the_best_baseline_comes_first_and_says_how_far_away_it_is() -> None:
    metrics = {"test": {"accuracy": 0.9}, "validation": {"accuracy": 0.5}}
    records = standing([stored("weak", 0.4), stored("strong", 0.95)], Classification, metrics)
    assert [record["name"] for record in records] == ["strong", "weak"]
    assert abs(records[0]["difference"] + 0.05) < 1e-12
    assert (records[0]["metric"], records[0]["split"], records[0]["value"]) == ("accuracy", "test", 0.95)
    assert sentence(records) == "accuracy 0.900 on test rows against 0.950 of the best stored baseline, strong"


def test_without_test_rows_the_validation_rows_are_compared() -> None:
    (record,) = standing([stored("one", 0.4)], Classification, {"test": {}, "validation": {"accuracy": 0.5}})
    assert record["split"] == "validation"


def test_what_is_of_another_task_or_has_no_value_is_not_compared() -> None:
    metrics = {"test": {"accuracy": 0.9, "r2": 0.5}}
    assert standing([stored("one", 0.4)], Regression, metrics) == []
    assert standing([stored("one", 0.4, metrics={"test": {"accuracy": None}})], Classification, metrics) == []
    assert standing([stored("one", 0.4)], Classification, {"test": {"accuracy": None}}) == []
    assert sentence([]) is None
