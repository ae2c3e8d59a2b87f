"""What of inputs is watched for drift: a table's columns, or simple statistics of images, of texts and of series.

Shapes: N rows of F columns, N images of C channels, height H and width W, N texts of T tokens
or N series of T steps.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from models.evaluation.evaluator import Column
from models.metrics import Array
from shapes.tokens import PADDING, UNKNOWN

CELLS = 8
"""An image is looked at in so many rows and columns of grey, too, to tell new images from known ones."""
_CHANNELS = ("red", "green", "blue")


class Features(NamedTuple):
    """Numbers of each row, of which the first are columns with names; the classifier of origins has all."""

    names: list[str]
    categories: list[tuple[str, ...] | None]
    modality: str

    @classmethod
    def of(cls, signature: Mapping[str, Any]) -> "Features":
        """Of the inputs that a version takes."""
        expected = signature["input"]
        if signature["modality"] == "image":
            names = ["brightness", "contrast", *(_CHANNELS if expected["shape"][0] == len(_CHANNELS) else ())]
            return cls(names, [None] * len(names), "image")
        if "tokenizer" in expected:
            return cls(["length", "unknown"], [None, None], "text")
        if signature["modality"] == "series":
            names = [f"{each['name']}: {of}" for of in ("mean", "deviation") for each in expected["columns"]]
            return cls(["length", *names], [None] * (1 + len(names)), "series")
        columns = expected.get("columns") or [{"name": f"x{place}"} for place in range(expected["shape"][0])]
        categories = [tuple(each["categories"]) if each.get("categories") else None for each in columns]
        return cls([each["name"] for each in columns], categories, "tabular")

    def measure(self, inputs: Array) -> Array:
        """The numbers (N, M) of a batch of inputs as the version takes them."""
        if self.modality == "text":
            return _of_texts(inputs)
        if self.modality == "series":
            return _of_series(inputs)
        return _of_images(inputs, len(self.names)) if self.modality == "image" else inputs.astype(np.float64)

    def columns(self, numbers_NM: Array) -> list[Column]:
        """Those that have names."""
        pairs = zip(self.names, self.categories, strict=True)
        return [Column(name, numbers_NM[:, place], categories) for place, (name, categories) in enumerate(pairs)]


def _of_texts(tokens: Array) -> Array:
    """How many tokens a text has, and the share of them that the version does not know.

    Of tokens with their characters (N, T, 1 + S) the first number is the token's own, of a tree's nodes a leaf's word.
    """
    tokens_NT = tokens if tokens.ndim == 2 else tokens[:, :, 0]
    length_N = (tokens_NT != PADDING).sum(axis=1)
    return np.stack([length_N, (tokens_NT == UNKNOWN).sum(axis=1) / np.maximum(length_N, 1)], axis=1)


def _of_series(series_NTF: Array) -> Array:
    """How many steps a series has, and each column's mean and standard deviation over them."""
    known_NTF = ~np.isnan(series_NTF)
    count_NF = np.maximum(known_NTF.sum(axis=1), 1)
    values_NTF = np.where(known_NTF, series_NTF, 0).astype(np.float64)
    mean_NF = values_NTF.sum(axis=1) / count_NF
    deviations_NTF = np.where(known_NTF, values_NTF - mean_NF[:, None], 0)
    length_N = known_NTF.any(axis=2).sum(axis=1)
    return np.hstack([length_N[:, None], mean_NF, np.sqrt((deviations_NTF**2).sum(axis=1) / count_NF)])


def _of_images(images_NCHW: Array, num_named: int) -> Array:
    """Mean and standard deviation of the grey levels, the channels' means if they are named, and cells of grey."""
    grey_NHW = images_NCHW.mean(axis=1, dtype=np.float64)
    named = [grey_NHW.mean(axis=(1, 2)), grey_NHW.std(axis=(1, 2))]
    if num_named > len(named):
        named += list(images_NCHW.mean(axis=(2, 3), dtype=np.float64).T)
    for axis in (1, 2):
        starts = np.unique(np.linspace(0, grey_NHW.shape[axis], CELLS, endpoint=False).astype(int))
        grey_NHW = np.add.reduceat(grey_NHW, starts, axis=axis)
    return np.hstack([np.stack(named, axis=1), grey_NHW.reshape(len(grey_NHW), -1)])
