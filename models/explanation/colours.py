"""Numbers as colours, by Matplotlib's maps whose lightness changes evenly, so that equal steps look equal.

`sequential` is viridis (van der Walt and Smith 2015); `diverging` is RdBu (Brewer 1994) from blue to red. The
colour-blind can tell both apart.
"""

from typing import Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

POSITIVE, NEGATIVE = "#b2182b", "#2166ac"
"""Red and blue near the ends of `diverging`, for bars and lines."""
Pixels = NDArray[np.uint8]
"""(H, W, 3)."""


def sequential(values: NDArray[Any], low: float, high: float) -> Pixels:
    """Values from `low` to `high` in viridis; the lowest colour where the two are equal."""
    return _coloured("viridis", (values - low) / (high - low) if high > low else np.zeros_like(values, np.float64))


def diverging(values: NDArray[Any], largest: float) -> Pixels:
    """Values from `-largest` to `largest` in blue, white and red; white where all are 0."""
    return _coloured("RdBu_r", (values / largest + 1) / 2 if largest > 0 else np.full_like(values, 0.5, np.float64))


def _coloured(name: str, shares: NDArray[Any]) -> Pixels:
    pixels: Pixels = np.asarray(colormaps[name](shares, bytes=True))[..., :3]
    return pixels
