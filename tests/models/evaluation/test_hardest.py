import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.data import DataSet
from models.evaluation.classification import ClassificationEvaluator
from models.evaluation.contact_sheet import SIDE, Tile, contact_sheet, fitted
from models.evaluation.exhibits import Exhibits
from models.evaluation.hardest import describe, exhibit, hardest, sheet
from models.evaluation.segmentation import SegmentationEvaluator
from tests.models.running import encode_png, write_data_set

LABELS = ["no", "yes"]


def test_the_worst_come_first_and_of_equals_the_first() -> None:
    losses = np.array([0.1, 3.0, 0.5, 3.0, np.nan])
    assert hardest(losses, 4).tolist() == [4, 1, 3, 2]
    assert hardest(losses, 0).tolist() == []
    assert len(hardest(losses, 100)) == 5


def test_a_tables_rows_have_their_values_by_name(tmp_path: Path) -> None:
    columns: list[dict[str, Any]] = [
        {"name": "=age", "kind": "numeric"},
        {"name": "town", "kind": "categorical", "categories": ["x", "y"]},
    ]
    rows = np.array([[30, 1], [np.nan, 0], [0.3941, np.nan]], np.float32)
    dataset = DataSet.open(
        write_data_set(tmp_path / "data", {"train": (rows, np.array([0, 1, 1]))}, classes=LABELS, columns=columns)
    )
    examples = dataset.examples("train", np.array([2, 1]))
    answers = np.array([[0.75, 0.25], [0.5, 0.5]])
    evaluator = ClassificationEvaluator(LABELS, 2)
    losses = evaluator.losses(np.array([1, 1]), answers)
    places = hardest(losses, 2)
    first, second = describe(dataset, examples, places, evaluator, (np.array([1, 1]), answers), losses)
    assert first == {
        "row": 0,
        "source_row": 2,
        "loss": pytest.approx(-np.log(0.25)),
        "true": "yes",
        "predicted": "no",
        "probability": 0.75,
        "probability_of_true": 0.25,
        "values": {"=age": 0.3941, "town": None},
    }
    assert second["values"] == {"=age": None, "town": "x"}

    exhibits = Exhibits(tmp_path)
    exhibit([first, second], exhibits)
    with (tmp_path / "hardest.csv").open() as file:
        header, line, _ = list(csv.reader(file))
    assert header[-2:] == ["values.=age", "values.town"]
    assert line[:2] == ["0", "2"]
    assert exhibits.entries[0]["name"] == "hardest.csv"


def test_images_hang_in_rows_masks_beside_them(tmp_path: Path) -> None:
    images = np.full((7, 1, 8, 8), 200, np.uint8)
    masks = np.zeros((7, 8, 8), np.uint8)
    masks[:, :4] = 1
    dataset = DataSet.open(write_data_set(tmp_path / "data", {"train": (images, masks)}, classes=["ground", "cell"]))
    examples = dataset.examples("train")
    evaluator = SegmentationEvaluator(["ground", "cell"], 64)
    predicted = np.zeros_like(masks)
    losses = evaluator.losses(masks, predicted)
    assert losses.tolist() == [pytest.approx(1 - 0.25)] * 7  # of the ground half is right, of the cell nothing
    entries = describe(dataset, examples, hardest(losses, 6), evaluator, (masks, predicted), losses)
    assert entries[0]["true"] == {"ground": 0.5, "cell": 0.5}
    one = sheet(entries[:1], examples, (masks, predicted), encode_png)
    all_six = sheet(entries, examples, (masks, predicted), encode_png)
    assert one.width > 3 * SIDE
    assert all_six.height > 6 * SIDE
    plain = sheet([{"row": 0, "loss": 1.0, "true": 2.5, "predicted": 3.0}], examples, None, encode_png)
    assert plain.getpixel((SIDE // 2, SIDE // 2 + 30)) == (200, 200, 200)


def test_pictures_are_enlarged_by_whole_numbers_or_reduced() -> None:
    assert fitted(Image.new("RGB", (8, 5))).size == (SIDE, SIDE // 8 * 5)
    assert fitted(Image.new("RGB", (4 * SIDE, 2 * SIDE))).size == (SIDE, SIDE // 2)
    assert contact_sheet([Tile([Image.new("RGB", (8, 8))], ["a" * 500])] * 6, "title").width < 6 * SIDE
