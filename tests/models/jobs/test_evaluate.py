import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import JobError
from models.run import Outcome, Stopped, run
from tests.models.running import Recorder, context_of, wish_at_poll, write_data_set


@pytest.fixture(scope="module")
def trained(iris: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    training = {"epochs": 60, "optimizer": {"name": "adam", "learning_rate": 0.05}}
    context = context_of(
        tmp_path_factory.mktemp("iris"), "train", {"architecture": "logistic", "training": training}, dataset=iris
    )
    return run(context)


def evaluate(directory: Path, trained: Outcome, dataset: Path, **request: Any) -> Outcome:
    report = request.pop("report", None)
    return run(
        context_of(
            directory,
            "evaluate",
            request,
            dataset=dataset,
            model=trained.files[0].path,
            version=trained.version,
            report=report,
        )
    )


def test_the_rows_held_out_in_training_are_scored(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    result = evaluate(tmp_path, trained, iris).result
    metrics = {name: value for name, value in result["metrics"].items() if name != "roc_curve"}
    assert metrics == trained.result["metrics"]
    assert (result["model"], result["dataset"], result["split"], result["rows"]) == (
        "a-model",
        "a-data-set",
        "test",
        30,
    )


def test_the_result_has_every_metric_and_is_its_report(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    outcome = evaluate(tmp_path, trained, iris)
    metrics = outcome.result["metrics"]
    assert {"accuracy", "precision_macro", "recall_weighted", "f1_macro", "roc_auc", "log_loss"} <= metrics.keys()
    assert np.array(metrics["confusion_matrix"]).sum() == 30
    assert [row["label"] for row in metrics["per_class"]] == ["setosa", "versicolor", "virginica"]
    assert set(metrics["roc_curve"]) == {"setosa", "versicolor", "virginica"}
    assert json.loads(outcome.files[0].path.read_text()) == outcome.result
    json.dumps(outcome.result, allow_nan=False)


@pytest.mark.parametrize(("split", "rows"), [("train", 90), ("validation", 30)])
def test_another_split_can_be_named(trained: Outcome, iris: Path, tmp_path: Path, split: str, rows: int) -> None:
    assert evaluate(tmp_path, trained, iris, split=split).result["rows"] == rows


def test_a_data_set_without_splits_is_scored_whole(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    inputs, targets = np.load(iris / "train.inputs.npy"), np.load(iris / "train.targets.npy")
    classes = ["setosa", "versicolor", "virginica"]
    other = write_data_set(tmp_path / "other", {"train": (inputs[:120], targets[:120])}, classes=classes)
    result = evaluate(tmp_path, trained, other).result
    assert (result["split"], result["rows"]) == ("all", 120)


def test_classes_and_columns_are_matched_by_name(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    inputs, targets = np.load(iris / "train.inputs.npy"), np.load(iris / "train.targets.npy")
    columns = [{"name": f"x{column}", "kind": "numeric"} for column in (3, 2, 1, 0)]
    other = write_data_set(
        tmp_path / "other",
        {"train": (inputs[:, ::-1].copy(), 2 - targets)},
        classes=["virginica", "versicolor", "setosa"],
        columns=columns,
    )
    assert evaluate(tmp_path, trained, other).result["metrics"]["accuracy"] > 0.9


def test_a_class_that_the_model_does_not_know_is_refused(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    inputs, targets = np.load(iris / "train.inputs.npy"), np.load(iris / "train.targets.npy")
    other = write_data_set(tmp_path / "other", {"train": (inputs, targets)}, classes=["setosa", "rose", "virginica"])
    with pytest.raises(JobError, match="rose"):
        evaluate(tmp_path, trained, other)


def test_a_data_set_for_another_task_is_refused(trained: Outcome, diabetes: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="regression"):
        evaluate(tmp_path, trained, diabetes)


def test_a_split_that_is_not_there_is_refused_with_those_that_are(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="train, validation, test"):
        evaluate(tmp_path, trained, iris, split="holdout")


def test_a_regression_has_its_own_metrics(diabetes: Path, tmp_path: Path) -> None:
    request = {"architecture": "linear", "training": {"epochs": 5}}
    trained = run(context_of(tmp_path / "train", "train", request, dataset=diabetes))
    metrics = evaluate(tmp_path / "evaluate", trained, diabetes).result["metrics"]
    names = {"mae", "mse", "rmse", "r2", "adjusted_r2"}
    assert set(metrics) == {*names, "intervals"}
    assert all(low < metrics[name] < high for name, (low, high) in metrics["intervals"].items())
    assert set(metrics["intervals"]) == names


def test_a_missing_target_is_refused(diabetes: Path, tmp_path: Path) -> None:
    request = {"architecture": "linear", "training": {"epochs": 1}}
    trained = run(context_of(tmp_path / "train", "train", request, dataset=diabetes))
    rows = np.load(diabetes / "train.inputs.npy")[:5]
    targets = np.array([1, 2, np.nan, 4, 5], np.float32)
    other = write_data_set(tmp_path / "other", {"train": (rows, targets)})
    with pytest.raises(JobError, match="1 of 5 rows"):
        evaluate(tmp_path / "evaluate", trained, other)


def test_a_cancel_is_obeyed(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        evaluate(tmp_path, trained, iris, report=Recorder(wish_at_poll(1, "cancel")))


def test_a_file_that_is_no_model_is_a_clear_error(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    context = context_of(tmp_path, "evaluate", {}, dataset=iris, model=tmp_path / "model.onnx", version=trained.version)
    with pytest.raises(JobError) as caught:
        run(context)
    assert caught.value.code == "model_invalid"
