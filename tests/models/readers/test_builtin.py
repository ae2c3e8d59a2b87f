"""`builtin`: scikit-learn's bundled data sets."""

import numpy as np
import pytest
from sklearn import datasets

from models.errors import UnknownName
from tests.models.readers.builders import ingest


@pytest.mark.parametrize(
    ("name", "count", "features"), [("iris", 150, 4), ("wine", 178, 13), ("breast_cancer", 569, 30)]
)
def test_tables_for_classification_are_read(name: str, count: int, features: int) -> None:
    ingested = ingest(None, "builtin", builtin=name)
    original = getattr(datasets, f"load_{name}")()
    assert ingested.counts == {"train": count}
    assert ingested.manifest["classes"] == list(original.target_names)
    assert [column["name"] for column in ingested.manifest["input"]["columns"]] == list(original.feature_names)
    assert ingested.inputs().shape == (count, features)
    assert np.array_equal(ingested.targets(), original.target)


def test_diabetes_is_a_regression_in_its_own_units() -> None:
    ingested = ingest(None, "builtin", builtin="diabetes")
    assert ingested.manifest["task"] == "regression"
    assert ingested.targets().dtype == np.float32
    assert ingested.inputs()[:, 0].min() == 19


def test_digits_are_images_from_0_to_255() -> None:
    ingested = ingest(None, "builtin", builtin="digits")
    assert ingested.manifest["input"] == {"name": "image", "dtype": "uint8", "shape": [1, 8, 8]}
    assert ingested.inputs().shape == (1797, 1, 8, 8)
    assert (ingested.inputs().min(), ingested.inputs().max()) == (0, 255)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownName, match="digits"):
        ingest(None, "builtin", builtin="os")
