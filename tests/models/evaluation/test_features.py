import numpy as np
import pytest

from models.evaluation.features import CELLS, Features

COLOUR = {"modality": "image", "input": {"shape": [3, 16, 20]}}
GREY = {"modality": "image", "input": {"shape": [1, 5, 4]}}
TABLE = {
    "modality": "tabular",
    "input": {
        "shape": [2],
        "columns": [
            {"name": "age", "kind": "numeric"},
            {"name": "town", "kind": "categorical", "categories": ["x", "y"]},
        ],
    },
}


def test_a_tables_columns_are_its_features() -> None:
    features = Features.of(TABLE)
    numbers = features.measure(np.array([[30, 1], [np.nan, 0]], np.float32))
    age, town = features.columns(numbers)
    assert (age.name, age.categories) == ("age", None)
    assert np.array_equal(age.values, [30, np.nan], equal_nan=True)
    assert (town.name, town.categories, town.values.tolist()) == ("town", ("x", "y"), [1, 0])


def test_a_texts_are_its_length_and_its_share_of_unknown_tokens() -> None:
    features = Features.of({"modality": "text", "input": {"shape": [None], "tokenizer": {}}})
    numbers = features.measure(np.array([[2, 1, 3, 1], [5, 0, 0, 0], [0, 0, 0, 0]]))
    length, unknown = features.columns(numbers)
    assert (length.name, length.values.tolist()) == ("length", [4, 1, 0])
    assert (unknown.name, unknown.values.tolist()) == ("unknown", [0.5, 0, 0])


def test_an_images_are_its_brightness_contrast_and_channels() -> None:
    features = Features.of(COLOUR)
    image = np.zeros((1, 3, 16, 20), np.uint8)
    image[:, 0] = 90
    image[:, 1, :, :10] = 60
    numbers = features.measure(image)
    by_name = {column.name: column.values[0] for column in features.columns(numbers)}
    assert by_name == {"brightness": 40, "contrast": 10, "red": 90, "green": 30, "blue": 0}
    assert numbers.shape == (1, 5 + CELLS * CELLS)
    assert numbers[0, 5:].sum() == pytest.approx(40 * 16 * 20)


def test_a_small_grey_image_has_as_many_cells_as_pixels() -> None:
    features = Features.of(GREY)
    assert features.names == ["brightness", "contrast"]
    assert features.measure(np.ones((3, 1, 5, 4), np.uint8)).shape == (3, 2 + 20)
