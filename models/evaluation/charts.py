"""What a figure shows, whatever draws it: `models.evaluation.drawing` does, for notebooks and as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Series:
    """Places on two axes under a name; an axis of names has text instead of numbers."""

    name: str
    x: Sequence[float] | Sequence[str]
    y: Sequence[float] | Sequence[str]
    style: Literal["line", "dashed", "points", "bars"] = "line"
    """`bars` lie: they reach from 0 to x."""
    low: Sequence[float] | None = None
    """With `high`, ends of intervals around x."""
    high: Sequence[float] | None = None


@dataclass(frozen=True)
class Chart:
    """Series on common axes, the first in front of all others in the legend."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class HeatMap:
    """A matrix of counts, a row for each label and a column for each."""

    title: str
    x_label: str
    y_label: str
    labels: Sequence[str]
    values: Sequence[Sequence[int]]


Figure = Chart | HeatMap
