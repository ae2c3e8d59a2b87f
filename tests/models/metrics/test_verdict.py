"""Verdicts on scores, and on real trainings that fit too little, too much and well."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.metrics.verdict import judge
from models.run import run
from tests.models.running import context_of, write_data_set

GUESS = {"accuracy": 0.1}


def scores(accuracy: float, margin: float = 0.01) -> dict[str, Any]:
    return {"accuracy": accuracy, "intervals": {"accuracy": [accuracy - margin, accuracy + margin]}}


@pytest.mark.parametrize(
    ("train", "held_out", "fit"),
    [
        (scores(0.98), scores(0.96), "good"),
        (scores(0.99), scores(0.80), "overfitting"),
        (scores(0.30), scores(0.29), "underfitting"),
        (scores(0.40), scores(0.15), "overfitting"),
        (scores(1.00, 0.1), scores(0.88, 0.1), "unknown"),
        (scores(1.00, 0.2), scores(1.00, 0.2), "unknown"),
        (scores(0.40, 0.2), scores(0.40, 0.2), "unknown"),
        (scores(0.10, 0.2), scores(0.05, 0.2), "underfitting"),
    ],
)
def test_the_gap_and_the_training_error_decide(train: dict[str, Any], held_out: dict[str, Any], fit: str) -> None:
    assert judge("accuracy", train, held_out, GUESS, "validation")["fit"] == fit


def test_it_says_what_it_rests_on_and_what_to_try() -> None:
    verdict = judge("accuracy", scores(1.0), scores(0.82), GUESS, "validation")
    assert verdict["detail"] == (
        "accuracy is 1.000 on training rows, 0.820 on validation rows and 0.100 by guessing: "
        "of guessing's error 0% is left in training, and the gap is 20% ± 2%."
    )
    assert any("training.l2" in remedy for remedy in verdict["try"])
    assert judge("accuracy", scores(0.98), scores(0.97), GUESS, "test")["try"] == []


def test_without_numbers_nothing_is_said() -> None:
    for train, held_out, guess in (
        ({}, {}, {}),
        (scores(1.0), scores(1.0), {"accuracy": 1.0}),
        (scores(1.0), {"accuracy": None}, GUESS),
    ):
        assert judge("accuracy", train, held_out, guess, "test")["fit"] == "unknown"


def trained(directory: Path, dataset: Path, architecture: str, epochs: int, **hyperparameters: Any) -> dict[str, Any]:
    training = {"epochs": epochs, "optimizer": {"name": "adam", "learning_rate": 0.01}, "batch_size": 32}
    request = {"architecture": architecture, "hyperparameters": hyperparameters, "training": training}
    return run(context_of(directory, "train", request, dataset=dataset)).result


def test_a_line_underfits_a_circle(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(1000, 2)).astype(np.float32)
    inside = (np.square(rows).sum(axis=1) < 1.4).astype(np.int64)
    dataset = write_data_set(tmp_path / "data", {"train": (rows, inside)}, classes=["out", "in"])
    assert trained(tmp_path / "line", dataset, "logistic", 20)["verdict"]["fit"] == "underfitting"
    assert trained(tmp_path / "curve", dataset, "mlp", 40)["verdict"]["fit"] == "good"


def test_a_large_network_overfits_noise(tmp_path: Path) -> None:
    """Of two hundred columns one matters, and a tenth of the labels are wrong."""
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(400, 200)).astype(np.float32)
    classes = ((rows[:, 0] > 0) ^ (generator.random(400) < 0.1)).astype(np.int64)
    dataset = write_data_set(tmp_path / "data", {"train": (rows, classes)}, classes=["a", "b"])
    result = trained(tmp_path / "run", dataset, "mlp", 30)
    assert result["verdict"]["fit"] == "overfitting"
    assert result["train"]["accuracy"] > result["validation"]["accuracy"] + 0.1
    assert f"{result['train']['accuracy']:.3f} on training rows" in result["verdict"]["detail"]


def test_a_regression_is_judged_by_r2(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 1, (600, 1)).astype(np.float32)
    y = (np.cos(6 * x[:, 0]) + 0.1 * generator.normal(size=600)).astype(np.float32)
    dataset = write_data_set(tmp_path / "data", {"train": (x, y)})
    line = trained(tmp_path / "line", dataset, "linear", 20)["verdict"]
    assert line["fit"] == "underfitting"
    assert line["detail"].startswith("r2 is ")
    assert trained(tmp_path / "curve", dataset, "mlp", 80)["verdict"]["fit"] == "good"


def test_without_held_out_rows_there_is_no_verdict(iris: Path, tmp_path: Path) -> None:
    training = {"epochs": 1, "split": {"validation": 0.0, "test": 0.0}}
    result = run(context_of(tmp_path, "train", {"architecture": "logistic", "training": training}, dataset=iris)).result
    assert result["verdict"]["fit"] == "unknown"
    assert result["train"] == {}
