"""Faults are planted and found, and a healthy run is found to be healthy."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import plotly.io
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from models.data import DataSet
from models.errors import JobError
from models.readers import shapes_masks
from models.run import Outcome, Stopped, run
from models.training.settings import Split
from tests.models.running import DEFAULTS, Array, Recorder, context_of, wish_at_poll, write_data_set

ALL = DEFAULTS["diagnose"]["checks"]
SHORT = [name for name in ALL if name != "overfit_batch"]
FIGURES = ("overfit_batch", "gradients", "activations", "updates", "learning_rate")
HEALTHY: dict[str, Any] = {"epochs": 10, "batch_size": 32}


def diagnose(directory: Path, dataset: Path, architecture: str = "mlp", **given: Any) -> Outcome:
    context = {"report": given.pop("report")} if "report" in given else {}
    request = {"architecture": architecture, "training": HEALTHY, **given}
    return run(context_of(directory, "diagnose", request, dataset=dataset, **context))


def verdicts(outcome: Outcome) -> dict[str, str]:
    return {check["check"]: check["verdict"] for check in outcome.result["checks"]}


def check_of(outcome: Outcome, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(check for check in outcome.result["checks"] if check["check"] == name)
    return found


def digits_of() -> tuple[Array, Array]:
    bunch = load_digits()
    return (bunch.images * 255 / 16).round().astype(np.uint8)[:, None], bunch.target


@pytest.fixture(scope="module")
def healthy(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Recorder]:
    recorder = Recorder()
    return diagnose(tmp_path_factory.mktemp("healthy"), digits, folds=3, report=recorder), recorder


def test_a_healthy_run_is_found_to_be_healthy(healthy: tuple[Outcome, Recorder]) -> None:
    outcome = healthy[0]
    assert verdicts(outcome) == {name: "good" for name in ALL}, outcome.result["checks"]
    assert outcome.result["overall"] == "good"
    assert all(check["try"] == [] for check in outcome.result["checks"])
    assert check_of(outcome, "initial_loss")["numbers"]["expected"] == pytest.approx(np.log(10), rel=1e-5)
    json.dumps(outcome.result, allow_nan=False)


def test_it_leaves_a_report_and_figures_for_eyes_and_for_notebooks(healthy: tuple[Outcome, Recorder]) -> None:
    files = {file.name: file.path for file in healthy[0].files}
    for name in FIGURES:
        with Image.open(files[f"{name}.png"]) as picture:
            assert picture.format == "PNG"
        assert len(plotly.io.read_json(files[f"{name}.plotly.json"]).data) >= 1
    report = json.loads(files["report.json"].read_text())
    rates = next(check for check in report["checks"] if check["check"] == "learning_rate")["numbers"]
    assert len(rates["rates"]) == len(rates["losses"]) > 50
    layers = next(check for check in report["checks"] if check["check"] == "gradients")["numbers"]["layers"]
    assert [layer["layer"] for layer in layers] == ["hidden.0", "hidden.2", "output"]


def test_each_check_is_told_of_and_progress_never_falls(healthy: tuple[Outcome, Recorder]) -> None:
    recorder = healthy[1]
    assert all(sum(f"{name}: good" in line for line in recorder.lines) == 1 for name in ALL)
    assert recorder.fractions == sorted(recorder.fractions)


@pytest.mark.parametrize(
    ("hyperparameters", "training", "found"),
    [
        ({"initialization": "zero"}, {}, ("gradients", "activations", "updates", "overfit_batch", "learning_rate")),
        ({}, {"optimizer": {"name": "adam", "learning_rate": 3.0}}, ("updates", "learning_rate", "activations")),
        ({}, {"optimizer": {"name": "sgd", "learning_rate": 100.0}}, ("updates", "learning_rate", "activations")),
        ({}, {"optimizer": {"name": "adam", "learning_rate": 1e-8}}, ("updates", "learning_rate")),
        ({"hidden_dims": [32] * 10, "activation": "sigmoid"}, {}, ("gradients", "activations")),
    ],
    ids=["zero weights", "huge steps of Adam", "huge steps of SGD", "tiny steps", "a deep stack of sigmoids"],
)
def test_a_planted_fault_is_found(
    few_digits: Path, tmp_path: Path, hyperparameters: dict[str, Any], training: dict[str, Any], found: tuple[str, ...]
) -> None:
    checks = ["data", "initial_loss", *found]
    given: dict[str, Any] = {"hyperparameters": hyperparameters, "training": HEALTHY | training, "checks": checks}
    outcome = diagnose(tmp_path, few_digits, **given)
    said = verdicts(outcome)
    assert {name: said[name] for name in found} == {name: "bad" for name in found}, outcome.result["checks"]
    assert all(check_of(outcome, name)["try"] for name in found)
    assert said["data"] == said["initial_loss"] == "good"


def test_a_rate_that_is_too_low_is_told_from_a_network_that_is_too_small(few_digits: Path, tmp_path: Path) -> None:
    training = HEALTHY | {"optimizer": {"name": "adam", "learning_rate": 1e-8}}
    found = check_of(diagnose(tmp_path, few_digits, training=training, checks=["overfit_batch"]), "overfit_batch")
    assert found["verdict"] == "suspicious"
    assert found["try"] == ["`training.optimizer.learning_rate` near 0.001"]


def test_a_network_that_is_too_small_cannot_learn_a_batch_by_heart(few_digits: Path, tmp_path: Path) -> None:
    found = check_of(
        diagnose(tmp_path, few_digits, hyperparameters={"hidden_dims": [1, 1]}, checks=["overfit_batch"]),
        "overfit_batch",
    )
    assert found["verdict"] in ("suspicious", "bad")
    assert any("larger network" in remedy for remedy in found["try"])


def test_weights_that_are_too_large_are_seen_in_the_first_loss(few_digits: Path, tmp_path: Path) -> None:
    """Without standardisation of the hidden layers He's weights, drawn for relu, blow a linear network up."""
    hyperparameters = {"hidden_dims": [256] * 8, "activation": "leaky_relu", "initialization": "he"}
    outcome = diagnose(tmp_path, few_digits, hyperparameters=hyperparameters, checks=["initial_loss"])
    numbers = check_of(outcome, "initial_loss")["numbers"]
    assert numbers["loss"] == pytest.approx(numbers["ratio"] * numbers["expected"])
    assert numbers["entropy_of_classes"] <= numbers["expected"] + 1e-6


