"""Evaluating texts that were written, (N,), beside those that should have been. Shapes: N rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.evaluation.charts import Chart, Series
from models.evaluation.evaluator import Column, Evaluator, Examination
from models.evaluation.significance import mcnemar
from models.metrics import Array, Scores
from models.metrics.intervals import Resamples
from models.metrics.translation import sentence_bleu, translation_resamples

LENGTH_GROUPS = 10


class TranslationEvaluator(Evaluator):
    """Targets and answers are texts."""

    def losses(self, targets: Array, answers: Array) -> Array:
        """1 less the text's own BLEU, from 0 to 1."""
        return 1 - sentence_bleu(targets, answers) / 100

    def describe(self, target: Any, answer: Any) -> dict[str, Any]:
        """`true` and `predicted`."""
        return {"true": str(target), "predicted": str(answer)}

    def examine(
        self, targets: Array, answers: Array, scores: Scores, calibration: Mapping[str, Any] | None
    ) -> Examination:
        """How many are right of the short ones and of the long ones, in groups of about as many rows."""
        length_N, is_right_N = _lengths(targets), targets == answers
        groups = np.array_split(np.argsort(length_N, kind="stable"), min(LENGTH_GROUPS, len(targets)))
        found = [
            {"rows": len(group), "characters": float(length_N[group].mean()), "right": float(is_right_N[group].mean())}
            for group in groups
        ]
        series = Series("rows", [each["characters"] for each in found], [each["right"] for each in found])
        title = f"Exact matches by length, {scores['exact_match']:.3f} of all"
        chart = Chart(title, "characters of the target, the mean of a group", "exact matches", [series])
        return Examination(curves={"by_length": found}, figures={"by_length": chart})

    def outputs(self, answers: Array) -> list[Column]:
        """How long the answers are."""
        return [Column("characters", _lengths(answers))]

    def resamples(self, targets: Array, answers: Array) -> Resamples:
        """Of all metrics."""
        return translation_resamples(targets, answers)

    def test(self, targets: Array, first: Array, second: Array) -> dict[str, Any]:
        """McNemar's, of exact matches."""
        return mcnemar(first == targets, second == targets)


def _lengths(texts_N: Array) -> Array:
    return np.array([float(len(text)) for text in texts_N])
