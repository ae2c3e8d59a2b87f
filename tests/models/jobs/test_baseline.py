"""Baselines on the rows that a train job is measured on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import plotly.io
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models.data import DataSet
from models.errors import JobError
from models.run import Outcome, Stopped, run
from models.training.settings import Split
from tests.models.running import Recorder, context_of, ingested, wish_at_poll, write_data_set, zipped

LEARNERS = ("k_nearest_neighbours", "random_forest", "gradient_boosting")


def measure(directory: Path, dataset: Path, **given: Any) -> Outcome:
    context = {"report": given.pop("report")} if "report" in given else {}
    return run(context_of(directory, "baseline", given, dataset=dataset, **context))


def by_name(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in outcome.result["baselines"]}


@pytest.fixture(scope="module")
def of_iris(iris: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Recorder]:
    recorder = Recorder()
    families = ["random", "classical"]
    return measure(tmp_path_factory.mktemp("iris"), iris, families=families, report=recorder), recorder


def test_every_learner_is_measured_by_the_tasks_metrics_with_intervals(of_iris: tuple[Outcome, Recorder]) -> None:
    result, entries = of_iris[0].result, by_name(of_iris[0])
    assert set(entries) == {"most_frequent", "stratified", "logistic_regression", *LEARNERS}
    for entry in entries.values():
        for split in ("test", "validation"):
            low, high = entry["metrics"][split]["intervals"]["accuracy"]
            assert low <= entry["metrics"][split]["accuracy"] <= high
    values = [entry["metrics"]["test"]["accuracy"] for entry in result["baselines"]]
    assert values == sorted(values, reverse=True)
    assert result["best"] == result["baselines"][0]["name"]
    assert values[0] > 0.9 > 0.5 > entries["most_frequent"]["metrics"]["test"]["accuracy"]
    json.dumps(result, allow_nan=False)


def test_the_numbers_are_scikit_learns_own_on_the_same_rows(of_iris: tuple[Outcome, Recorder], iris: Path) -> None:
    parts = DataSet.open(iris).divided(Split())
    inputs = {name: next(examples.batches(1000)).inputs.numpy() for name, examples in parts.items()}
    scaler = StandardScaler().fit(inputs["train"])
    learner = LogisticRegression(max_iter=1000).fit(scaler.transform(inputs["train"]), parts["train"].targets)
    accuracy = learner.score(scaler.transform(inputs["test"]), parts["test"].targets)
    assert by_name(of_iris[0])["logistic_regression"]["metrics"]["test"]["accuracy"] == pytest.approx(accuracy)


def test_it_leaves_a_report_and_a_figure_for_eyes_and_for_notebooks(of_iris: tuple[Outcome, Recorder]) -> None:
    files = {file.name: file.path for file in of_iris[0].files}
    assert set(files) == {"report.json", "baselines.png", "baselines.plotly.json"}
    assert json.loads(files["report.json"].read_text())["baselines"] == of_iris[0].result["baselines"]
    with Image.open(files["baselines.png"]) as picture:
        assert picture.format == "PNG"
    figure = plotly.io.read_json(files["baselines.plotly.json"])
    assert set(figure.data[0].y) == set(by_name(of_iris[0]))


def test_each_is_told_of_and_the_same_request_comes_to_the_same_numbers(
    of_iris: tuple[Outcome, Recorder], iris: Path, tmp_path: Path
) -> None:
    assert sum("random_forest: test accuracy" in line for line in of_iris[1].lines) == 1
    again = measure(tmp_path, iris, families=["random", "classical"])
    assert {name: entry["metrics"] for name, entry in by_name(again).items()} == {
        name: entry["metrics"] for name, entry in by_name(of_iris[0]).items()
    }


def test_a_search_finds_a_learner_in_its_time(iris: Path, tmp_path: Path) -> None:
    recorder = Recorder()
    (entry,) = measure(tmp_path, iris, families=["automl"], report=recorder).result["baselines"]
    assert (entry["name"], entry["family"], entry["error"]) == ("flaml", "automl", None)
    assert entry["metrics"]["test"]["accuracy"] > 0.8
    assert entry["settings"]["candidates"] > 1
    assert recorder.fractions == sorted(recorder.fractions)


def test_numbers_are_predicted_too(diabetes: Path, tmp_path: Path) -> None:
    entries = by_name(measure(tmp_path, diabetes))
    assert set(entries) == {"mean", "ridge_regression", *LEARNERS, "flaml"}
    assert entries["mean"]["metrics"]["test"]["r2"] <= 0
    assert all(entries[name]["metrics"]["test"]["r2"] > 0.2 for name in ("ridge_regression", "flaml"))


def test_texts_are_told_apart_by_strings_of_letters(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    kinds = {"vowels": "aeiou", "others": "bcdfg"}
    texts = {name: ["".join(generator.choice(list(letters), 5)) for _ in range(40)] for name, letters in kinds.items()}
    upload = zipped({f"{name}.txt": "\n".join(rows) for name, rows in texts.items()})
    outcome = measure(tmp_path / "job", ingested(tmp_path, upload, format="auto"), time_budget_seconds=2)
    entries = by_name(outcome)
    assert {"naive_bayes", "logistic_regression", "k_nearest_neighbours", "flaml"} < set(entries)
    learned = [entry for entry in entries.values() if entry["family"] != "random"]
    assert all(entry["metrics"]["test"]["accuracy"] == 1 for entry in learned)
    assert "strings of 1 to 4 letters" in outcome.result["features"]


def test_masks_are_guessed(tmp_path: Path) -> None:
    masks = np.zeros((20, 8, 8), np.uint8)
    masks[:, 2:5, 2:5] = 1
    masks[::3, 0, 0] = 1
    images = np.zeros((20, 1, 8, 8), np.uint8)
    dataset = write_data_set(tmp_path / "d", {"train": (images, masks)}, classes=["ground", "square"])
    (entry,) = measure(tmp_path, dataset, families=["random"]).result["baselines"]
    assert entry["name"] == "most_frequent"
    assert 0.9 < entry["metrics"]["test"]["mean_iou"] < 1


def test_a_class_that_no_learner_has_seen_has_probability_0(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows, targets = generator.normal(size=(60, 3)).astype(np.float32), np.arange(60) % 2
    held_out = rows[:9], np.array([0, 1, 2] * 3)
    dataset = write_data_set(tmp_path / "d", {"train": (rows, targets), "test": held_out}, classes=["a", "b", "c"])
    entries = by_name(measure(tmp_path, dataset, families=["classical"]))
    assert all(entry["metrics"]["test"]["accuracy"] <= 2 / 3 for entry in entries.values())


def test_what_a_search_refuses_is_listed_and_the_rest_stands(tmp_path: Path) -> None:
    """A class of one row cannot be in both parts that FLAML divides the rows into."""
    generator = np.random.default_rng(0)
    rows, targets = generator.normal(size=(40, 2)).astype(np.float32), np.arange(40) % 2
    targets[7] = 2
    dataset = write_data_set(
        tmp_path / "d", {"train": (rows, targets), "test": (rows, targets)}, classes=["a", "b", "c"]
    )
    split = {"split": {"validation": 0.0, "test": 0.2, "seed": 0}}
    outcome = measure(tmp_path / "both", dataset, families=["random", "automl"], training=split)
    entries = by_name(outcome)
    assert entries["flaml"]["metrics"] == {} or entries["flaml"]["error"] is None
    assert outcome.result["best"] in {"flaml", "most_frequent", "stratified"}


def test_rows_that_teach_nothing_are_refused(tmp_path: Path) -> None:
    rows = np.zeros((20, 2), np.float32)
    dataset = write_data_set(tmp_path / "d", {"train": (rows, np.zeros(20, np.int64))}, classes=["a", "b"])
    with pytest.raises(JobError, match="one class"):
        measure(tmp_path, dataset)


@pytest.mark.parametrize("poll", [1, 5, 12])
def test_a_wish_to_cancel_is_obeyed_between_two_learners(iris: Path, tmp_path: Path, poll: int) -> None:
    recorder = Recorder(wish_at_poll(poll, "cancel"))
    with pytest.raises(Stopped):
        measure(tmp_path, iris, report=recorder)
    assert recorder.polls == poll


def test_a_train_job_says_how_it_stands_to_what_is_stored(
    of_iris: tuple[Outcome, Recorder], iris: Path, tmp_path: Path
) -> None:
    stored = [
        {"job": "some-job", "task": "classification", **{name: entry[name] for name in ("name", "family", "metrics")}}
        for entry in of_iris[0].result["baselines"]
    ]
    recorder, request = Recorder(), {"architecture": "logistic", "training": {"epochs": 2}}
    trained = run(context_of(tmp_path, "train", request, dataset=iris, report=recorder, baselines=stored))
    standing = trained.result["baselines"]
    assert standing[0]["name"] == of_iris[0].result["best"]
    accuracy = trained.result["metrics"]["accuracy"]
    assert all(each["difference"] == pytest.approx(accuracy - each["value"]) for each in standing)
    assert (trained.version or {})["baselines"] == standing
    assert sum("of the best stored baseline" in line for line in recorder.lines) == 1
