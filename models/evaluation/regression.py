"""Evaluating numbers. Shapes: N rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.evaluation.charts import Chart, Series
from models.evaluation.evaluator import Column, Evaluator, Examination
from models.evaluation.significance import wilcoxon
from models.metrics import Array, Scores
from models.metrics.intervals import Resamples, regression_resamples
from shapes.decimals import shortest

MAX_POINTS = 1000
"""Rows in a scatter plot: of more, so many spread evenly over them."""


class RegressionEvaluator(Evaluator):
    """Targets and answers are numbers (N,)."""

    def losses(self, targets: Array, answers: Array) -> Array:
        """Absolute errors, in the target's units."""
        errors: Array = np.abs(answers.astype(np.float64) - targets)
        return errors

    def describe(self, target: Any, answer: Any) -> dict[str, Any]:
        """`true`, `predicted` and the `error`, by how much that is too large."""
        return {"true": shortest(target), "predicted": shortest(answer), "error": float(answer) - float(target)}

    def examine(
        self, targets: Array, answers: Array, scores: Scores, calibration: Mapping[str, Any] | None
    ) -> Examination:
        """Predicted against true values, and residuals against predicted ones."""
        places = np.unique(np.linspace(0, len(targets) - 1, min(len(targets), MAX_POINTS)).round().astype(int))
        true, predicted = targets[places].astype(float), answers[places].astype(float)
        ends = [float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))]
        span = [float(predicted.min()), float(predicted.max())]
        known = "" if scores["r2"] is None else f", R² {scores['r2']:.3f}"
        rows = Series("rows", true.tolist(), predicted.tolist(), "points")
        residuals = Series("rows", predicted.tolist(), (true - predicted).tolist(), "points")
        figures = {
            "predicted": Chart(
                f"Predicted against true values{known}",
                "true",
                "predicted",
                [rows, Series("perfect", ends, ends, "dashed")],
            ),
            "residuals": Chart(
                "Residuals against predicted values",
                "predicted",
                "true - predicted",
                [residuals, Series("none", span, [0.0, 0.0], "dashed")],
            ),
        }
        curves = {"predictions": {"true": true.tolist(), "predicted": predicted.tolist()}}
        return Examination(curves=curves, figures={**figures})

    def outputs(self, answers: Array) -> list[Column]:
        """The predicted value."""
        return [Column("predicted value", answers)]

    def resamples(self, targets: Array, answers: Array) -> Resamples:
        """Of all metrics."""
        return regression_resamples(targets, answers, self.num_inputs)

    def test(self, targets: Array, first: Array, second: Array) -> dict[str, Any]:
        """Wilcoxon's, of absolute errors."""
        return wilcoxon(self.losses(targets, first), self.losses(targets, second), "the absolute error")
