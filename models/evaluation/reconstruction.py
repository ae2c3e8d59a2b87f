"""Evaluating reconstructions: answers (N, 2) are each row's mean squared error and its anomaly score.

There is no truth to compare with but the input, which the version has compared itself with. Shapes: N rows.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.evaluation.charts import Chart, Series
from models.evaluation.evaluator import Column, Evaluator, Examination
from models.evaluation.significance import wilcoxon
from models.metrics import Array, Scores
from models.metrics.intervals import Resamples, reconstruction_resamples

BINS = 60


class ReconstructionEvaluator(Evaluator):
    """Targets are not looked at."""

    def losses(self, targets: Array, answers: Array) -> Array:
        """Anomaly scores: the most unusual rows are the hardest."""
        scores: Array = answers[:, 1].astype(np.float64)
        return scores

    def describe(self, target: Any, answer: Any) -> dict[str, Any]:
        """`error` and `score`."""
        return {"error": float(answer[0]), "score": float(answer[1])}

    def examine(
        self, targets: Array, answers: Array, scores: Scores, calibration: Mapping[str, Any] | None
    ) -> Examination:
        """How errors and anomaly scores are distributed."""
        figures, curves = {}, {}
        for place, (name, label) in enumerate((("errors", "mean squared error"), ("scores", "anomaly score"))):
            counts, edges = np.histogram(answers[:, place].astype(np.float64), bins=BINS)
            centres = ((edges[1:] + edges[:-1]) / 2).tolist()
            series = Series("rows", centres, counts.astype(float).tolist())
            figures[name] = Chart(f"{label.capitalize()} of {len(answers):,} rows", label, "rows", [series])
            curves[name] = {"at": centres, "rows": counts.tolist()}
        return Examination(curves=curves, figures={**figures})

    def outputs(self, answers: Array) -> list[Column]:
        """The anomaly score."""
        return [Column("anomaly score", answers[:, 1])]

    def resamples(self, targets: Array, answers: Array) -> Resamples:
        """Of all metrics."""
        return reconstruction_resamples(answers)

    def test(self, targets: Array, first: Array, second: Array) -> dict[str, Any]:
        """Wilcoxon's, of the errors; scores of networks with other losses are not comparable."""
        return wilcoxon(first[:, 0], second[:, 0], "the reconstruction error")
