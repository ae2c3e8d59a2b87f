"""Targets that are masks: which values their pixels have, and which classes these stand for."""

from typing import Any

import numpy as np

from models.errors import UnsuitableData
from models.masks import MAX_CLASSES
from models.readers.writer import Array

WHITE = 255


class MaskClasses:
    """The classes of all masks of an upload, found out from their pixels.

    A value is the index of a class, from 0 without gaps. Masks of 0 and 255 alone, as image editors save black and
    white, have the classes 0 and 1.

    Args:
        names: Names of the classes by index, if the user gave them; a class may then be without pixels.
    """

    def __init__(self, names: tuple[str, ...] | None) -> None:
        self._names = names
        self._found_in: dict[int, str] = {}
        self._index = np.arange(MAX_CLASSES, dtype=np.uint8)
        self.classes: list[str] = []

    def observe(self, values: Array, where: str) -> Array:
        """Look at the pixels of masks, of any integer type; `where` names them for messages.

        Returns:
            The same values as uint8.

        Raises:
            UnsuitableData: a value cannot be an index.
        """
        least, most = int(values.min()), int(values.max())
        if least < 0 or most >= MAX_CLASSES:
            raise UnsuitableData(
                f"{where} has the value {least if least < 0 else most}; the values of a mask are the indices of its"
                f" classes, of which there can be {MAX_CLASSES}: 0 to {MAX_CLASSES - 1}."
            )
        pixels = values.astype(np.uint8)
        for value in np.flatnonzero(np.bincount(pixels.reshape(-1), minlength=MAX_CLASSES)):
            self._found_in.setdefault(int(value), where)
        return pixels

    def close(self) -> None:
        """After the last mask: settle which classes there are.

        Raises:
            UnsuitableData: one class only, values with gaps between them, or more than there are names.
        """
        values = sorted(self._found_in)
        if len(values) == 1:
            raise UnsuitableData(
                f"All pixels of the masks are {values[0]}; give the ground the value 0, and what is to be found 1."
            )
        if values == [0, WHITE]:
            self._index[WHITE] = 1
            values = [0, 1]
        if self._names is None:
            self._check_gaps(values)
        elif values[-1] >= len(self._names):
            raise UnsuitableData(
                f"{self._found_in[values[-1]]} has the value {values[-1]}, and `classes` has {len(self._names)} names,"
                f" for 0 to {len(self._names) - 1}; name all classes, or renumber the pixels."
            )
        self.classes = list(self._names or map(str, range(values[-1] + 1)))

    def encode(self, pixels: Array) -> Array:
        """Values as class indices."""
        indices: Array = self._index[pixels]
        return indices

    def _check_gaps(self, values: list[int]) -> None:
        lacking = next((place for place, value in enumerate(values) if place != value), None)
        if lacking is not None:
            value = values[lacking]
            raise UnsuitableData(
                f"{self._found_in[value]} has the value {value}, and no mask has {lacking}; the values of the pixels"
                " are the indices of the classes, 0, 1, 2 and so on: renumber them."
            )


def mask_target(size: tuple[int, int]) -> dict[str, Any]:
    """The `target` of a data set of masks; `size` is (height, width)."""
    return {"name": "mask", "dtype": "uint8", "shape": list(size)}
