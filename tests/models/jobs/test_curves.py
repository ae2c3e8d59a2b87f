"""The `learning_curve` and `validation_curve` jobs."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.errors import JobError
from models.run import Outcome, Stopped, run
from tests.models.running import Recorder, context_of, file, wish_at_poll, write_data_set

EXACT: dict[str, Any] = {
    "epochs": 1500,
    "batch_size": "all",
    "optimizer": {"name": "adam", "learning_rate": 0.05},
    "scheduler": {"name": "cosine"},
}
"""Close to least squares, where training error cannot but fall with the degree."""
DEGREES = [1, 2, 3, 5, 9, 14]


def job(directory: Path, kind: str, dataset: Path, **given: Any) -> Outcome:
    context = {name: given.pop(name) for name in ("report", "checkpoint_interval_seconds") if name in given}
    return run(context_of(directory, kind, given, dataset=dataset, **context))


def degrees(directory: Path, dataset: Path, values: list[int], **given: Any) -> Outcome:
    """A sweep over the degree of a polynomial."""
    points = [{"hyperparameters": {"degree": value}, "training": given["training"]} for value in values]
    request = {"architecture": "linear", "parameter": "hyperparameters.degree", "values": values, "points": points}
    return job(directory, "validation_curve", dataset, **{**request, **given})


@pytest.fixture(scope="module")
def noisy_curve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """22 noisy points of a sine wave to learn from, and 400 to be measured on."""
    generator = np.random.default_rng(3)

    def points(count: int) -> tuple[Any, Any]:
        x = generator.uniform(-1, 1, count)
        y = np.sin(3 * x) + generator.normal(scale=0.25, size=count)
        return x[:, None].astype(np.float32), y.astype(np.float32)

    splits = {"train": points(22), "validation": points(400)}
    return write_data_set(tmp_path_factory.mktemp("data") / "curve", splits)


@pytest.fixture(scope="module")
def capacity(noisy_curve: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    training = {**EXACT, "split": {"test": 0.0}}
    return degrees(tmp_path_factory.mktemp("capacity"), noisy_curve, DEGREES, training=training)


def test_with_capacity_training_error_falls_and_validation_error_falls_then_rises(capacity: Outcome) -> None:
    """The textbook U."""
    train = capacity.result["curves"]["mse"]["train"]["mean"]
    validation = capacity.result["curves"]["mse"]["validation"]["mean"]
    assert all(later < earlier * 1.001 for earlier, later in pairwise(train))
    bottom = int(np.argmin(validation))
    assert DEGREES[bottom] in (3, 5)
    assert validation[0] > 1.3 * validation[bottom]
    assert validation[-1] > 2 * validation[bottom]
    assert capacity.result["best"]["value"] == DEGREES[bottom]
    assert capacity.result["best"]["metric"] == "r2"


def test_training_error_is_that_of_least_squares(capacity: Outcome, noisy_curve: Path) -> None:
    x, y = (np.load(noisy_curve / f"train.{part}.npy").astype(np.float64) for part in ("inputs", "targets"))
    for degree, mse in zip(DEGREES[:4], capacity.result["curves"]["mse"]["train"]["mean"], strict=False):
        residual = y - np.polynomial.Polynomial.fit(x[:, 0], y, degree)(x[:, 0])
        assert mse == pytest.approx((residual**2).mean(), rel=0.02)


def test_the_curves_are_drawn_and_reported(capacity: Outcome) -> None:
    with Image.open(file(capacity, "curves.png")) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) >= 400
        assert len(picture.convert("RGB").getcolors(10**6) or ()) > 50
    report = json.loads(file(capacity, "report.json").read_text())
    assert [each["parameters"] for each in report["each"]] == [degree + 1 for degree in DEGREES]
    assert capacity.version is None
    json.dumps(capacity.result, allow_nan=False)


def test_repeats_have_a_mean_and_a_deviation(diabetes: Path, tmp_path: Path) -> None:
    training = {**EXACT, "epochs": 50}
    outcome = degrees(tmp_path, diabetes, [1, 2], training=training, repeats=3)
    curve = outcome.result["curves"]["mae"]["validation"]
    each = json.loads(file(outcome, "report.json").read_text())["each"]
    first = [record["metrics"]["validation"]["mae"] for record in each[:3]]
    assert len(set(first)) == 3
    assert curve["mean"][0] == pytest.approx(np.mean(first))
    assert curve["std"][0] == pytest.approx(np.std(first, ddof=1))
    assert len(curve["mean"]) == 2


def test_a_value_that_diverges_does_not_end_the_job(diabetes: Path, tmp_path: Path) -> None:
    values = [0.01, 100.0]
    points = [
        {"hyperparameters": {}, "training": {"epochs": 20, "optimizer": {"name": "sgd", "learning_rate": value}}}
        for value in values
    ]
    request = {"parameter": "training.optimizer.learning_rate", "values": values, "points": points}
    outcome = job(tmp_path, "validation_curve", diabetes, architecture="linear", **request)
    means = outcome.result["curves"]["r2"]["validation"]["mean"]
    assert means[0] is not None
    assert means[1] is None
    assert outcome.result["best"]["value"] == 0.01
    assert list(outcome.result["diverged"]) == ["training.optimizer.learning_rate 100.0, repeat 1 of 1"]


def test_values_that_are_no_numbers_are_swept_too(iris: Path, tmp_path: Path) -> None:
    values = [[4], [16, 8]]
    points = [{"hyperparameters": {"hidden_dims": value}, "training": {"epochs": 3}} for value in values]
    request = {"parameter": "hyperparameters.hidden_dims", "values": values, "points": points}
    outcome = job(tmp_path, "validation_curve", iris, architecture="mlp", **request)
    assert len(outcome.result["curves"]["accuracy"]["train"]["mean"]) == 2


def test_more_rows_close_the_gap_between_training_and_validation(diabetes: Path, tmp_path: Path) -> None:
    outcome = job(
        tmp_path, "learning_curve", diabetes, architecture="linear", training=EXACT, sizes=[15, 0.2, 1.0], repeats=2
    )
    result = outcome.result
    assert result["sizes"] == [15, 53, 266]
    assert result["fits"] == 6
    curves = result["curves"]["mse"]
    gaps = np.subtract(curves["validation"]["mean"], curves["train"]["mean"])
    assert gaps[0] > gaps[1] > gaps[2]
    assert curves["train"]["mean"] == sorted(curves["train"]["mean"])
    each = json.loads(file(outcome, "report.json").read_text())["each"]
    assert [record["rows"]["train"] for record in each] == [15, 15, 53, 53, 266, 266]


def test_the_rows_of_a_size_keep_the_proportions_of_the_classes(iris: Path, tmp_path: Path) -> None:
    outcome = job(
        tmp_path, "learning_curve", iris, architecture="logistic", training={"epochs": 1}, sizes=[6, 30], repeats=1
    )
    assert outcome.result["sizes"] == [6, 30]
    assert set(outcome.result["curves"]) >= {"accuracy", "log_loss"}


def test_more_rows_than_there_are_is_refused(iris: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="90"):
        job(tmp_path, "learning_curve", iris, architecture="logistic", sizes=[91])


def test_a_paused_curve_ends_with_the_same_numbers(iris: Path, tmp_path: Path) -> None:
    given = {"architecture": "mlp", "training": {"epochs": 3}, "sizes": [20, 40], "repeats": 2}
    whole = job(tmp_path / "whole", "learning_curve", iris, **given)
    with pytest.raises(Stopped, match="pause"):
        job(tmp_path / "d", "learning_curve", iris, report=Recorder(wish_at_poll(15, "pause")), **given)
    resumed = job(tmp_path / "d", "learning_curve", iris, **given)
    assert whole.result["curves"] == resumed.result["curves"]
