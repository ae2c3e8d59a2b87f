"""Bringing another data set's inputs and classes into the form a model was trained on, by name."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.data import DataSet
from models.errors import Mismatch
from models.run import FitImage
from shapes.matching import unknown_classes

Align = Callable[[NDArray[Any]], NDArray[Any]]


def align_inputs(dataset: DataSet, expected: dict[str, Any], fit_image: FitImage) -> Align:
    """A function from the raw inputs (N, ...) of a data set as it is taken to those that the signature's input expects.

    Images of another size or number of channels are fitted as the model's were at ingest. Columns are matched
    by name and categories by their own names: their order may differ, a column more is left out, and a category
    that the model has not seen is missing.
    """
    if dataset.modality == "image":
        return _align_images(dataset.input["shape"], expected, fit_image)
    if "columns" in expected:
        return _align_columns(dataset.input["columns"], expected["columns"])
    return lambda rows: rows


def align_classes(given: list[str], expected: list[str]) -> NDArray[np.int64]:
    """For each class of the data set, its index among the model's classes.

    Raises:
        Mismatch: the data set has a class that the model does not know.
    """
    fault = unknown_classes(given, expected)
    if fault is not None:
        raise Mismatch(f"The data set {fault}.")
    return np.array([expected.index(label) for label in given], np.int64)


def _align_images(given: list[int], expected: dict[str, Any], fit_image: FitImage) -> Align:
    if given == expected["shape"]:
        return lambda images: images
    channels, height, width = expected["shape"]

    def fit(image_CHW: NDArray[np.uint8]) -> NDArray[np.uint8]:
        image_HWC = np.ascontiguousarray(image_CHW.transpose(1, 2, 0))
        picture = Image.fromarray(image_HWC if len(image_CHW) > 1 else image_HWC[:, :, 0])
        return fit_image(picture, channels, (height, width), expected.get("fit", "crop"))

    return lambda images: np.stack([fit(image) for image in images])


def _align_columns(given: list[dict[str, Any]], expected: list[dict[str, Any]]) -> Align:
    places = {column["name"]: place for place, column in enumerate(given)}
    order = [places[column["name"]] for column in expected]
    recodings = {
        place: _recoding(given[order[place]]["categories"], column["categories"])
        for place, column in enumerate(expected)
        if column["kind"] == "categorical"
    }

    def align(rows: NDArray[Any]) -> NDArray[Any]:
        aligned = rows[..., order]
        for place, codes in recodings.items():
            column = aligned[..., place]
            known = ~np.isnan(column)
            column[known] = codes[column[known].astype(np.int64)]
        return aligned

    return align


def _recoding(given: list[str], expected: list[str]) -> NDArray[np.float32]:
    """The model's code of each of the data set's categories; NaN for one it has not seen."""
    codes = {category: code for code, category in enumerate(expected)}
    return np.array([codes.get(category, np.nan) for category in given], np.float32)
