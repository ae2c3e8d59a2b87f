import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import JobError
from models.run import Outcome, Stopped, run
from tests.models.running import Recorder, context_of, wish_at_poll, write_data_set

LABELS = ["=1+1", "@two", "three"]


@pytest.fixture(scope="module")
def trained(iris: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Iris under class names that a spreadsheet would run as formulas."""
    directory = tmp_path_factory.mktemp("formulas")
    rows, targets = np.load(iris / "train.inputs.npy"), np.load(iris / "train.targets.npy")
    dataset = write_data_set(directory / "data", {"train": (rows, targets)}, classes=LABELS)
    training = {"epochs": 60, "optimizer": {"name": "adam", "learning_rate": 0.05}}
    return run(context_of(directory, "train", {"architecture": "logistic", "training": training}, dataset=dataset))


def infer(directory: Path, trained: Outcome, dataset: Path, report: Recorder | None = None, **request: Any) -> Outcome:
    given: dict[str, Any] = {"dataset": dataset, "model": trained.files[0].path, "version": trained.version}
    return run(context_of(directory, "infer", request, report=report, **given))


def test_every_row_has_a_line_with_its_class_and_probability(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    outcome = infer(tmp_path, trained, iris)
    assert outcome.result == {"model": "a-model", "version": 1, "dataset": "a-data-set", "rows": 150}
    lines = [json.loads(line) for line in (tmp_path / "scratch" / "predictions.jsonl").read_text().splitlines()]
    targets = np.load(iris / "train.targets.npy")
    assert [line["row"] for line in lines] == list(range(150))
    assert np.mean([line["index"] for line in lines] == targets) > 0.9
    for line in lines:
        assert line["label"] == LABELS[line["index"]]
        assert 1 / 3 <= line["probability"] <= 1
        assert line["split"] == "train"


def test_csv_marks_cells_that_a_spreadsheet_would_run(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    outcome = infer(tmp_path, trained, iris, output_format="csv")
    with outcome.files[0].path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} == {"'=1+1", "'@two", "three"}
    assert (outcome.files[0].name, outcome.files[0].media_type) == ("predictions.csv", "text/csv")


def test_unlabelled_rows_of_every_split_are_answered(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    rows = np.load(iris / "train.inputs.npy")
    dataset = write_data_set(tmp_path / "data", {"train": (rows[:5], None), "test": (rows[5:8], None)})
    infer(tmp_path, trained, dataset)
    lines = [json.loads(line) for line in (tmp_path / "scratch" / "predictions.jsonl").read_text().splitlines()]
    assert [(line["split"], line["row"]) for line in lines] == [("train", row) for row in range(5)] + [
        ("test", row) for row in range(3)
    ]


def test_a_regression_answers_values_in_the_targets_units(diabetes: Path, tmp_path: Path) -> None:
    training = {"epochs": 50, "batch_size": "all", "optimizer": {"name": "adam", "learning_rate": 0.1}}
    request = {"architecture": "linear", "training": training}
    trained = run(context_of(tmp_path / "train", "train", request, dataset=diabetes))
    outcome = infer(tmp_path, trained, diabetes, output_format="csv")
    with outcome.files[0].path.open(newline="") as file:
        values = [float(row["value"]) for row in csv.DictReader(file)]
    targets = np.load(diabetes / "train.targets.npy")
    assert np.corrcoef(values, targets)[0, 1] > 0.6
    assert abs(np.mean(values) - targets.mean()) < 20


def test_an_unknown_format_is_refused(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="jsonl or csv"):
        infer(tmp_path, trained, iris, output_format="xml")


def test_a_data_set_that_does_not_fit_is_refused(trained: Outcome, digits: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError) as caught:
        infer(tmp_path, trained, digits)
    assert caught.value.code == "dataset_mismatch"


def test_a_cancel_is_obeyed(trained: Outcome, iris: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        infer(tmp_path, trained, iris, report=Recorder(wish_at_poll(1, "cancel")))
