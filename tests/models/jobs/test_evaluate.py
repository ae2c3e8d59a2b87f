import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import JobError
from models.run import Candidate, Outcome, Stopped, run
from shapes.decimals import shortest
from tests.models.running import Recorder, context_of, file, wish_at_poll, write_data_set


@pytest.fixture(scope="module")
def trained(iris: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    training = {"epochs": 60, "optimizer": {"name": "adam", "learning_rate": 0.05}}
    context = context_of(
        tmp_path_factory.mktemp("iris"), "train", {"architecture": "logistic", "training": training}, dataset=iris
    )
    return run(context)


@pytest.fixture(scope="module")
def other(iris: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Trained on the same rows, but hardly."""
    training = {"epochs": 1, "seed": 1}
    request = {"architecture": "logistic", "training": training}
    return run(context_of(tmp_path_factory.mktemp("iris"), "train", request, dataset=iris))


def evaluate(
    directory: Path,
    trained: Outcome,
    dataset: Path,
    *,
    reference: Path | None = None,
    others: tuple[Candidate, ...] = (),
    report: Recorder | None = None,
    **request: Any,
) -> Outcome:
    return run(
        context_of(
            directory,
            "evaluate",
            request,
            dataset=dataset,
            model=trained.files[0].path,
            version=trained.version,
            report=report,
            reference=reference,
            others=others,
        )
    )


def candidate(trained: Outcome) -> Candidate:
    return Candidate(trained.files[0].path, trained.version or {})


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
    json.dumps(outcome.result, allow_nan=False)
    report = json.loads(file(outcome, "report.json").read_text())
    assert {name: report[name] for name in ("metrics", "calibration", "drift", "artifacts")} == {
        name: outcome.result[name] for name in ("metrics", "calibration", "drift", "artifacts")
    }
    assert set(report["curves"]) == {"roc_curve", "precision_recall_curve", "reliability"}
    listed = {entry["name"] for entry in outcome.result["artifacts"]}
    assert listed == {"roc.png", "precision_recall.png", "confusion_matrix.png", "calibration.png", "hardest.csv"}
    assert listed <= {file.name for file in outcome.files}


def test_the_temperature_kept_with_the_version_is_tried(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    assert trained.version is not None
    kept = trained.version["calibration"]
    assert (kept["rows"], kept["temperature"] > 0) == (30, True)
    found = evaluate(tmp_path, trained, iris, split="validation").result["calibration"]
    assert found["temperature"] == kept["temperature"]
    for when in ("before", "after"):  # on its own rows it does what it did when it was fitted
        assert found[when]["ece"] == pytest.approx(kept[f"ece_{when}"])
        assert found[when]["log_loss"] == pytest.approx(kept[f"log_loss_{when}"])


def test_the_hardest_rows_are_listed_with_their_values(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    outcome = evaluate(tmp_path, trained, iris, hardest=4)
    assert outcome.result["drift"]["verdict"]["drift"] == "unknown"  # without the rows that it was trained on
    rows = outcome.result["hardest"]
    assert [row["loss"] for row in rows] == sorted((row["loss"] for row in rows), reverse=True)
    (first, *_) = json.loads(file(outcome, "report.json").read_text())["hardest"]
    inputs = np.load(iris / "train.inputs.npy")[first["source_row"]]
    assert first["values"] == dict(zip(("x0", "x1", "x2", "x3"), map(shortest, inputs), strict=True))
    assert len(file(outcome, "hardest.csv").read_text().splitlines()) == 5


def test_rows_like_those_of_the_training_have_not_drifted(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    drift = evaluate(tmp_path, trained, iris, reference=iris, split="validation").result["drift"]
    assert drift["verdict"]["drift"] == "none"
    assert drift["rows"] == {"reference": 90, "new": 30}
    assert {column["name"] for column in drift["columns"]} == {"x0", "x1", "x2", "x3", "predicted class", "confidence"}


def test_moved_rows_have_drifted_and_the_moved_column_is_named(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    inputs, targets = np.load(iris / "train.inputs.npy"), np.load(iris / "train.targets.npy")
    inputs[:, 1] += 2
    moved = write_data_set(
        tmp_path / "moved", {"train": (inputs, targets)}, classes=["setosa", "versicolor", "virginica"]
    )
    outcome = evaluate(tmp_path, trained, moved, reference=iris)
    drift = outcome.result["drift"]
    assert drift["verdict"]["drift"] == "large"
    assert "x1" in drift["verdict"]["detail"]
    assert drift["classifier"]["interval"][0] > 0.8
    assert file(outcome, "drift.png").stat().st_size > 0


def test_two_versions_are_compared_on_the_same_rows(
    trained: Outcome, other: Outcome, iris: Path, tmp_path: Path
) -> None:
    recorder = Recorder()
    against = {"model": "b-model", "version": 2}
    outcome = evaluate(tmp_path, trained, iris, others=(candidate(other),), against=against, report=recorder)
    compared = outcome.result["comparison"]
    assert (compared["model"], compared["version"]) == ("b-model", 2)
    alone = evaluate(tmp_path / "alone", other, iris, hardest=0).result["metrics"]
    for name, figures in compared["metrics"].items():
        assert (figures["first"], figures["second"]) == (outcome.result["metrics"][name], alone[name])
    assert compared["test"]["name"] == "mcnemar"
    assert compared["verdict"]["better"] == "first"
    assert "a-model 1 (first) is better than b-model 2 (second)" in compared["verdict"]["detail"]
    assert file(outcome, "comparison.plotly.json").exists()
    assert recorder.fractions == sorted(recorder.fractions)
    assert recorder.fractions[-1] == 1


def test_images_have_a_sheet_of_the_hardest(few_digits: Path, tmp_path: Path) -> None:
    request = {"architecture": "lenet", "training": {"epochs": 1}}
    trained = run(context_of(tmp_path / "train", "train", request, dataset=few_digits))
    outcome = evaluate(tmp_path / "evaluate", trained, few_digits, reference=few_digits, hardest=7)
    assert file(outcome, "hardest.png").read_bytes().startswith(b"\x89PNG")
    assert {column["name"] for column in outcome.result["drift"]["columns"]} == {
        "brightness",
        "contrast",
        "predicted class",
        "confidence",
    }


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


def test_a_column_more_changes_no_metric(diabetes: Path, tmp_path: Path) -> None:
    request = {"architecture": "linear", "training": {"epochs": 1}}
    trained = run(context_of(tmp_path / "train", "train", request, dataset=diabetes))
    inputs, targets = (np.load(diabetes / f"train.{name}.npy")[:300] for name in ("inputs", "targets"))
    columns = json.loads((diabetes / "manifest.json").read_text())["input"]["columns"]
    wider = np.column_stack([np.ones(len(inputs), np.float32), inputs])
    more = [{"name": "note", "kind": "numeric"}, *columns]
    plain = write_data_set(tmp_path / "plain", {"train": (inputs, targets)}, columns=columns)
    other = write_data_set(tmp_path / "other", {"train": (wider, targets)}, columns=more)
    results = [evaluate(path / "job", trained, path, reference=diabetes).result for path in (plain, other)]
    assert results[0]["metrics"] == results[1]["metrics"]
    assert results[0]["drift"] == results[1]["drift"]
    assert [row["loss"] for row in results[0]["hardest"]] == [row["loss"] for row in results[1]["hardest"]]


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
    outcome = evaluate(tmp_path / "evaluate", trained, diabetes)
    metrics = outcome.result["metrics"]
    assert trained.version is not None
    assert trained.version["calibration"] is None
    assert {"predicted.png", "residuals.png"} <= {entry["name"] for entry in outcome.result["artifacts"]}
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
