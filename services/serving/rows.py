"""Rows of a table that a network has made, in the words of the table."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Row = dict[str, float | str] | list[float]


def named(rows: np.ndarray, signature: dict[str, Any]) -> list[Row]:
    """Rows, float32 (N, F), by the names of their columns, with the names of categories.

    Lists of numbers where the signature knows no columns.
    """
    columns = signature["output"].get("columns") or signature["input"].get("columns")
    if columns is None:
        return list(rows.tolist())
    readers = [_category(column["categories"]) if column["kind"] == "categorical" else float for column in columns]
    names = [column["name"] for column in columns]
    return [{name: read(value) for name, read, value in zip(names, readers, row, strict=True)} for row in rows.tolist()]


def _category(categories: Sequence[str]) -> Callable[[float], str]:
    """The category with the nearest index."""

    def name(value: float) -> str:
        return categories[min(max(math.floor(value + 0.5), 0), len(categories) - 1)]

    return name
