import csv
import json
from pathlib import Path
from typing import Any

import plotly.io
import pytest
from PIL import Image
from safetensors.torch import load_file

from models.data import DataSet
from models.errors import JobError, Mismatch
from models.run import Outcome, run
from models.versions.splits import examples_of
from tests.models.running import Recorder, context_of, file
from tests.models.search.studies import conclude, record_of, request_of, run_trials

Json = dict[str, Any]
FIGURES = ("history", "importance", "parallel_coordinates", "slice", "contour")


@pytest.fixture(scope="module")
def request_and_records(iris: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Json, list[Json]]:
    """Six trials, of which one diverges."""
    request = request_of(training={"epochs": 4}, trials=6)
    records = run_trials(tmp_path_factory.mktemp("trials"), iris, request)
    cause = {"code": "training_diverged", "detail": "The loss became nan"}
    records[4] = {**records[4], "state": "failed", "values": None, "error": cause}
    return request, records


@pytest.fixture(scope="module")
def concluded(
    request_and_records: tuple[Json, list[Json]], iris: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Outcome, Recorder]:
    recorder = Recorder()
    request, records = request_and_records
    return conclude(tmp_path_factory.mktemp("search"), iris, request, records, report=recorder), recorder


def best_of(records: list[Json]) -> Json:
    complete = [record for record in records if record["state"] == "complete"]
    return max(complete, key=lambda record: (record["values"]["val_accuracy"], -record["number"]))


def test_the_result_says_what_was_found(
    concluded: tuple[Outcome, Recorder], request_and_records: tuple[Json, list[Json]]
) -> None:
    result, best = concluded[0].result, best_of(request_and_records[1])
    assert result["best"] == {name: best[name] for name in ("number", "parameters", "values")}
    assert result["trials"] == {"complete": 5, "pruned": 0, "failed": 1}
    assert best["number"] in result["pareto"]
    assert sum(result["importance"].values()) == pytest.approx(1)
    assert result["trial_epochs"] == 24
    assert result["model"] == "best"
    assert result["validation"]["accuracy"] == pytest.approx(best["values"]["val_accuracy"])
    assert {"metrics", "baseline", "verdict", "parameters", "best_epoch"} <= set(result)
    assert any(f"trial {best['number']} is the best of 6" in line for line in concluded[1].lines)
    json.dumps(result, allow_nan=False)


def test_the_best_trial_trained_again_is_the_same_network(
    concluded: tuple[Outcome, Recorder],
    request_and_records: tuple[Json, list[Json]],
    iris: Path,
    tmp_path: Path,
) -> None:
    parameters = best_of(request_and_records[1])["parameters"]
    request = {
        "architecture": "mlp",
        "hyperparameters": {"dropout": parameters["hyperparameters.dropout"]},
        "training": {
            "epochs": 4,
            "optimizer": {"name": "adam", "learning_rate": parameters["training.optimizer.learning_rate"]},
        },
    }
    trained = run(context_of(tmp_path, "train", request, dataset=iris))
    weights, again = (load_file(file(outcome, "weights.safetensors")) for outcome in (trained, concluded[0]))
    assert all(tensor.equal(again[name]) for name, tensor in weights.items())
    assert concluded[0].version is not None
    assert concluded[0].version["training"]["epochs"] == 4
    assert {"model.onnx", "weights.safetensors"} <= {each.name for each in concluded[0].files}


def test_the_trials_and_the_pictures_are_left_behind(concluded: tuple[Outcome, Recorder]) -> None:
    outcome = concluded[0]
    with file(outcome, "trials.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["state"] for row in rows] == ["complete"] * 4 + ["failed", "complete"]
    assert rows[4]["error"] == "The loss became nan"
    for name in FIGURES:
        plotly.io.from_json(file(outcome, f"{name}.plotly.json").read_text())
        with Image.open(file(outcome, f"{name}.png")) as picture:
            assert picture.format == "PNG"
    report = json.loads(file(outcome, "report.json").read_text())
    assert report["result"]["best"] == outcome.result["best"]
    assert report["rows"] == {"train": 90, "validation": 30, "test": 30}
    assert report["missing_figures"] == {}
    assert len({each.name for each in outcome.files}) == len(outcome.files)


def test_refit_on_all_learns_from_the_validation_rows_too(
    request_and_records: tuple[Json, list[Json]], iris: Path, tmp_path: Path
) -> None:
    request, records = request_and_records
    outcome = conclude(tmp_path, iris, {**request, "refit": "all"}, records)
    best = best_of(records)
    assert outcome.result["epochs"] == best["attributes"]["best_epoch"]
    assert json.loads(file(outcome, "report.json").read_text())["rows"] == {"train": 120, "test": 30}
    assert outcome.result["validation"] == {}
    assert outcome.result["metrics"]["accuracy"] is not None
    dataset, version = DataSet.open(iris), outcome.version or {}
    assert len(examples_of(dataset, version, "test")[1]) == 30
    with pytest.raises(Mismatch, match="no split 'validation'"):
        examples_of(dataset, version, "validation")


def test_a_single_trial_is_a_search_too(iris: Path, tmp_path: Path) -> None:
    request = request_of(strategy="manual", dimensions=[], configurations=[{"training.batch_size": 8}], trials=1)
    records = run_trials(tmp_path / "trials", iris, request)
    outcome = conclude(tmp_path / "search", iris, request, records)
    assert outcome.result["best"]["number"] == 0
    report = json.loads(file(outcome, "report.json").read_text())
    assert set(report["missing_figures"]) == {"importance", "contour"}


def test_a_search_without_a_completed_trial_fails_with_the_cause(iris: Path, tmp_path: Path) -> None:
    failed = [record_of(number, "failed", error={"code": "x", "detail": "too hot"}) for number in range(3)]
    with pytest.raises(JobError, match=r"None of the 3 trials .* too hot"):
        conclude(tmp_path, iris, request_of(), failed)
