"""Outlines of the shapes that drawn pictures show."""

from collections.abc import Callable

import numpy as np

from models.readers.writer import Array

OUTLINES: dict[str, Callable[[Array, Array], Array]] = {
    "circle": lambda x, y: np.hypot(x, y) - 1,
    "square": lambda x, y: np.maximum(abs(x), abs(y)) - 0.85,
    "triangle": lambda x, y: np.maximum(y, 0.866 * abs(x) - 0.5 * y) - 0.6,
    "cross": lambda x, y: np.maximum(np.minimum(abs(x), abs(y)) - 0.3, np.maximum(abs(x), abs(y)) - 1),
}
"""Of points in units of the shape's size: negative inside, about the distance from the edge outside."""


def turned(x: Array, y: Array, angle: Array | float) -> tuple[Array, Array]:
    """The points as a shape sees them that is turned about the origin by so many radians."""
    return x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
