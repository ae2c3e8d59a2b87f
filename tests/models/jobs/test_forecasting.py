"""Jobs on series to forecast: divided by time, trained, evaluated, inferred and cross-validated."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.data import DataSet
from models.errors import JobError, Mismatch
from models.inference import Session
from models.run import JobContext, Outcome, run
from models.search.training import folds
from models.training.plan import Plan
from models.versions.rebuilding import rebuild
from tests.models.running import Recorder, builtin, context_of, file, ingested, of_version

CONTEXT, HORIZON = 12, 3
REQUEST: dict[str, Any] = {
    "architecture": "gru",
    "hyperparameters": {"hidden_dim": 12, "context": CONTEXT, "horizon": HORIZON},
    "training": {"epochs": 25, "batch_size": 16, "optimizer": {"name": "adam", "learning_rate": 0.02}},
}
PINBALL = {"name": "pinball", "quantiles": [0.1, 0.5, 0.9]}
MONTHS = 96
SHOPS = ("a", "bbbb")


def sales(shop: str) -> list[tuple[str, float, int]]:
    """Month, sales and whether there is a promotion, which adds to them; the level is the shop's own."""
    random = np.random.default_rng(len(shop))
    promoted = random.integers(0, 2, MONTHS)
    value = 100 * len(shop) + 20 * np.sin(2 * np.pi * np.arange(MONTHS) / 12) + 15 * promoted
    months = [f"{1990 + month // 12}-{month % 12 + 1:02d}" for month in range(MONTHS)]
    return [*zip(months, (value + random.normal(0, 1, MONTHS)).tolist(), promoted.tolist(), strict=True)]


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [
        f"{shop},{month},{value:.3f},{promoted}" for shop in ("a", "bbbb") for month, value, promoted in sales(shop)
    ]
    upload = "\n".join(["series,month,sales,promotion", *lines])
    options = {"target": "sales", "known_ahead": ["promotion"]}
    return ingested(tmp_path_factory.mktemp("shops"), upload, format="series", options=options)