@pytest.fixture(scope="module")
def flipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[int]]:
    """The digits, a tenth of them labelled as another digit; and which."""
    images, targets = digits_of()
    generator = np.random.default_rng(3)
    rows = generator.choice(len(targets), len(targets) // 10, replace=False)
    labels = targets.copy()
    labels[rows] = (targets[rows] + generator.integers(1, 10, len(rows))) % 10
    directory = tmp_path_factory.mktemp("data") / "flipped"
    written = write_data_set(directory, {"train": (images, labels)}, classes=[str(k) for k in range(10)])
    return written, set(rows.tolist())


def test_nine_of_ten_wrong_labels_are_suspected_and_few_right_ones(
    flipped: tuple[Path, set[int]], tmp_path: Path
) -> None:
    """As seen: recall 0.94 and precision 0.93; the floors are for other machines' last digits."""
    dataset, wrong = flipped
    outcome = diagnose(tmp_path, dataset, checks=["label_noise"], folds=4)
    found = check_of(outcome, "label_noise")
    assert found["verdict"] in ("suspicious", "bad")
    assert found["numbers"]["noise"] == pytest.approx(0.1, abs=0.03)
    files = {file.name: file.path for file in outcome.files}
    with files["label_suspects.csv"].open(newline="") as file:
        suspected = {int(line["row"]) for line in csv.DictReader(file)}
    assert len(suspected & wrong) / len(wrong) >= 0.9
    assert len(suspected & wrong) / len(suspected) >= 0.9
    with Image.open(files["label_suspects.png"]) as picture:
        assert picture.format == "PNG"


def test_a_number_far_from_its_answer_is_suspected(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(300, 3)).astype(np.float32)
    targets = (rows @ [1.0, -2.0, 0.5] + 0.1 * generator.normal(size=300)).astype(np.float32)
    targets[[7, 70]] += 5
    dataset = write_data_set(tmp_path / "d", {"train": (rows, targets)})
    training = {"epochs": 20, "optimizer": {"name": "adam", "learning_rate": 0.05}}
    outcome = diagnose(tmp_path, dataset, "linear", training=training, checks=["label_noise"], folds=3)
    suspected = check_of(outcome, "label_noise")["numbers"]["worst"]
    assert {line["row"] for line in suspected[:2]} == {7, 70}


def test_where_trainings_diverge_the_other_checks_still_speak(diabetes: Path, tmp_path: Path) -> None:
    training = {"epochs": 20, "optimizer": {"name": "sgd", "learning_rate": 50.0}}
    said = verdicts(diagnose(tmp_path, diabetes, "linear", training=training, folds=2, checks=SHORT))
    assert said["label_noise"] == "not_applicable"
    assert {said[name] for name in ("fit", "updates", "learning_rate", "activations")} == {"bad"}
    assert said["data"] == said["gradients"] == "good"


def test_rows_that_are_in_two_splits_are_found(tmp_path: Path) -> None:
    images, targets = (array[:300] for array in digits_of())
    test = np.concatenate([images[:10], images[200:290]]), np.concatenate([targets[:10], targets[200:290]])
    splits = {"train": (images[:200], targets[:200]), "test": test}
    dataset = write_data_set(tmp_path / "d", splits, classes=[str(k) for k in range(10)])
    found = check_of(diagnose(tmp_path, dataset, checks=["data"]), "data")
    assert found["verdict"] == "bad"
    learned = DataSet.open(dataset).rows(Split())["train"][1]
    assert found["numbers"]["shared"]["test"] == (learned < 10).sum()
    assert "remove the duplicates" in found["try"][0]


def test_columns_that_say_nothing_and_rare_classes_are_found(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(400, 4)).astype(np.float32)
    rows[:, 1], rows[50:, 2], rows[5, 3] = 7.0, np.nan, 1e6
    targets = (np.arange(400) % 40 == 0).astype(np.int64)
    dataset = write_data_set(tmp_path / "d", {"train": (rows, targets)}, classes=["common", "rare"])
    training = {"split": {"validation": 0.0, "test": 0.0}}
    found = check_of(diagnose(tmp_path, dataset, training=training, checks=["data"]), "data")
    assert found["verdict"] == "suspicious"
    assert found["numbers"]["constant"] == ["x1"]
    assert list(found["numbers"]["missing"]) == ["x2"]
    assert list(found["numbers"]["far_out"]) in ([], ["x3"])
    assert found["numbers"]["class_counts"] == {"common": 390, "rare": 10}


def test_masks_are_diagnosed_but_for_labels_that_they_have_not(tmp_path: Path) -> None:
    images, masks = (array[:, 12:28, 12:28] for array in shapes_masks.drawn(40, np.random.default_rng(0)))
    dataset = write_data_set(tmp_path / "d", {"train": (images[:, None], masks)}, classes=list(shapes_masks.CLASSES))
    training = {"epochs": 2, "batch_size": 8, "optimizer": {"name": "adam", "learning_rate": 0.01}}
    given = {"hyperparameters": {"depth": 1, "channels": 2}, "training": training, "checks": SHORT}
    said = verdicts(diagnose(tmp_path, dataset, "unet", **given))
    assert said["label_noise"] == "not_applicable"
    assert said["data"] == said["gradients"] == said["initial_loss"] == "good"
    assert "not_applicable" not in {verdict for name, verdict in said.items() if name != "label_noise"}


@pytest.mark.parametrize("architecture", ["linear", "perceptron"])
def test_networks_of_one_layer_are_diagnosed(diabetes: Path, iris: Path, tmp_path: Path, architecture: str) -> None:
    dataset, training = (diabetes, {"epochs": 5}) if architecture == "linear" else (iris, {"epochs": 5})
    said = verdicts(diagnose(tmp_path, dataset, architecture, training=training, folds=2, checks=SHORT))
    assert said["gradients"] == "good"
    assert said["activations"] == "good"
    assert said["initial_loss"] == ("good" if architecture == "linear" else "not_applicable")


def test_without_held_out_rows_there_is_no_verdict_on_the_fit(iris: Path, tmp_path: Path) -> None:
    training = {"split": {"validation": 0.0, "test": 0.0}}
    assert verdicts(diagnose(tmp_path, iris, training=training, checks=["fit"])) == {"fit": "not_applicable"}


def test_a_request_that_cannot_be_trained_is_refused(iris: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError):
        diagnose(tmp_path, iris, "lenet")


@pytest.mark.parametrize("poll", [3, 200])
def test_a_wish_to_cancel_is_obeyed_at_the_next_step(iris: Path, tmp_path: Path, poll: int) -> None:
    recorder = Recorder(wish_at_poll(poll, "cancel"))
    with pytest.raises(Stopped):
        diagnose(tmp_path, iris, report=recorder)
    assert recorder.polls == poll


def test_a_resumed_job_comes_to_the_same_numbers(iris: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"checks": ["fit", "label_noise"], "folds": 3, "training": {"epochs": 3}}
    whole = diagnose(tmp_path / "whole", iris, **given)
    with pytest.raises(Stopped, match="pause"):
        diagnose(tmp_path / "d", iris, report=Recorder(wish_at_poll(16, "pause")), **given)
    assert diagnose(tmp_path / "d", iris, **given).result["checks"] == whole.result["checks"]
