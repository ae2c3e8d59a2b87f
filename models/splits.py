"""Which rows of a source are for training, which for validation and which for the final test."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.errors import UnsuitableData
from models.training.settings import Split
from shapes import division

Made = TypeVar("Made")
Rows = NDArray[np.int64]
Parts = Mapping[str, tuple[str, Rows]]
"""For each split, a split of the source and the rows of it that make it up."""


def hold_out(count: int, classes: NDArray[Any] | None, split: Split, missing: set[str]) -> dict[str, Rows]:
    """Divide `count` rows into `train` and the splits that the source is missing.

    With `classes` (count,), the class of each row, every split has nearly the proportions of the whole.
    Each part is in ascending order. The division is a function of the arguments alone.

    Raises:
        UnsuitableData: there are too few rows for a split that was asked for.
    """
    shares = {"validation": split.validation, "test": split.test}
    try:
        sizes = division.sizes(count, {name: share for name, share in shares.items() if name in missing})
    except division.Indivisible as error:
        raise UnsuitableData(f"{error}.") from error
    order = spread(count, classes, split.seed)
    parts: dict[str, Rows] = {}
    end = count
    for name, size in sizes.items():
        parts[name] = np.sort(order[end - size : end])
        end -= size
    return {"train": np.sort(order[:end]), **parts}


def spread(count: int, classes: NDArray[Any] | None, seed: int) -> Rows:
    """A random order of the rows in which every stretch has nearly the proportions of the classes.

    The i-th of the n rows of a class goes to the place (i + 1/2) / n of the whole.
    """
    shuffled = np.random.default_rng(seed).permutation(count)
    if classes is None:
        return shuffled
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    _, starts, sizes = np.unique(classes[by_class], return_index=True, return_counts=True)
    rank = np.arange(count) - np.repeat(starts, sizes)
    place = np.empty(count)
    place[by_class] = (rank + 0.5) / np.repeat(sizes, sizes)
    return shuffled[np.argsort(place[shuffled], kind="stable")]


class BySplit(dict[str, Made]):
    """What is made of each split of the source, at the first look."""

    def __init__(self, make: Callable[[str], Made]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, split: str) -> Made:
        self[split] = self._make(split)
        return self[split]
