from typing import Any

import numpy as np
import pytest
import torch

from models.examples import Examples
from models.preprocess import TabularPreprocess, UnitPreprocess, moments, preprocess_for
from tests.models.running import Array

COLUMNS: list[dict[str, Any]] = [
    {"name": "age", "kind": "numeric"},
    {"name": "colour", "kind": "categorical", "categories": ["blue", "green", "red"]},
    {"name": "height", "kind": "numeric"},
]
NAN = float("nan")


def examples(inputs: Array) -> Examples:
    return Examples(inputs, None, np.arange(len(inputs)))


def tabular() -> TabularPreprocess:
    return TabularPreprocess(torch.tensor([10.0, 0.0, 2.0]), torch.tensor([5.0, 1.0, 0.5]), COLUMNS)


def test_numbers_are_standardised_and_categories_one_hot() -> None:
    features = tabular()(torch.tensor([[20.0, 2.0, 1.0]]))
    assert features.tolist() == [[2.0, -2.0, 0.0, 0.0, 1.0]]


def test_missing_numbers_are_the_mean_and_missing_categories_none_of_them() -> None:
    features = tabular()(torch.tensor([[NAN, NAN, NAN], [10.0, 7.0, 2.0]]))
    assert features.tolist() == [[0.0] * 5, [0.0] * 5]


def test_the_size_after_one_hot_coding_is_known() -> None:
    assert tabular().output_shape == (5,)


def test_moments_of_images_are_per_channel() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5000, 3, 4, 5), dtype=np.uint8)
    mean, std = moments(examples(images), "image")
    np.testing.assert_allclose(mean, images.mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(std, images.std(axis=(0, 2, 3)))


def test_moments_of_columns_leave_missing_values_out() -> None:
    rows = np.array([[1e6 + 1, NAN], [1e6 + 3, NAN], [NAN, NAN]], np.float32)
    mean, std = moments(examples(rows), "tabular")
    assert mean.tolist() == [1e6 + 2, 0.0]
    assert std.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e7])
def test_a_constant_column_is_zero(constant: float) -> None:
    rows = np.full((1000, 1), constant, np.float32)
    columns = [{"name": "x", "kind": "numeric"}]
    preprocess = preprocess_for({"columns": columns}, "tabular", *moments(examples(rows), "tabular"))
    assert preprocess(torch.from_numpy(rows)).abs().max() < 1.0


def test_training_images_have_mean_zero_and_deviation_one_after_it() -> None:
    images = np.random.default_rng(0).integers(0, 100, (500, 2, 6, 6), dtype=np.uint8)
    preprocess = preprocess_for({"shape": [2, 6, 6]}, "image", *moments(examples(images), "image"))
    prepared = preprocess(torch.from_numpy(images))
    assert prepared.dtype == torch.float32
    torch.testing.assert_close(prepared.mean((0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(prepared.std((0, 2, 3), correction=0), torch.ones(2))
    assert preprocess.output_shape == (2, 6, 6)


def test_unit_pixels_go_from_zero_to_one_and_back() -> None:
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    preprocess = preprocess_for({"shape": [1, 16, 16]}, "image", *moments(examples(images.numpy()), "image"), "unit")
    assert isinstance(preprocess, UnitPreprocess)
    values = preprocess(images)
    assert (values.min(), values.max()) == (0.0, 1.0)
    assert torch.equal(preprocess.inverse()(values), images)
    beyond = preprocess.inverse()(torch.tensor([-0.5, 1.5, 0.5]).view(1, 1, 1, 3))
    assert beyond.flatten().tolist() == [0, 255, 128]


def test_features_go_back_to_rows_with_the_likeliest_category() -> None:
    preprocess, rows = tabular(), torch.tensor([[20.0, 2.0, 1.0], [7.0, 0.0, 3.0]])
    torch.testing.assert_close(preprocess.inverse()(preprocess(rows)), rows)
    doubtful = torch.tensor([[0.0, 0.0, 0.2, 0.5, 0.4]])
    assert preprocess.inverse()(doubtful).tolist() == [[10.0, 1.0, 2.0]]


def test_a_table_of_categories_alone_goes_back_as_well() -> None:
    column = {"name": "colour", "kind": "categorical", "categories": ["blue", "green"]}
    preprocess = TabularPreprocess(torch.zeros(1), torch.ones(1), [column])
    assert preprocess.inverse()(torch.tensor([[0.1, 0.9]])).tolist() == [[1.0]]
