"""The levels of the quantiles that a forecast can have."""

from collections.abc import Sequence

FORMAT = "quantiles"
"""JSON Schema's `format` of a list of levels."""


def require_around_median(levels: Sequence[float]) -> None:
    """Raise `ValueError` unless the levels ascend around 0.5, which is the forecast."""
    if sorted(set(levels)) != list(levels) or len(levels) % 2 == 0 or levels[len(levels) // 2] != 0.5:
        raise ValueError("must ascend, with 0.5 in the middle, such as [0.1, 0.5, 0.9]")
