"""`builtin`: the small data sets that come with scikit-learn's package; no network is needed."""

from typing import Any

import numpy as np

from models.errors import UnknownName
from models.readers.pixels import PixelFitter
from models.readers.source import Source
from models.readers.writer import LABEL, DatasetWriter, Description, image_input

NAMES = ("digits", "iris", "wine", "breast_cancer", "diabetes")
DIGITS_WHITE = 16


def read(source: Source, writer: DatasetWriter, name: str) -> Description:
    """Write one of `NAMES`: digits as 8 by 8 grey images, the others as tables in their original units.

    Raises:
        UnknownName: there is no such built-in data set.
    """
    from sklearn import datasets  # Takes a second to import, and uploads do not need it.

    if name not in NAMES:
        raise UnknownName("builtin", name, list(NAMES))
    if name == "diabetes":
        return _write_table(writer, datasets.load_diabetes(scaled=False), task="regression")
    if name == "digits":
        return _write_digits(source, writer, datasets.load_digits())
    return _write_table(writer, getattr(datasets, f"load_{name}")(), task="classification")


def _write_digits(source: Source, writer: DatasetWriter, digits: Any) -> Description:
    pixels = np.round(digits.images * 255 / DIGITS_WHITE).astype(np.uint8)
    fitter = PixelFitter(source, pixels.shape[1], pixels.shape[2], channels=1)
    writer.inputs("train", np.uint8, (fitter.channels, *fitter.size)).append(fitter.fit(pixels[..., None]))
    writer.targets("train", np.int64).append(digits.target)
    classes = [str(name) for name in digits.target_names]
    return Description("image", "classification", classes, image_input(fitter.channels, fitter.size), LABEL)


def _write_table(writer: DatasetWriter, table: Any, task: str) -> Description:
    is_classification = task == "classification"
    writer.inputs("train", np.float32, (table.data.shape[1],)).append(table.data)
    writer.targets("train", np.int64 if is_classification else np.float32).append(table.target)
    columns = [{"name": str(name), "kind": "numeric"} for name in table.feature_names]
    return Description(
        modality="tabular",
        task=task,
        classes=[str(name) for name in table.target_names] if is_classification else None,
        input={"name": "features", "dtype": "float32", "shape": [len(columns)], "columns": columns},
        target=LABEL if is_classification else {"name": "target", "dtype": "float32", "shape": []},
    )
