"""Targets that come as arrays: classes by number or name, or values."""

from typing import Any

import numpy as np

from models.errors import JobError, UnsuitableData
from models.readers.source import MAX_NAME_CHARACTERS, Task
from models.readers.targets import MAX_CLASSES, infer_task, number_classes, too_many_classes
from models.readers.writer import LABEL, Array, chunks

FLOAT32_MAX = float(np.finfo(np.float32).max)


class ArrayTargets:
    """What the targets of all splits are for.

    Whole numbers that belong to images are classes; for the rest see `infer_task`.

    Raises:
        JobError: `npz_invalid`: of no type or shape that can be a target.
        UnsuitableData: NaN, infinite, or too many classes.
    """

    def __init__(self, arrays: list[Array], task: Task | None, *, is_image: bool) -> None:
        kinds = {_kind(array) for array in arrays}
        if len(kinds) > 1:
            raise JobError("npz_invalid", "The targets of the splits differ in type; make them the same.")
        self._is_text = kinds == {"text"}
        if self._is_text and task == "regression":
            raise UnsuitableData("The targets are text; set `task` to classification.")
        self._values = _distinct(arrays)
        self.task: Task = "classification"
        if not self._is_text:
            numbers = None if self._values is None else {float(value) for value in self._values}
            name = "label" if is_image and kinds == {"whole"} else ""
            self.task = task or infer_task(numbers, sum(map(len, arrays)), name)
        self.classes: list[str] | None = None
        if self.task == "classification":
            if self._values is None:
                raise too_many_classes()
            self.classes = self._values.tolist() if self._is_text else number_classes(map(float, self._values))
        self.dtype = np.float32 if self.classes is None else np.int64

    def encode(self, chunk: Array) -> Array:
        """(n,) class indices or values."""
        flat = chunk.reshape(len(chunk))
        if self.classes is None or self._values is None:
            return flat.astype(np.float32)
        indices: Array = np.searchsorted(self._values, flat)
        return indices

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return LABEL if self.classes is not None else {"name": "target", "dtype": "float32", "shape": []}


def _kind(array: Array) -> str:
    """`text`, `whole` or `real`."""
    if array.size != len(array):
        raise JobError("npz_invalid", f"The targets have the shape {array.shape}; one value a sample is needed: (N,).")
    if array.dtype.kind == "U" and array.dtype.itemsize <= 4 * MAX_NAME_CHARACTERS:
        return "text"
    if array.dtype.kind in "biu":
        return "whole"
    if array.dtype.kind != "f":
        raise JobError("npz_invalid", f"The targets are of type {array.dtype}; numbers or short text are needed.")
    for chunk in chunks(array):
        if not np.all(np.abs(chunk) <= FLOAT32_MAX):
            raise UnsuitableData("The targets hold NaN or values that no 32-bit number can hold; remove or scale them.")
    return "real"


def _distinct(arrays: list[Array]) -> Array | None:
    """The distinct values in order, or None if there are more than `MAX_CLASSES`."""
    values: Array | None = None
    for array in arrays:
        for chunk in chunks(array):
            here = np.unique(chunk)
            values = here if values is None else np.union1d(values, here)
            if len(values) > MAX_CLASSES:
                return None
    return values
