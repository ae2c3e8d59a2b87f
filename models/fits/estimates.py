"""How sure one can be of metrics that come from several trainings."""

from collections.abc import Callable, Mapping
from math import inf, sqrt
from typing import Any

import numpy as np

from models.metrics.intervals import CONFIDENCE
from models.metrics.resampling import RESAMPLES
from models.splits import Rows


def over_fits(
    values: list[float | None], test_to_train: float, bounds: tuple[float, float] = (-inf, inf)
) -> dict[str, Any]:
    """Mean, standard deviation (with n - 1) and 95 % confidence interval of a metric's values, one of each fit.

    `bounds` are the least and the greatest that the metric can be, at which the interval ends.

    The interval is Student's t with the variance of Nadeau and Bengio 2003, Inference for the generalization
    error: s² · (1/n + test rows / training rows). The fits share training rows, so that s² / n alone would promise
    too much. A fit without a value is left out; with fewer than two there is no deviation and no interval.
    """
    from scipy import stats

    known = np.array([value for value in values if value is not None], np.float64)
    if len(known) == 0:
        return {"mean": None, "std": None, "interval": None}
    mean = float(known.mean())
    if len(known) == 1:
        return {"mean": mean, "std": None, "interval": None}
    std = float(known.std(ddof=1))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(known) - 1)) * std * sqrt(1 / len(known) + test_to_train)
    least, greatest = bounds
    return {"mean": mean, "std": std, "interval": [max(mean - half, least), min(mean + half, greatest)]}


def over_rows(rows_N: Rows, numbers: Callable[[Rows], Mapping[str, float | None]]) -> dict[str, dict[str, Any]]:
    """Metrics of answers that are pooled, with 95 % intervals by the bootstrap's percentiles (Efron 1979).

    `rows_N` says of which row each answer is; the answers for a row are drawn together, since they stand or fall
    together. `numbers` gives the metrics of the answers at some places. The same rows always get the same interval.
    """
    by_row = np.argsort(rows_N, kind="stable")
    groups = np.split(by_row, np.unique(rows_N[by_row], return_index=True)[1][1:])
    generator = np.random.default_rng(0)
    drawn = [
        numbers(np.concatenate([groups[row] for row in generator.integers(0, len(groups), len(groups))]))
        for _ in range(RESAMPLES)
    ]
    return {
        name: {"mean": value, "std": None, "interval": _interval([each[name] for each in drawn])}
        for name, value in numbers(by_row).items()
    }


def _interval(values: list[float | None]) -> list[float] | None:
    """Between the percentiles of the values that exist; None if a metric does not exist for most resamples."""
    known = [value for value in values if value is not None]
    if len(known) < len(values) / 2:
        return None
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return [float(low), float(high)]
