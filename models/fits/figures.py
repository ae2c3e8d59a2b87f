"""Pictures of results, by Matplotlib without its global state."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"train": "#3b6fb6", "validation": "#d1495b"}
WIDE = 100
"""From this ratio of the largest to the smallest on, positive numbers are drawn on a logarithmic scale."""


def draw_curves(path: Path, title: str, x_label: str, x: Sequence[Any], curves: Mapping[str, Any]) -> None:
    """Write a PNG with a panel for each metric: its mean over the points `x`, a band of one deviation around it.

    `curves` is that of `curves.gather`. Points that are not all numbers are spaced evenly and named.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0 * max(1, len(curves)), 4.2), layout="constrained")
    figure.suptitle(title)
    panels = figure.subplots(1, max(1, len(curves)), squeeze=False)[0]
    for panel, (metric, parts) in zip(panels, curves.items(), strict=False):
        places = _place(panel, x)
        for part, spread in parts.items():
            _line(panel, places, spread, part)
        means = [value for spread in parts.values() for value in spread["mean"] if value is not None]
        if _is_wide(means):
            panel.set_yscale("log")
        panel.set_xlabel(x_label)
        panel.set_ylabel(metric)
        panel.grid(alpha=0.25)
        panel.legend()
    figure.savefig(path, dpi=120)


def _place(panel: "Axes", x: Sequence[Any]) -> list[float]:
    """Where the points lie on the axis."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in x):
        if _is_wide(x):
            panel.set_xscale("log")
        return [float(value) for value in x]
    panel.set_xticks(range(len(x)), [shortened(value) for value in x], rotation=30, ha="right", parse_math=False)
    return [float(place) for place in range(len(x))]


def _line(panel: "Axes", places: Sequence[float], spread: Mapping[str, Any], part: str) -> None:
    mean = np.array([np.nan if value is None else value for value in spread["mean"]])
    std = np.array([0.0 if value is None else value for value in spread["std"]])
    panel.plot(places, mean, marker="o", markersize=4, color=COLOURS[part], label=part)
    if std.any():
        panel.fill_between(places, mean - std, mean + std, color=COLOURS[part], alpha=0.15, linewidth=0)


def _is_wide(values: Sequence[float]) -> bool:
    return bool(values) and min(values) > 0 and max(values) / min(values) >= WIDE
