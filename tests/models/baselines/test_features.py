from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.baselines.features import COMPONENTS, Features
from models.data import DataSet
from models.errors import UnsuitableData
from tests.models.running import write_data_set

COLUMNS: list[dict[str, Any]] = [
    {"name": "size", "kind": "numeric"},
    {"name": "colour", "kind": "categorical", "categories": ["r", "g"]},
]


def test_a_missing_number_is_the_columns_mean_and_a_category_a_feature(tmp_path: Path) -> None:
    rows = np.array([[1, 0], [3, 1], [np.nan, np.nan]], np.float32)
    directory = write_data_set(tmp_path / "d", {"train": (rows, np.array([0.0, 1.0, 2.0]))}, columns=COLUMNS)
    dataset = DataSet.open(directory)
    features = Features.fitted(dataset, dataset.examples("train"), seed=0).of(dataset.examples("train"))
    np.testing.assert_allclose(features, [[-1, 1, 0], [1, 0, 1], [0, 0, 0]], atol=1e-6)


def test_large_images_are_averaged_down_and_reduced_to_components(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (80, 3, 70, 40), dtype=np.uint8)
    directory = write_data_set(tmp_path / "d", {"train": (images, np.arange(80) % 2)}, classes=["a", "b"])
    dataset = DataSet.open(directory)
    features = Features.fitted(dataset, dataset.examples("train"), seed=0)
    assert features.of(dataset.examples("train")).shape == (80, COMPONENTS)
    assert f"of {3 * 24 * 14} features" in features.detail


def test_infinite_values_are_refused(tmp_path: Path) -> None:
    rows = np.array([[1.0], [np.inf]], np.float32)
    dataset = DataSet.open(write_data_set(tmp_path / "d", {"train": (rows, np.array([0.0, 1.0]))}))
    with pytest.raises(UnsuitableData, match="infinite"):
        Features.fitted(dataset, dataset.examples("train"), seed=0)
