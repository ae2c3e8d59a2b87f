import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import JobError
from models.run import Outcome, Stopped, run
from tests.models.running import Recorder, context_of, file, wish_at_poll, write_data_set

EXACT: dict[str, Any] = {
    "epochs": 400,
    "batch_size": "all",
    "optimizer": {"name": "adam", "learning_rate": 0.05},
    "scheduler": {"name": "cosine"},
    "split": {"validation": 0.0},
}


def decompose(directory: Path, dataset: Path, architecture: str, **given: Any) -> Outcome:
    context = {"report": given.pop("report")} if "report" in given else {}
    request = {"architecture": architecture, **given}
    return run(context_of(directory, "bias_variance", request, dataset=dataset, **context))


@pytest.fixture(scope="module")
def noisy_curve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 noisy points of a fast sine wave to learn from, and 200 without noise, which would count as bias."""
    generator = np.random.default_rng(5)

    def points(count: int, noise: float) -> tuple[Any, Any]:
        x = generator.uniform(-1, 1, count)
        y = np.sin(6 * x) + generator.normal(scale=noise, size=count)
        return x[:, None].astype(np.float32), y.astype(np.float32)

    return write_data_set(
        tmp_path_factory.mktemp("data") / "curve", {"train": points(300, 1.0), "test": points(200, 0.0)}
    )


@pytest.fixture(scope="module")
def by_degree(noisy_curve: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """Polynomials of degree 1, 3 and 8."""
    return [
        decompose(
            tmp_path_factory.mktemp("d"),
            noisy_curve,
            "linear",
            hyperparameters={"degree": degree},
            training=EXACT,
            resamples=15,
        )
        for degree in (1, 3, 8)
    ]


def test_with_capacity_bias_falls_and_variance_rises(by_degree: list[Outcome]) -> None:
    bias = [outcome.result["bias_squared"] for outcome in by_degree]
    variance = [outcome.result["variance"] for outcome in by_degree]
    assert bias[0] > bias[1] > 5 * bias[2]
    assert variance[0] < variance[1] < variance[2]


def test_the_result_holds_the_identity_and_a_table_the_rows(by_degree: list[Outcome]) -> None:
    outcome = by_degree[1]
    result = outcome.result
    assert result["error"] == pytest.approx(result["bias_squared"] + result["variance"], rel=1e-9)
    assert result["rows"] == {"train": 300, "test": 200}
    assert result["loss"] == "squared_error"
    path = file(outcome, "decomposition.csv")
    with path.open(newline="") as opened:
        lines = list(csv.DictReader(opened))
    assert [int(line["row"]) for line in lines] == list(range(200))
    assert np.mean([float(line["variance"]) for line in lines]) == pytest.approx(result["variance"])
    json.dumps(result, allow_nan=False)


def test_classes_are_decomposed_by_zero_one_loss(iris: Path, tmp_path: Path) -> None:
    result = decompose(tmp_path, iris, "logistic", training={"epochs": 10}, resamples=5).result
    assert result["loss"] == "zero_one"
    assert result["error"] == pytest.approx(result["bias"] + result["variance_unbiased"] - result["variance_biased"])
    assert 0 < result["error"] < 0.7


def test_without_test_rows_it_is_refused(iris: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"training\.split\.test"):
        decompose(tmp_path, iris, "logistic", training={"split": {"test": 0.0}})


def test_a_paused_run_ends_with_the_same_numbers(iris: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"training": {"epochs": 3}, "resamples": 3}
    whole = decompose(tmp_path / "whole", iris, "mlp", **given)
    with pytest.raises(Stopped, match="pause"):
        decompose(tmp_path / "d", iris, "mlp", report=Recorder(wish_at_poll(12, "pause")), **given)
    resumed = decompose(tmp_path / "d", iris, "mlp", **given)
    assert {**whole.result, "seconds": 0} == {**resumed.result, "seconds": 0}
