import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.data import DataSet
from models.errors import JobError
from models.fits.folds import training_parts
from models.metrics import METRICS
from models.run import Outcome, Stopped, run
from models.training import checkpoint
from models.training.plan import Plan
from models.training.settings import Split
from tests.models.running import Recorder, context_of, file, wish_at_poll, write_data_set

CONVEX: dict[str, Any] = {
    "epochs": 150,
    "batch_size": "all",
    "optimizer": {"name": "adam", "learning_rate": 0.1},
    "scheduler": {"name": "cosine"},
    "l2": 1e-3,
    "split": {"validation": 0.0},
}
RANDOM: dict[str, Any] = {"epochs": 3, "batch_size": 16, "early_stopping": {"patience": 2}, "l1": 1e-4}
"""With dropout and batch normalisation: a run that depends on every kind of state."""
DROPOUT = {"dropout": 0.2, "batch_norm": True}


def cross_validate(directory: Path, dataset: Path, architecture: str, **given: Any) -> Outcome:
    context = {name: given.pop(name) for name in ("report", "checkpoint_interval_seconds") if name in given}
    request = {"architecture": architecture, **given}
    return run(context_of(directory, "cross_validate", request, dataset=dataset, **context))


def predictions(outcome: Outcome) -> list[dict[str, str]]:
    path = file(outcome, "predictions.csv")
    with path.open(newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.fixture(scope="module")
def stratified(iris: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Recorder]:
    recorder = Recorder()
    directory = tmp_path_factory.mktemp("stratified")
    given = {"method": "stratified_k_fold", "training": CONVEX, "report": recorder}
    return cross_validate(directory, iris, "logistic", **given), recorder


def test_the_mean_is_within_a_point_of_scikit_learns(stratified: tuple[Outcome, Recorder], iris: Path) -> None:
    dataset = DataSet.open(iris)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    splitter = StratifiedKFold(5, shuffle=True, random_state=0)
    accuracies = cross_val_score(theirs, dataset.inputs("train"), dataset.targets("train"), cv=splitter)
    accuracy = stratified[0].result["metrics"]["accuracy"]
    assert accuracy["mean"] == pytest.approx(accuracies.mean(), abs=0.01)
    low, high = accuracy["interval"]
    assert low < accuracy["mean"] < high
    assert accuracy["std"] > 0


def test_the_result_has_every_metric_over_the_folds(stratified: tuple[Outcome, Recorder]) -> None:
    result = stratified[0].result
    names = {
        metric.name for metric in METRICS if metric.task == "classification" and metric.greater_is_better is not None
    }
    assert names <= set(result["metrics"])
    assert [fold["fold"] for fold in result["folds"]] == [1, 2, 3, 4, 5]
    assert all(fold["rows"] == {"train": 120, "test": 30} for fold in result["folds"])
    accuracies = [fold["metrics"]["accuracy"] for fold in result["folds"]]
    assert result["metrics"]["accuracy"]["mean"] == pytest.approx(np.mean(accuracies))
    assert (result["fits"], result["rows"], result["parameters"]) == (5, 150, 15)
    assert result["seconds"] > 0
    assert stratified[0].version is None
    json.dumps(result, allow_nan=False)


def test_the_predictions_are_those_of_the_fold_that_held_the_row_out(
    stratified: tuple[Outcome, Recorder], iris: Path
) -> None:
    lines = predictions(stratified[0])
    targets = DataSet.open(iris).targets("train")
    splitter = StratifiedKFold(5, shuffle=True, random_state=0)
    folds = list(splitter.split(np.zeros(150), targets))
    assert [int(line["row"]) for line in lines] == list(range(150))
    for line in lines:
        assert int(line["row"]) in folds[int(line["fold"]) - 1][1]
        assert sum(
            float(line[f"probability_{label}"]) for label in ("setosa", "versicolor", "virginica")
        ) == pytest.approx(1)
    report = json.loads(file(stratified[0], "report.json").read_text())
    right = np.mean([line["target"] == line["prediction"] for line in lines])
    assert report["pooled"]["accuracy"] == pytest.approx(right)
    assert np.sum(report["pooled"]["confusion_matrix"]) == 150


def test_each_fold_is_told_of(stratified: tuple[Outcome, Recorder]) -> None:
    recorder = stratified[1]
    assert [step for step, _ in recorder.series["accuracy"]] == [1, 2, 3, 4, 5]
    assert sum("fold 3 of 5: accuracy" in line for line in recorder.lines) == 1
    assert recorder.fractions == sorted(recorder.fractions)
    assert "train_loss" not in recorder.series


def test_leave_one_out_pools_the_answers(diabetes: Path, tmp_path: Path) -> None:
    """R² of one row does not exist; of all of them together it does."""
    dataset = DataSet.open(diabetes)
    few = dataset.inputs("train")[:30], dataset.targets("train")
    assert few[1] is not None
    small = write_data_set(tmp_path / "few", {"train": (np.array(few[0]), np.array(few[1][:30]))})
    training = {**CONVEX, "epochs": 30}
    outcome = cross_validate(tmp_path, small, "linear", method="leave_one_out", training=training)
    assert outcome.result["fits"] == outcome.result["rows"] == 30
    assert "folds" not in outcome.result
    r2 = outcome.result["metrics"]["r2"]
    lines = predictions(outcome)
    target, answer = (np.array([float(line[name]) for line in lines]) for name in ("target", "prediction"))
    assert r2["mean"] == pytest.approx(1 - ((target - answer) ** 2).sum() / ((target - target.mean()) ** 2).sum())
    assert r2["interval"][0] < r2["mean"] < r2["interval"][1]


def test_hold_out_measures_the_rows_held_out_once(iris: Path, tmp_path: Path) -> None:
    training = {**CONVEX, "epochs": 5}
    result = cross_validate(tmp_path, iris, "logistic", method="hold_out", test_size=0.3, training=training).result
    assert (result["fits"], result["rows"]) == (1, 45)
    accuracy = result["metrics"]["accuracy"]
    assert accuracy["std"] is None
    assert accuracy["interval"][0] < accuracy["mean"] < accuracy["interval"][1]


def test_leave_p_out_answers_a_row_as_often_as_it_is_left_out(iris: Path, tmp_path: Path) -> None:
    dataset = DataSet.open(iris)
    targets = dataset.targets("train")
    assert targets is not None
    rows = np.arange(0, 150, 17)
    small = write_data_set(
        tmp_path / "few", {"train": (dataset.inputs("train")[rows], targets[rows])}, classes=dataset.labels
    )
    training = {**CONVEX, "epochs": 2}
    outcome = cross_validate(tmp_path, small, "logistic", method="leave_p_out", p=2, training=training)
    assert outcome.result["fits"] == 36
    assert np.bincount([int(line["row"]) for line in predictions(outcome)]).tolist() == [8] * 9
    low, high = outcome.result["metrics"]["accuracy"]["interval"]
    assert low <= outcome.result["metrics"]["accuracy"]["mean"] <= high


def test_preprocessing_and_the_choice_of_the_epoch_see_the_folds_own_training_rows(iris: Path) -> None:
    dataset = DataSet.open(iris)
    inputs = np.array(dataset.inputs("train"))
    train, test = next(iter(KFold(5, shuffle=True, random_state=0).split(inputs)))
    parts = training_parts(dataset, train, Split(validation=0.25))
    assert sorted([*parts["train"][1], *parts["validation"][1]]) == train.tolist()
    plan = Plan.of({"architecture": "logistic"}, dataset, {**parts, "test": ("train", test)})
    mean = plan.network()[0].get_buffer("mean")
    np.testing.assert_allclose(mean, inputs[parts["train"][1]].mean(axis=0), rtol=1e-5)
    assert not np.allclose(mean, inputs.mean(axis=0), rtol=1e-5)


def test_splits_of_the_data_sets_own_are_no_part_of_the_folds(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)

    def rows(count: int) -> tuple[Any, Any]:
        return generator.normal(size=(count, 2)).astype(np.float32), np.arange(count) % 2

    splits = {"train": rows(40), "validation": rows(11), "test": rows(13)}
    dataset = write_data_set(tmp_path / "data", splits, classes=["a", "b"])
    outcome = cross_validate(tmp_path, dataset, "logistic", folds=4, training={"epochs": 2})
    assert outcome.result["folds"][0]["rows"] == {"train": 30, "validation": 11, "test": 10}
    assert outcome.result["rows"] == 40


def same(first: Outcome, second: Outcome) -> bool:
    """Whether the answers are the same to the last digit."""
    return first.result["metrics"] == second.result["metrics"] and predictions(first) == predictions(second)


@pytest.mark.parametrize("poll", [2, 11, 23, 37])
@pytest.mark.parametrize("wish", ["pause", "kill"])
def test_a_disturbed_run_ends_with_the_same_bits(iris: Path, tmp_path: Path, poll: int, wish: str) -> None:
    given = {"training": RANDOM, "hyperparameters": DROPOUT, "folds": 3}
    whole = cross_validate(tmp_path / "whole", iris, "mlp", **given)
    disturbing = Recorder(wish_at_poll(poll, "pause") if wish == "pause" else killed_at_poll(poll))
    with pytest.raises(Stopped if wish == "pause" else ConnectionAbortedError):
        cross_validate(tmp_path / "d", iris, "mlp", report=disturbing, checkpoint_interval_seconds=0.0, **given)
    resuming = Recorder()
    resumed = cross_validate(tmp_path / "d", iris, "mlp", report=resuming, **given)
    assert same(whole, resumed)
    told = [line for recorder in (disturbing, resuming) for line in recorder.lines if ": accuracy" in line]
    assert len(told) == 3


def test_a_finished_fold_is_not_trained_again(iris: Path, tmp_path: Path) -> None:
    """What it left is changed by hand; the change is found in the result."""
    given = {"training": CONVEX | {"epochs": 2}, "folds": 3}
    cross_validate(tmp_path, iris, "logistic", **given)
    directory = tmp_path / "checkpoints" / "fit-000001"
    state = checkpoint.newest(directory)
    assert state is not None
    state["answers"]["test"][:] = torch.tensor([1.0, 0.0, 0.0])
    checkpoint.save(directory, 10**6, state)
    again = cross_validate(tmp_path, iris, "logistic", **given)
    assert {line["prediction"] for line in predictions(again) if line["fold"] == "2"} == {"setosa"}


@pytest.mark.parametrize("poll", [1, 9, 40])
def test_a_wish_to_cancel_is_obeyed_at_the_next_step(iris: Path, tmp_path: Path, poll: int) -> None:
    recorder = Recorder(wish_at_poll(poll, "cancel"))
    with pytest.raises(Stopped) as caught:
        cross_validate(tmp_path, iris, "mlp", training={"epochs": 50}, report=recorder)
    assert caught.value.wish == "cancel"
    assert recorder.polls == poll


def test_a_fold_that_diverges_is_named(diabetes: Path, tmp_path: Path) -> None:
    training = {"optimizer": {"name": "sgd", "learning_rate": 100.0}, "epochs": 50}
    with pytest.raises(JobError, match="fold 1 of 5") as caught:
        cross_validate(tmp_path, diabetes, "linear", training=training)
    assert caught.value.code == "training_diverged"


def killed_at_poll(poll: int) -> Any:
    """A reporter's wish that kills the run, as nearly as a test in one process can."""

    def wish(recorder: Recorder) -> None:
        if recorder.polls >= poll:
            raise ConnectionAbortedError

    return wish
