"""The jobs of a segmentation: masks in, masks out."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.data import DataSet
from models.errors import JobError
from models.inference import Session
from models.readers import shapes_masks
from models.run import Outcome, run
from tests.models.running import context_of, file, write_data_set

SHORT: dict[str, Any] = {"epochs": 2, "batch_size": 8, "early_stopping": {"metric": "val_iou", "patience": 2}}


def write(directory: Path, count: int) -> Path:
    images, masks = shapes_masks.drawn(count, np.random.default_rng(0))
    return write_data_set(directory, {"train": (images[:, None], masks)}, classes=list(shapes_masks.CLASSES))


def train(directory: Path, dataset: Path, training: dict[str, Any], **hyperparameters: Any) -> Outcome:
    request = {"architecture": "unet", "training": training, "hyperparameters": hyperparameters}
    return run(context_of(directory, "train", request, dataset=dataset))


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "shapes", 60)


@pytest.fixture(scope="module")
def trained(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return train(tmp_path_factory.mktemp("trained"), shapes, SHORT, depth=2, channels=4)


def with_model(directory: Path, kind: str, trained: Outcome, dataset: Path, **request: Any) -> Outcome:
    graph = file(trained, "model.onnx")
    context = context_of(directory, kind, request, dataset=dataset, model=graph, version=trained.version)
    return run(context)


@pytest.mark.slow
def test_unet_reaches_90_percent_of_overlap_on_drawn_shapes(tmp_path: Path) -> None:
    dataset = write(tmp_path / "data", shapes_masks.COUNT)
    training = {
        "epochs": 16,
        "batch_size": 8,
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "scheduler": {"name": "cosine"},
    }
    result = train(tmp_path, dataset, training, channels=8).result
    assert result["metrics"]["mean_iou"] >= 0.9
    assert result["baseline"]["mean_iou"] < 0.3


def test_the_version_answers_probabilities_of_pixels_and_has_masks_metrics(trained: Outcome) -> None:
    version = trained.version
    assert version is not None
    assert version["task"] == version["signature"]["task"] == "segmentation"
    assert version["signature"]["output"] == {"name": "probabilities", "dtype": "float32", "shape": [4, 48, 48]}
    assert version["labels"] == list(shapes_masks.CLASSES)
    assert version["parity"]["max_abs_difference"] <= 1e-4
    assert 0 < version["metrics"]["test"]["mean_iou"] < 1
    assert [each["label"] for each in version["metrics"]["test"]["class_overlap"]] == version["labels"]


def test_what_is_evaluated_again_is_what_training_measured(trained: Outcome, shapes: Path, tmp_path: Path) -> None:
    evaluated = with_model(tmp_path, "evaluate", trained, shapes)
    assert evaluated.result["metrics"] == trained.result["metrics"]


def test_images_of_another_size_are_judged_at_their_own(trained: Outcome, tmp_path: Path) -> None:
    images, masks = shapes_masks.drawn(20, np.random.default_rng(7))
    twice = images[:, None].repeat(2, axis=2).repeat(2, axis=3), masks.repeat(2, axis=1).repeat(2, axis=2)
    classes = list(shapes_masks.CLASSES)
    own = write_data_set(tmp_path / "own", {"train": (images[:, None], masks)}, classes=classes)
    other = write_data_set(tmp_path / "large", {"train": twice}, classes=classes)
    small = with_model(tmp_path / "a", "evaluate", trained, own).result["metrics"]
    assert with_model(tmp_path / "b", "evaluate", trained, other).result["metrics"]["mean_iou"] == pytest.approx(
        small["mean_iou"], abs=0.05
    )


def test_inference_writes_a_mask_for_each_image(trained: Outcome, shapes: Path, tmp_path: Path) -> None:
    outcome = with_model(tmp_path, "infer", trained, shapes)
    lines = [json.loads(line) for line in file(outcome, "predictions.jsonl").read_text().splitlines()]
    assert len(lines) == outcome.result["rows"] == 60
    images = np.array(DataSet.open(shapes).inputs("train"))
    expected = Session(file(trained, "model.onnx"), 1).run(images).argmax(axis=1)
    with zipfile.ZipFile(file(outcome, "masks.zip")) as archive:
        assert archive.namelist() == [line["mask"] for line in lines]
        for line, mask in zip(lines, expected, strict=True):
            written = np.asarray(Image.open(io.BytesIO(archive.read(line["mask"]))))
            np.testing.assert_array_equal(written, mask)
            assert line["shares"]["circle"] == pytest.approx((mask == 1).mean())


def test_in_csv_each_classs_share_is_a_column(trained: Outcome, shapes: Path, tmp_path: Path) -> None:
    outcome = with_model(tmp_path, "infer", trained, shapes, output_format="csv")
    with file(outcome, "predictions.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    assert list(rows[0]) == ["split", "row", *(f"shares.{name}" for name in shapes_masks.CLASSES), "mask"]
    assert sum(float(rows[0][f"shares.{name}"]) for name in shapes_masks.CLASSES) == pytest.approx(1)


def test_variants_are_judged_by_the_overlap(trained: Outcome, shapes: Path, tmp_path: Path) -> None:
    outcome = with_model(tmp_path, "optimize", trained, shapes, variants=["optimized", "fp16"], max_accuracy_loss=0.05)
    for variant in outcome.result["variants"]:
        assert variant["accepted"], variant
        assert variant["report"]["metrics"]["main"] == "mean_iou"


@pytest.mark.parametrize(
    "training", [{"loss": {"name": "dice"}}, {"augmentation": ["flip", "crop", "rotate"]}, {"label_noise": 0.1}]
)
def test_every_setting_takes_masks(training: dict[str, Any], shapes: Path, tmp_path: Path) -> None:
    result = train(tmp_path, shapes, {"epochs": 1, **training}, depth=1, channels=2).result
    assert 0 < result["metrics"]["mean_iou"] < 1


def test_masks_of_one_class_have_nothing_to_learn(tmp_path: Path) -> None:
    images = np.zeros((20, 1, 16, 16), np.uint8)
    dataset = write_data_set(tmp_path / "data", {"train": (images, images[:, 0])}, classes=["a", "b"])
    with pytest.raises(JobError, match="one class"):
        train(tmp_path, dataset, {"epochs": 1})


def test_a_file_that_was_exported_here_is_a_segmentation_wherever_it_is_registered(
    trained: Outcome, tmp_path: Path
) -> None:
    version = run(context_of(tmp_path, "register", {}, upload=file(trained, "model.onnx"))).version
    assert version is not None
    assert version["signature"] == {**(trained.version or {})["signature"], "batchable": True}
