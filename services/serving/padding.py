"""Rows of varying length as one array."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from services.errors import TooLarge

SHORTEST_ROW = 8
"""Rows are padded to this many steps or to a greater power of two, so that rows of one width can run together."""
MAX_PADDED_BYTES = 256 * 2**20
"""Of all rows of a request: one long row makes all others as wide."""


def padded(rows: Sequence[Any], item_shape: Sequence[int], fill: float, dtype: DTypeLike) -> np.ndarray:
    """Rows of steps of the shape `item_shape` as (N, T, ...), followed by `fill`.

    Raises `TooLarge` before any memory is taken.
    """
    width = SHORTEST_ROW
    while width < max(map(len, rows)):
        width *= 2
    shape = (len(rows), width, *item_shape)
    num_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if num_bytes > MAX_PADDED_BYTES:
        detail = (
            f"{len(rows)} inputs, padded to the longest, take {num_bytes:,} bytes of at most {MAX_PADDED_BYTES:,}; "
            "send inputs of nearly the same length together, or fewer at once."
        )
        raise TooLarge("batch_too_large", detail)
    batch = np.full(shape, fill, dtype)
    for steps, row in zip(rows, batch, strict=True):
        row[: len(steps)] = steps
    return batch
