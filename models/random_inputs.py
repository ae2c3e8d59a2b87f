"""Random inputs for a graph of which only its declared inputs are known."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Feeds = dict[str, NDArray[Any]]

DTYPES = {
    "tensor(bool)": "bool",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(string)": "string",
}
"""ONNX Runtime's name of each type that a served tensor may have, and the name it has in a signature."""


def random_feeds(inputs: Sequence[Any], *, rows: int, size: int, seed: int = 0) -> Feeds:
    """An array for each of a session's inputs. `rows` is the first dimension where it varies, `size` every other.

    Numbers are normally distributed, uint8 are pixels, and other integers 0 or 1, which are valid as indices.
    """
    random = np.random.default_rng(seed)
    return {node.name: _array(DTYPES[node.type], _shape(node.shape, rows, size), random) for node in inputs}


def is_variable(dimension: object) -> bool:
    """Whether a dimension is known only when the graph is run: a name, or nothing."""
    return not isinstance(dimension, int) or dimension < 0


def _shape(declared: Sequence[Any], rows: int, size: int) -> list[int]:
    variable = [rows, *[size] * (len(declared) - 1)]
    return [
        replaced if is_variable(dimension) else dimension
        for dimension, replaced in zip(declared, variable, strict=False)
    ]


def _array(dtype: str, shape: list[int], random: np.random.Generator) -> NDArray[Any]:
    if dtype == "string":
        return np.full(shape, "a", object)
    if dtype.startswith("float"):
        return random.standard_normal(shape).astype(dtype)
    return random.integers(0, 256 if dtype == "uint8" else 2, shape).astype(dtype)
