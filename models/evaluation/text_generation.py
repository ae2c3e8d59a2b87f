"""Evaluating a language model: answers (N, 2) are each row's logarithm of probability and its number of tokens.

Shapes: N rows.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.evaluation.charts import Chart, Series
from models.evaluation.evaluator import Column, Evaluator, Examination
from models.evaluation.significance import wilcoxon
from models.metrics import Array, Scores
from models.metrics.intervals import Resamples, language_resamples

BINS = 60


class TextGenerationEvaluator(Evaluator):
    """Targets are not looked at."""

    def losses(self, targets: Array, answers: Array) -> Array:
        """Bits a token: the least probable rows are the hardest."""
        bits: Array = -answers[:, 0].astype(np.float64) / answers[:, 1] / np.log(2)
        return bits

    def describe(self, target: Any, answer: Any) -> dict[str, Any]:
        """`log_probability` and `tokens`."""
        return {"log_probability": float(answer[0]), "tokens": int(answer[1])}

    def examine(
        self, targets: Array, answers: Array, scores: Scores, calibration: Mapping[str, Any] | None
    ) -> Examination:
        """How the rows' bits a token are distributed."""
        counts, edges = np.histogram(self.losses(targets, answers), bins=BINS)
        centres = ((edges[1:] + edges[:-1]) / 2).tolist()
        series = Series("rows", centres, counts.astype(float).tolist())
        chart = Chart(f"Bits a token of {len(answers):,} rows", "bits a token", "rows", [series])
        return Examination(curves={"bits": {"at": centres, "rows": counts.tolist()}}, figures={"bits": chart})

    def outputs(self, answers: Array) -> list[Column]:
        """Bits a token."""
        return [Column("bits a token", self.losses(answers, answers))]

    def resamples(self, targets: Array, answers: Array) -> Resamples:
        """Of all metrics."""
        return language_resamples(answers)

    def test(self, targets: Array, first: Array, second: Array) -> dict[str, Any]:
        """Wilcoxon's, of the bits a token."""
        return wilcoxon(self.losses(targets, first), self.losses(targets, second), "the bits a token")