@pytest.fixture(scope="module")
def trained(shops: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[JobContext, Outcome]:
    context = context_of(tmp_path_factory.mktemp("trained"), "train", REQUEST, dataset=shops)
    return context, run(context)


def test_it_forecasts_better_than_the_season_before(trained: tuple[JobContext, Outcome]) -> None:
    _, outcome = trained
    test, naive = outcome.result["metrics"], outcome.result["baseline"]
    assert test["mae"] < 0.7 * naive["mae"]
    assert test["skill"] == pytest.approx(1 - test["mase"])
    assert test["skill"] > naive["skill"]
    assert len(test["mae_by_step"]) == HORIZON


def test_every_epoch_has_the_scaled_error(shops: Path, tmp_path: Path) -> None:
    recorder = Recorder()
    request = {**REQUEST, "training": {"epochs": 2}}
    outcome = run(context_of(tmp_path, "train", request, report=recorder, dataset=shops))
    assert outcome.version is not None
    for metric in ("mae", "mase"):
        _, value = recorder.series[f"val_{metric}"][outcome.result["best_epoch"] - 1]
        assert value == pytest.approx(outcome.version["metrics"]["validation"][metric], rel=1e-4)


def test_the_signature_says_what_is_seen_and_what_is_known_ahead(trained: tuple[JobContext, Outcome]) -> None:
    _, outcome = trained
    assert outcome.version is not None
    described = outcome.version["signature"]["input"]
    assert described["shape"] == [CONTEXT + HORIZON, 2]
    assert (described["context"], described["horizon"], described["season"]) == (CONTEXT, HORIZON, 12)
    assert [column["role"] for column in described["columns"]] == ["target", "known_ahead"]
    assert outcome.version["signature"]["output"]["shape"] == [HORIZON]


def test_the_graph_takes_raw_steps_and_sees_nothing_of_the_future_but_what_is_known(
    shops: Path, trained: tuple[JobContext, Outcome]
) -> None:
    _, outcome = trained
    assert outcome.version is not None
    windows = DataSet.open(shops).as_taken(outcome.version["signature"]).windows("train")
    inputs = windows[windows.complete[:5]]
    session = Session(file(outcome, "model.onnx"), 1)
    answers, spoilt = session.run(inputs), inputs.copy()
    spoilt[:, CONTEXT:, 0] = 1e6
    np.testing.assert_array_equal(session.run(spoilt), answers)
    promoted = inputs.copy()
    promoted[:, CONTEXT:, 1] = 1 - promoted[:, CONTEXT:, 1]
    assert np.abs(session.run(promoted) - answers).max() > 1
    higher = inputs.copy()
    higher[:, :, 0] += 1000
    np.testing.assert_allclose(session.run(higher), answers + 1000, atol=0.1)


def test_a_rebuilt_network_answers_as_the_version(
    shops: Path, trained: tuple[JobContext, Outcome], tmp_path: Path
) -> None:
    _, outcome = trained
    assert outcome.version is not None
    network = rebuild(outcome.version, file(outcome, "weights.safetensors"))
    plan = Plan.of(REQUEST, DataSet.open(shops))
    batch = next(iter(plan.splits["test"].batches(4)))
    expected = Session(file(outcome, "model.onnx"), 1).run(batch.inputs.numpy())
    ours = plan.task.postprocess()(network(batch.inputs))
    np.testing.assert_allclose(ours.numpy(), expected, atol=1e-2)


def test_the_version_is_evaluated_as_it_was_scored(
    shops: Path, trained: tuple[JobContext, Outcome], tmp_path: Path
) -> None:
    _, outcome = trained
    request = {"split": "test", "hardest": 2, "against": None, "reference": "shops"}
    evaluated = run(context_of(tmp_path, "evaluate", request, dataset=shops, reference=shops, **of_version(outcome)))
    assert outcome.version is not None
    assert evaluated.result["metrics"]["mase"] == pytest.approx(outcome.version["metrics"]["test"]["mase"])
    assert {"error_by_step.png", "last_forecast.png"} <= {each["name"] for each in evaluated.result["artifacts"]}
    assert len(evaluated.result["hardest"][0]["predicted"]) == HORIZON
    assert {column["name"] for column in evaluated.result["drift"]["columns"]} >= {"sales: mean", "mean forecast"}


@pytest.mark.parametrize("output_format", ["jsonl", "csv"])
def test_every_window_is_answered_with_its_series_and_step(
    shops: Path, trained: tuple[JobContext, Outcome], tmp_path: Path, output_format: str
) -> None:
    _, outcome = trained
    request = {"output_format": output_format}
    inferred = run(context_of(tmp_path, "infer", request, dataset=shops, **of_version(outcome)))
    text = file(inferred, f"predictions.{output_format}").read_text().splitlines()
    lines = [json.loads(line) for line in text] if output_format == "jsonl" else [*csv.DictReader(text)]
    per_series = MONTHS - 13 - HORIZON + 1
    assert len(lines) == 2 * per_series
    assert [(line["series"], int(line["step"])) for line in (lines[0], lines[-1])] == [
        ("a", 13),
        ("bbbb", MONTHS - HORIZON),
    ]
    if output_format == "jsonl":
        assert len(lines[0]["forecast"]) == HORIZON


@pytest.mark.parametrize("architecture", ["linear", "mlp"])
def test_networks_of_rows_forecast_quantiles_too(shops: Path, tmp_path: Path, architecture: str) -> None:
    request = {**REQUEST, "architecture": architecture, "training": {**REQUEST["training"], "loss": PINBALL}}
    request["hyperparameters"] = {"context": CONTEXT, "horizon": HORIZON, "normalisation": "columns"}
    outcome = run(context_of(tmp_path, "train", request, dataset=shops))
    assert outcome.version is not None
    assert outcome.version["signature"]["labels"] == ["0.1", "0.5", "0.9"]
    assert outcome.version["signature"]["output"]["shape"] == [HORIZON, 3]
    assert 0.3 < outcome.result["metrics"]["coverage"] <= 1
    answers = Session(file(outcome, "model.onnx"), 1).run(
        DataSet.open(shops).as_taken(outcome.version["signature"]).windows("train")[np.arange(9)]
    )
    assert (np.diff(answers, axis=2) >= 0).all(), "quantiles do not cross"
    request = {"split": "test", "hardest": 2, "against": None, "reference": None}
    evaluated = run(context_of(tmp_path / "evaluate", "evaluate", request, dataset=shops, **of_version(outcome)))
    assert evaluated.result["metrics"]["coverage"] == outcome.result["metrics"]["coverage"]


def folded(shops: Path, home: Path, method: str) -> Outcome:
    training = {**REQUEST["training"], "epochs": 1}
    request = {**REQUEST, "training": training, "method": method, "folds": 3}
    request |= {"p": 1, "test_size": 0.2, "shuffle": True, "seed": 0}
    return run(context_of(home, "cross_validate", request, dataset=shops))


def test_it_is_cross_validated_in_time(shops: Path, tmp_path: Path) -> None:
    outcome = folded(shops, tmp_path, "rolling_origin")
    folds = outcome.result["folds"]
    assert [fold["rows"]["train"] for fold in folds] == sorted(fold["rows"]["train"] for fold in folds)
    assert folds[0]["rows"]["test"] == folds[-1]["rows"]["test"]
    assert outcome.result["metrics"]["mase"]["mean"] > 0
    header = file(outcome, "predictions.csv").read_text().splitlines()[0]
    assert header == "row,fold,target_1,target_2,target_3,prediction_1,prediction_2,prediction_3"


def test_the_folds_of_a_search_are_in_time_and_before_the_test(shops: Path) -> None:
    fits = folds(REQUEST, DataSet.open(shops), 3)
    plan = Plan.of(REQUEST, DataSet.open(shops))
    tested = plan.splits["test"].rows
    windows = plan.dataset.windows("train")
    for fit in fits:
        learned, chosen = fit.parts["train"][1], fit.parts["validation"][1]
        assert max(windows.place(row)[1] for row in learned) + HORIZON <= min(windows.place(row)[1] for row in chosen)
        assert not np.isin(chosen, tested).any()
    assert len(fits) == 3


def test_a_single_step_is_not_said_to_be_always_the_same(tmp_path: Path) -> None:
    series = ingested(tmp_path, "step,value\n" + "\n".join(f"{step},{step % 3}" for step in range(10)), format="series")
    training = {"split": {"validation": 0.2, "test": 0.2}}
    for context, said in ((5, "a single step to learn from"), (6, "No 1 steps lie")):
        request = {
            "architecture": "linear",
            "hyperparameters": {"context": context, "horizon": 1},
            "training": training,
        }
        with pytest.raises(JobError, match=said):
            Plan.of(request, DataSet.open(series))


def test_rows_of_series_are_not_divided_at_random(shops: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="divides at random, and series are divided by time"):
        folded(shops, tmp_path, "k_fold")


@pytest.mark.parametrize(
    ("changed", "msg"),
    [
        ({"context": 200}, "No 3 steps lie between 0% and 60% of a series with 200 before them"),
        ({"horizon": 90}, "No 90 steps lie"),
        ({"season": 95}, "with 96 before them"),
    ],
)
def test_what_does_not_fit_into_the_series_is_refused(
    shops: Path, tmp_path: Path, changed: dict[str, Any], msg: str
) -> None:
    request = {**REQUEST, "hyperparameters": {**REQUEST["hyperparameters"], **changed}}
    with pytest.raises(JobError, match=msg):
        run(context_of(tmp_path, "train", request, dataset=shops))


def test_other_series_lack_its_columns(trained: tuple[JobContext, Outcome], tmp_path: Path) -> None:
    _, outcome = trained
    sines = builtin(tmp_path, "sines")
    with pytest.raises(Mismatch, match="lacks the column 'sales'"):
        run(context_of(tmp_path / "infer", "infer", {"output_format": "csv"}, dataset=sines, **of_version(outcome)))
