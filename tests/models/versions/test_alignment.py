from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.data import DataSet
from models.errors import Mismatch
from models.versions.alignment import align_classes, align_inputs
from tests.models.running import Array, fit_image, write_data_set

COLOUR = {"name": "colour", "kind": "categorical", "categories": ["blue", "red"]}
SIZE = {"name": "size", "kind": "numeric"}
EXPECTED = {"name": "features", "dtype": "float32", "shape": [2], "columns": [SIZE, COLOUR]}


def aligned(directory: Path, rows: list[list[float]], columns: list[dict[str, Any]]) -> list[list[float]]:
    data = np.array(rows, np.float32)
    dataset = DataSet.open(write_data_set(directory / "d", {"train": (data, None)}, columns=columns))
    found: list[list[float]] = align_inputs(dataset, EXPECTED, fit_image)(data).tolist()
    return found


def test_columns_are_matched_by_name_and_one_more_is_left_out(tmp_path: Path) -> None:
    columns: list[dict[str, Any]] = [COLOUR, {"name": "note", "kind": "numeric"}, SIZE]
    assert aligned(tmp_path, [[1, 99, 3.5]], columns) == [[3.5, 1]]


def test_categories_are_matched_by_name_and_an_unknown_one_is_missing(tmp_path: Path) -> None:
    columns: list[dict[str, Any]] = [SIZE, {**COLOUR, "categories": ["red", "green", "blue"]}]
    rows = aligned(tmp_path, [[0, 0], [0, 1], [0, 2], [0, np.nan]], columns)
    np.testing.assert_array_equal(np.array(rows)[:, 1], [1, np.nan, 0, np.nan])


def test_categories_at_each_step_of_a_series_are_matched_too(tmp_path: Path) -> None:
    columns: list[dict[str, Any]] = [SIZE, {**COLOUR, "categories": ["red", "blue"]}]
    steps = np.array([[[0, 0], [0, 1], [0, np.nan]]], np.float32)
    dataset = DataSet.open(write_data_set(tmp_path / "d", {"train": (steps, None)}, columns=columns))
    found = align_inputs(dataset, {**EXPECTED, "shape": [3, 2]}, fit_image)(steps)
    np.testing.assert_array_equal(found[0, :, 1], [1, 0, np.nan])


@pytest.mark.parametrize(("channels", "height", "width"), [(3, 9, 7), (1, 4, 4)])
def test_images_of_another_size_are_fitted(tmp_path: Path, channels: int, height: int, width: int) -> None:
    images: Array = np.random.default_rng(0).integers(0, 256, (3, channels, height, width), dtype=np.uint8)
    dataset = DataSet.open(write_data_set(tmp_path / "d", {"train": (images, None)}))
    expected = {"name": "image", "dtype": "uint8", "shape": [1, 5, 6]}
    fitted = align_inputs(dataset, expected, fit_image)(images)
    assert fitted.shape == (3, 1, 5, 6)
    assert fitted.dtype == np.uint8


def test_images_of_the_same_size_are_left_alone(tmp_path: Path) -> None:
    images: Array = np.zeros((3, 1, 4, 4), np.uint8)
    dataset = DataSet.open(write_data_set(tmp_path / "d", {"train": (images, None)}))
    assert align_inputs(dataset, dataset.input, fit_image)(images) is images


def test_classes_are_matched_by_name() -> None:
    assert align_classes(["b", "a"], ["a", "b", "c"]).tolist() == [1, 0]
    with pytest.raises(Mismatch, match="does not know: d"):
        align_classes(["a", "d"], ["a", "b", "c"])
