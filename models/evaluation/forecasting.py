"""Evaluating forecasts. Shapes: N windows, H steps, Q quantiles."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.evaluation.charts import Chart, Series
from models.evaluation.evaluator import Column, Evaluator, Examination
from models.evaluation.significance import wilcoxon
from models.metrics import Array, Scores
from models.metrics.forecasting import points
from models.metrics.intervals import Resamples


class ForecastingEvaluator(Evaluator):
    """Targets (N, H + 1) are those of `Windows.targets`, answers forecasts (N, H) or quantiles (N, H, Q)."""

    def losses(self, targets: Array, answers: Array) -> Array:
        """The mean absolute error of each window's forecast, in the target's units."""
        errors: Array = np.abs(points(answers).astype(np.float64) - targets[:, :-1]).mean(axis=1)
        return errors

    def describe(self, target: Any, answer: Any) -> dict[str, Any]:
        """`true` and `predicted`, a number for each step."""
        return {"true": target[:-1].tolist(), "predicted": points(answer[None])[0].tolist()}

    def examine(
        self, targets: Array, answers: Array, scores: Scores, calibration: Mapping[str, Any] | None
    ) -> Examination:
        """The error by step, and the last window with its forecast."""
        steps = [float(step) for step in range(1, targets.shape[1])]
        series = [Series("error", steps, scores["mae_by_step"])]
        figures = {
            "error_by_step": Chart("Mean absolute error by step", "steps ahead", "absolute error", series),
            "last_forecast": Chart("The last window", "steps ahead", "value", _last(steps, targets, answers)),
        }
        return Examination(figures={**figures})

    def outputs(self, answers: Array) -> list[Column]:
        """The mean of a forecast."""
        return [Column("mean forecast", points(answers).mean(axis=1))]

    def resamples(self, targets: Array, answers: Array) -> Resamples:
        """None: windows overlap, so that rows drawn as if they were independent would promise too much."""
        return {}

    def test(self, targets: Array, first: Array, second: Array) -> dict[str, Any]:
        """Wilcoxon's, of the windows' absolute errors, as if they were independent."""
        return wilcoxon(self.losses(targets, first), self.losses(targets, second), "the absolute error of a window")


def _last(steps: list[float], targets: Array, answers: Array) -> list[Series]:
    forecast = points(answers)[-1].astype(float).tolist()
    series = [
        Series("true", steps, targets[-1, :-1].astype(float).tolist()),
        Series("forecast", steps, forecast, "dashed"),
    ]
    if answers.ndim > 2:
        for name, place in (("lowest quantile", 0), ("highest quantile", -1)):
            series.append(Series(name, steps, answers[-1, :, place].astype(float).tolist(), "dashed"))
    return series
