"""Jobs on series with a number to learn: trained, evaluated, inferred and cross-validated as any other data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.data import DataSet
from models.errors import JobError, TrainingDiverged
from models.inference import Session
from models.run import JobContext, Outcome, run
from tests.models.running import Recorder, builtin, context_of, file, of_version

REQUEST: dict[str, Any] = {
    "architecture": "gru",
    "hyperparameters": {"hidden_dim": 8},
    "training": {"epochs": 1, "batch_size": 256, "optimizer": {"name": "adam", "learning_rate": 0.01}},
}


@pytest.fixture(scope="module")
def adding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return builtin(tmp_path_factory.mktemp("adding"), "adding")


@pytest.fixture(scope="module")
def trained(adding: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[JobContext, Outcome]:
    context = context_of(tmp_path_factory.mktemp("trained"), "train", REQUEST, dataset=adding)
    return context, run(context)


def test_the_graph_takes_series_of_any_length_in_their_own_units(
    adding: Path, trained: tuple[JobContext, Outcome]
) -> None:
    _, outcome = trained
    assert outcome.version is not None
    described = outcome.version["signature"]["input"]
    assert (described["name"], described["shape"]) == ("series", [None, 2])
    assert [column["name"] for column in described["columns"]] == ["number", "mark"]
    assert outcome.version["parity"]["lengths"] == [1, 2, 7, 33, 100]
    session = Session(file(outcome, "model.onnx"), 1)
    series = DataSet.open(adding).examples("test").gather(torch.tensor([0])).inputs.numpy()
    whole = np.pad(series, ((0, 0), (0, 28), (0, 0)), constant_values=np.nan)
    np.testing.assert_allclose(session.run(whole), session.run(series), atol=1e-5)


def test_the_version_is_evaluated_as_it_was_scored(
    adding: Path, trained: tuple[JobContext, Outcome], tmp_path: Path
) -> None:
    _, outcome = trained
    request = {"split": "test", "hardest": 3, "against": None, "reference": "adding"}
    evaluated = run(context_of(tmp_path, "evaluate", request, dataset=adding, reference=adding, **of_version(outcome)))
    assert outcome.version is not None
    assert evaluated.result["metrics"]["mse"] == pytest.approx(outcome.version["metrics"]["test"]["mse"])
    assert {column["name"] for column in evaluated.result["drift"]["columns"]} >= {"length", "mark: mean"}


def test_every_series_is_answered(adding: Path, trained: tuple[JobContext, Outcome], tmp_path: Path) -> None:
    _, outcome = trained
    inferred = run(context_of(tmp_path, "infer", {"output_format": "jsonl"}, dataset=adding, **of_version(outcome)))
    lines = [json.loads(line) for line in file(inferred, "predictions.jsonl").read_text().splitlines()]
    assert len(lines) == 5000
    assert all(isinstance(line["value"], float) for line in lines)


def test_series_are_cross_validated(adding: Path, tmp_path: Path) -> None:
    request = {**REQUEST, "method": "hold_out", "test_size": 0.1, "seed": 0, "shuffle": True, "folds": 2, "p": 1}
    outcome = run(context_of(tmp_path, "cross_validate", request, dataset=adding))
    assert outcome.result["metrics"]["mse"]["mean"] > 0


def test_what_takes_inputs_of_one_size_takes_no_series_of_any_length(adding: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="takes inputs of one size"):
        run(context_of(tmp_path, "train", {"architecture": "mlp"}, dataset=adding))


def test_how_far_gradients_reach_back_is_told(adding: Path, trained: tuple[JobContext, Outcome]) -> None:
    context, outcome = trained
    assert isinstance(context.report, Recorder)
    (epoch,) = outcome.result["gradients"]["epochs"]
    assert outcome.version is not None
    assert outcome.version["gradients"] == outcome.result["gradients"]
    assert outcome.result["gradients"]["verdict"] == "vanishing", "as it does at the start, over 100 steps"
    assert epoch["first"] < 1e-3 * epoch["last"]
    assert context.report.series["gradient_first_steps"] == [(epoch_steps(context), epoch["first"])]
    assert context.report.series["gradient_last_steps"] == [(epoch_steps(context), epoch["last"])]
    assert all(value > 0 for _, value in context.report.series["train_gradient_norm"])
    assert any(line.startswith("warning: gradients: vanishing") for line in context.report.lines)


def epoch_steps(context: JobContext) -> int:
    assert isinstance(context.report, Recorder)
    return context.report.steps[-1]


@pytest.mark.parametrize(("bias", "verdict"), [(1.0, "vanishing"), (8.0, "healthy")])
def test_a_memory_that_is_kept_lets_gradients_through(adding: Path, tmp_path: Path, bias: float, verdict: str) -> None:
    request = {**REQUEST, "architecture": "lstm", "hyperparameters": {"hidden_dim": 8, "forget_bias": bias}}
    request["training"] = {**REQUEST["training"], "optimizer": {"name": "sgd", "learning_rate": 1e-6}}
    outcome = run(context_of(tmp_path, "train", request, dataset=adding))
    assert outcome.result["gradients"]["verdict"] == verdict


def test_truncated_back_propagation_changes_what_is_learned(
    adding: Path, trained: tuple[JobContext, Outcome], tmp_path: Path
) -> None:
    request = {**REQUEST, "training": {**REQUEST["training"], "truncate_steps": 10}}
    outcome = run(context_of(tmp_path, "train", request, dataset=adding))
    assert outcome.result["metrics"]["mse"] != trained[1].result["metrics"]["mse"]


def test_a_training_that_diverged_leaves_its_verdict_in_the_log(adding: Path, tmp_path: Path) -> None:
    request = {**REQUEST, "architecture": "rnn"}
    request["training"] = {
        **REQUEST["training"],
        "batch_size": 64,
        "optimizer": {"name": "sgd", "learning_rate": 100.0},
    }
    context = context_of(tmp_path, "train", request, dataset=adding)
    with pytest.raises(TrainingDiverged, match="gradient_clip"):
        run(context)
    assert isinstance(context.report, Recorder)
    assert any(line.startswith("warning: gradients: exploding") for line in context.report.lines)
