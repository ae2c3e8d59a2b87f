"""Explain jobs about networks that were trained."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.errors import JobError, Mismatch
from models.explanation.dreaming import Ascent, imagine
from models.explanation.subject import Subject
from models.inference import Session
from models.run import JobContext, Outcome, Stopped, run
from tests.models.running import Recorder, context_of, wish_at_poll, write_data_set

ALL = ["saliency", "integrated_gradients", "occlusion", "grad_cam", "feature_maps", "kernels", "deepdream"]
Splits = dict[str, tuple[np.ndarray, np.ndarray | None]]


def train(directory: Path, dataset: Path, architecture: str, **training: Any) -> Outcome:
    settings = {"epochs": 4, "optimizer": {"name": "adam", "learning_rate": 0.003}, **training}
    request = {"architecture": architecture, "training": settings}
    return run(context_of(directory, "train", request, dataset=dataset))


def context(directory: Path, trained: Outcome, dataset: Path, **request: Any) -> JobContext:
    report = request.pop("report", None)
    graph, weights, _ = (file.path for file in trained.files)
    given: dict[str, Any] = {"dataset": dataset, "model": graph, "weights": weights, "version": trained.version}
    return context_of(directory, "explain", request, report=report, **given)


def report_of(outcome: Outcome) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(outcome.files[-1].path.read_text())
    return report


@pytest.fixture(scope="module")
def lenet(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return train(tmp_path_factory.mktemp("lenet"), digits, "lenet")


@pytest.fixture(scope="module")
def outcome(lenet: Outcome, digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    directory = tmp_path_factory.mktemp("explain")
    return run(context(directory, lenet, digits, methods=ALL, samples=[0, 7, 7]))


def test_every_picture_is_listed_with_what_it_shows(outcome: Outcome) -> None:
    names = {
        *(f"{method}.test-{row}.png" for method in ALL if method != "kernels" for row in (0, 7)),
        "kernels.features.0.png",
        "deepdream.classes.png",
    }
    listed = outcome.result["artifacts"]
    assert {entry["name"] for entry in listed} == names
    assert [file.name for file in outcome.files] == [*(entry["name"] for entry in listed), "report.json"]
    assert all(entry["shows"] for entry in listed)
    for file in outcome.files[:-1]:
        picture = Image.open(file.path)
        assert picture.format == "PNG"
        assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 5
    json.dumps(outcome.result, allow_nan=False)


def test_samples_are_the_rows_of_the_split_with_the_served_answers(
    outcome: Outcome, lenet: Outcome, digits: Path
) -> None:
    session = Session(lenet.files[0].path, 1)
    images, targets = np.load(digits / "train.inputs.npy"), np.load(digits / "train.targets.npy")
    for sample, row in zip(outcome.result["samples"], (0, 7), strict=True):
        assert sample["row"] == row
        assert sample["true"] == str(targets[sample["source_row"]])
        probabilities = session.run(images[sample["source_row"]][None])[0]
        assert sample["predicted"] == str(probabilities.argmax())
        assert sample["probability"] == pytest.approx(float(probabilities.max()))


def test_integrated_gradients_are_complete(outcome: Outcome) -> None:
    for sample in report_of(outcome)["samples"]:
        found = sample["methods"]["integrated_gradients"]["completeness"]
        assert found["complete"]
        assert found["sum"] == pytest.approx(found["output_difference"], abs=found["tolerance"])
        assert abs(found["output_difference"]) > 1


def test_dreams_raise_what_they_are_to_raise(outcome: Outcome) -> None:
    report = report_of(outcome)
    for sample in report["samples"]:
        dream = sample["methods"]["deepdream"]
        assert dream["layer"] == "features.3"
        assert dream["activation_after"] > 1.2 * dream["activation_before"]
    classes = report["methods"]["deepdream"]["classes"]
    assert [entry["label"] for entry in classes] == [str(digit) for digit in range(10)]
    assert all(entry["logit_after"] > entry["logit_before"] + 2 for entry in classes)


def test_a_picture_grown_for_a_class_is_taken_for_it_by_the_served_model(lenet: Outcome) -> None:
    subject = Subject.of(lenet.version or {}, lenet.files[1].path)
    ascent = Ascent(steps=20, learning_rate=2.0, octaves=4, octave_scale=1.4, seed=0)
    grown = [imagine(subject, digit, ascent, lambda: None).picture.numpy() for digit in range(10)]
    answers = Session(lenet.files[0].path, 1).run(np.concatenate(grown).round().astype(np.uint8))
    assert (answers.argmax(axis=1) == np.arange(10)).mean() >= 0.9


def test_the_same_request_leaves_the_same_bytes(outcome: Outcome, lenet: Outcome, digits: Path, tmp_path: Path) -> None:
    again = run(context(tmp_path, lenet, digits, methods=ALL, samples=[0, 7]))
    for first, second in zip(outcome.files, again.files, strict=True):
        assert first.path.read_bytes() == second.path.read_bytes(), first.name


def test_grad_cam_finds_the_patch_that_makes_the_class(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 100, (800, 1, 20, 20), dtype=np.uint8)
    targets = np.arange(800) % 2
    corners = generator.integers(0, 15, (800, 2))
    for image, target, (top, left) in zip(images, targets, corners, strict=True):
        if target:
            image[0, top : top + 5, left : left + 5] = 255
    dataset = write_data_set(tmp_path / "data", {"train": (images, targets)}, classes=["plain", "patch"])
    trained = train(tmp_path / "train", dataset, "lenet")
    assert trained.result["metrics"]["accuracy"] > 0.95
    outcome = run(context(tmp_path / "job", trained, dataset, methods=["grad_cam"], samples=64, target="patch"))
    hits = []
    for sample in report_of(outcome)["samples"]:
        if sample["true"] == sample["predicted"] == "patch":
            peak, (top, left) = sample["methods"]["grad_cam"]["top"][0], corners[sample["source_row"]]
            hits.append(abs(peak["y"] - top - 2) <= 4 and abs(peak["x"] - left - 2) <= 4)
    assert len(hits) > 20
    assert np.mean(hits) > 0.8  # by chance: a fifth


def test_the_target_is_explained_instead_of_the_prediction(lenet: Outcome, digits: Path, tmp_path: Path) -> None:
    found = []
    for target in ("3", "4"):
        request = {"methods": ["integrated_gradients", "deepdream"], "samples": [0], "target": target}
        outcome = run(context(tmp_path / target, lenet, digits, **request))
        report = report_of(outcome)
        found.append(report["samples"][0]["methods"]["integrated_gradients"]["completeness"]["output_difference"])
        assert [entry["label"] for entry in report["methods"]["deepdream"]["classes"]] == [target]
    assert found[0] != found[1]


def test_tables_get_bars_and_a_file_of_all_columns(iris: Path, tmp_path: Path) -> None:
    trained = train(tmp_path / "train", iris, "mlp", epochs=30)
    outcome = run(context(tmp_path / "job", trained, iris, samples=4))
    names = [file.name for file in outcome.files]
    assert {"saliency.csv", "integrated_gradients.csv"} < set(names)
    assert len([name for name in names if name.endswith(".png")]) == 8
    for sample in report_of(outcome)["samples"]:
        assert sample["methods"]["integrated_gradients"]["completeness"]["complete"]
    again = run(context(tmp_path / "again", trained, iris, samples=4))
    assert [file.path.read_bytes() for file in outcome.files] == [file.path.read_bytes() for file in again.files]


def test_a_regression_is_explained_by_its_value(diabetes: Path, tmp_path: Path) -> None:
    trained = train(tmp_path / "train", diabetes, "linear", epochs=20)
    outcome = run(context(tmp_path / "job", trained, diabetes, samples=[5]))
    (sample,) = report_of(outcome)["samples"]
    expected = Session(trained.files[0].path, 1).run(np.load(diabetes / "train.inputs.npy")[[sample["source_row"]]])
    assert sample["value"] == pytest.approx(float(expected[0]))
    assert sample["methods"]["integrated_gradients"]["completeness"]["complete"]
    assert len(sample["methods"]["saliency"]["attributions"]) == 10


def test_other_data_is_fitted_and_needs_no_labels(lenet: Outcome, tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (5, 3, 20, 20), dtype=np.uint8)
    dataset = write_data_set(tmp_path / "data", {"train": (colours, None)})
    outcome = run(context(tmp_path / "job", lenet, dataset, samples=64))
    assert outcome.result["split"] == "all"
    assert [sample["row"] for sample in outcome.result["samples"]] == list(range(5))
    assert {sample["true"] for sample in outcome.result["samples"]} == {None}


@pytest.mark.parametrize("targets", [np.ones((5, 20, 20), np.uint8), np.ones(5, np.float32)], ids=["masks", "numbers"])
def test_targets_of_another_task_are_no_truth(lenet: Outcome, tmp_path: Path, targets: np.ndarray) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 20, 20), dtype=np.uint8)
    classes = ["ground", "cell"] if targets.ndim > 1 else None
    splits: Splits = {"train": (images, targets), "test": (images, targets)}
    dataset = write_data_set(tmp_path / "data", splits, classes=classes)
    outcome = run(context(tmp_path / "job", lenet, dataset, samples=2))
    assert [sample["true"] for sample in outcome.result["samples"]] == [None, None]


def test_a_split_that_is_not_there_is_named(lenet: Outcome, digits: Path, tmp_path: Path) -> None:
    version = {**(lenet.version or {}), "split": {"validation": 0.2, "test": 0.0, "seed": 0}}
    graph, weights, _ = (file.path for file in lenet.files)
    with pytest.raises(Mismatch, match="split"):
        run(context_of(tmp_path, "explain", {}, dataset=digits, model=graph, weights=weights, version=version))


def test_an_architecture_that_has_changed_is_refused(lenet: Outcome, digits: Path, tmp_path: Path) -> None:
    version = {**(lenet.version or {}), "architecture": "mlp", "hyperparameters": {}}
    graph, weights, _ = (file.path for file in lenet.files)
    with pytest.raises(JobError) as caught:
        run(context_of(tmp_path, "explain", {}, dataset=digits, model=graph, weights=weights, version=version))
    assert caught.value.code == "weights_differ"


@pytest.mark.parametrize("poll", [1, 3, 100])
def test_a_cancel_is_obeyed(lenet: Outcome, digits: Path, tmp_path: Path, poll: int) -> None:
    with pytest.raises(Stopped):
        run(context(tmp_path, lenet, digits, methods=ALL, report=Recorder(wish_at_poll(poll, "cancel"))))


def test_progress_only_grows_and_ends_at_one(lenet: Outcome, digits: Path, tmp_path: Path) -> None:
    report = Recorder()
    run(context(tmp_path, lenet, digits, methods=["saliency", "kernels", "grad_cam"], samples=3, report=report))
    assert report.fractions == sorted(report.fractions)
    assert report.fractions[-1] == 1
