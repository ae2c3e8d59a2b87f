"""Evaluating rows of tags. Shapes: N rows, L tokens, K classes; an answer is classes and probabilities (N, L, 2)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.evaluation.charts import Chart, Figure, HeatMap, Series
from models.evaluation.evaluator import Column, Evaluator, Examination
from models.evaluation.significance import wilcoxon
from models.metrics import Array, Scores
from models.metrics.intervals import Resamples
from models.metrics.tagging import tagging_resamples
from models.ragged import widened
from shapes.tokens import NO_TARGET

MAX_CLASSES = 60
"""Classes in a figure, the first of them."""


class TaggingEvaluator(Evaluator):
    """Targets (N, L) are class indices, padded."""

    def fitted(self, answers: Array, labels: list[str] | None, targets: Array) -> Array:
        """As wide as the targets, with our indices."""
        answers = widened(answers[:, : targets.shape[1]], targets.shape[1], NO_TARGET)
        if labels is None or labels == self.labels:
            return answers
        # The last place is that of `NO_TARGET`, which stays.
        ours = np.array([*(self.labels.index(label) for label in labels), NO_TARGET])
        return np.stack([ours[_tags(answers)], answers[:, :, 1]], axis=2).astype(answers.dtype)

    def losses(self, targets: Array, answers: Array) -> Array:
        """The share of a row's tokens whose tag is wrong."""
        tokens_NL = targets != NO_TARGET
        wrong_NL = tokens_NL & (_tags(answers) != targets)
        shares_N: Array = wrong_NL.sum(axis=1) / np.maximum(tokens_NL.sum(axis=1), 1)
        return shares_N

    def describe(self, target: Any, answer: Any) -> dict[str, Any]:
        """The `true` and the `predicted` tags, with blanks between them."""
        return {"true": self._written(target), "predicted": self._written(_tags(answer))}

    def examine(
        self, targets: Array, answers: Array, scores: Scores, calibration: Mapping[str, Any] | None
    ) -> Examination:
        """F1 of each type of entity, and the confusion matrix of the tokens that have been read."""
        tags = _tags(answers)
        read = (targets != NO_TARGET) & (tags != NO_TARGET)
        size = len(self.labels)
        pairs = targets[read].astype(np.int64) * size + tags[read]
        matrix = np.bincount(pairs, minlength=size**2).reshape(size, size)
        types = [row for row in scores["per_entity"] if row["entities"]][:MAX_CLASSES]
        figures: dict[str, Figure] = {
            "entities": Chart(
                f"F1 of each type, of all entities {scores['entity_f1']:.3f}",
                "F1",
                "",
                [Series("F1", [row["f1"] for row in types], [row["label"] for row in types], "bars")],
                (0.0, 1.0),
            ),
            "confusion_matrix": HeatMap(
                "Confusion matrix of the tokens",
                "predicted",
                "true",
                self.labels[:MAX_CLASSES],
                matrix[:MAX_CLASSES, :MAX_CLASSES].tolist(),
            ),
        }
        return Examination(curves={"confusion_matrix": matrix.tolist()}, figures=figures)

    def outputs(self, answers: Array) -> list[Column]:
        """The share of a row's tokens that each class has, as predicted."""
        tags = _tags(answers)
        count_N = np.maximum((tags != NO_TARGET).sum(axis=1), 1)
        return [Column(f"share of {label}", (tags == k).sum(axis=1) / count_N) for k, label in enumerate(self.labels)]

    def resamples(self, targets: Array, answers: Array) -> Resamples:
        """Of all metrics."""
        return tagging_resamples(targets, _tags(answers), self.labels)

    def test(self, targets: Array, first: Array, second: Array) -> dict[str, Any]:
        """Wilcoxon's, of the rows' shares of wrong tags."""
        return wilcoxon(self.losses(targets, first), self.losses(targets, second), "the share of wrong tags")

    def _written(self, tags: Array) -> str:
        return " ".join(self.labels[tag] for tag in tags if tag != NO_TARGET)


def _tags(answers: Array) -> Array:
    tags: Array = answers[..., 0].astype(np.int64)
    return tags
