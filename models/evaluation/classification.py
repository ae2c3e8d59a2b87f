"""Evaluating classes and their probabilities. Shapes: N rows, K classes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.evaluation.charts import Chart, Figure, HeatMap, Series
from models.evaluation.evaluator import Column, Evaluator, Examination
from models.evaluation.significance import mcnemar
from models.metrics import Array, Scores
from models.metrics.calibration import Calibration, calibration
from models.metrics.classification import log_losses, precision_recall_curves, roc_curves
from models.metrics.intervals import Resamples, classification_resamples
from models.metrics.ranking import rank_classes

MAX_CURVES = 20
"""Classes with curves: where there are more, those with the least area under the ROC curve."""
MAX_CELLS = 60
"""Classes in the figure of a confusion matrix: where there are more, those of the most rows that are wrong."""
UNIT = (-0.02, 1.02)


class ClassificationEvaluator(Evaluator):
    """Targets (N,) are class indices, answers probabilities (N, K)."""

    def fitted(self, answers: Array, labels: list[str] | None, targets: Array) -> Array:
        """The columns in the order of our labels."""
        if labels is None or labels == self.labels:
            return answers
        return answers[:, [labels.index(label) for label in self.labels]]

    def losses(self, targets: Array, answers: Array) -> Array:
        """-log of the true class's probability."""
        return log_losses(targets, answers)

    def describe(self, target: Any, answer: Any) -> dict[str, Any]:
        """`true`, `predicted`, its `probability` and that of the true class."""
        predicted = int(answer.argmax())
        return {
            "true": self.labels[int(target)],
            "predicted": self.labels[predicted],
            "probability": float(answer[predicted]),
            "probability_of_true": float(answer[int(target)]),
        }

    def examine(
        self, targets: Array, answers: Array, scores: Scores, calibration: Mapping[str, Any] | None
    ) -> Examination:
        """ROC and precision-recall curves, the confusion matrix, and reliability before and after calibration."""
        temperature = (calibration or {}).get("temperature")
        effects = _calibrations(targets, answers, temperature)
        curves = self._curves(targets, answers, scores)
        bins = {when: each.bins for when, each in effects.items()}
        before, after = effects["before"], effects.get("after")
        result = {
            "temperature": temperature,
            "before": before.scores,
            "after": None if after is None else after.scores,
        }
        figures: dict[str, Figure] = {
            "roc": _curve_chart(curves["roc_curve"], scores, "roc_auc", ("fpr", "tpr")),
            "precision_recall": _curve_chart(
                curves["precision_recall_curve"], scores, "average_precision", ("recall", "precision")
            ),
            "confusion_matrix": self._confusion(scores["confusion_matrix"]),
            "calibration": _reliability_chart(effects),
        }
        return Examination({"calibration": result}, {**curves, "reliability": bins}, figures)

    def outputs(self, answers: Array) -> list[Column]:
        """The predicted class and its probability."""
        return [
            Column("predicted class", answers.argmax(axis=1), tuple(self.labels)),
            Column("confidence", answers.max(axis=1)),
        ]

    def resamples(self, targets: Array, answers: Array) -> Resamples:
        """Of all but the areas under curves."""
        return classification_resamples(targets, answers)

    def influences(self, targets: Array, answers: Array) -> dict[str, Array]:
        """On the areas under curves."""
        return rank_classes(targets, answers).influences

    def test(self, targets: Array, first: Array, second: Array) -> dict[str, Any]:
        """McNemar's."""
        return mcnemar(first.argmax(axis=1) == targets, second.argmax(axis=1) == targets)

    def _curves(self, targets: Array, answers: Array, scores: Scores) -> dict[str, Any]:
        areas = np.array([np.nan if row["roc_auc"] is None else row["roc_auc"] for row in scores["per_class"]])
        chosen = np.sort(np.argsort(areas, kind="stable")[:MAX_CURVES])
        # Of the chosen classes' own columns; a row of another class is of none of them.
        place = np.full(len(self.labels), -1)
        place[chosen] = np.arange(len(chosen))
        labels, own = [self.labels[k] for k in chosen], (place[targets], answers[:, chosen])
        return {
            "roc_curve": roc_curves(*own, labels),
            "precision_recall_curve": precision_recall_curves(*own, labels),
        }

    def _confusion(self, matrix: list[list[int]]) -> HeatMap:
        counts, labels = np.array(matrix), np.array(self.labels, dtype=object)
        title = "Confusion matrix"
        if len(labels) > MAX_CELLS:
            wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
            chosen = np.sort(np.argsort(-wrong, kind="stable")[:MAX_CELLS])
            counts, title = counts[np.ix_(chosen, chosen)], f"{title} of the {MAX_CELLS} classes most often confused"
            labels = labels[chosen]
        return HeatMap(title, "predicted", "true", labels.tolist(), counts.tolist())


def _calibrations(targets: Array, answers: Array, temperature: float | None) -> dict[str, Calibration]:
    effects = {"before": calibration(targets, answers)}
    return effects if temperature is None else {**effects, "after": calibration(targets, answers, temperature)}


def _curve_chart(curves: Mapping[str, Any], scores: Scores, area: str, axes: tuple[str, str]) -> Chart:
    names = {
        "fpr": "false positive rate",
        "tpr": "true positive rate",
        "recall": "recall",
        "precision": "precision",
        "roc_auc": "ROC curves",
        "average_precision": "Precision-recall curves",
    }
    by_label = {row["label"]: row[area] for row in scores["per_class"]}
    series = [
        Series(f"{label}, {by_label[label]:.3f}", curve[axes[0]], curve[axes[1]]) for label, curve in curves.items()
    ]
    if area == "roc_auc":
        series.append(Series("chance", [0.0, 1.0], [0.0, 1.0], "dashed"))
    mean = "" if scores[area] is None else f", mean area {scores[area]:.3f}"
    return Chart(f"{names[area]}{mean}", names[axes[0]], names[axes[1]], series, UNIT, UNIT)


def _reliability_chart(effects: Mapping[str, Calibration]) -> Chart:
    names = {"before": "as answered", "after": "at the version's temperature"}
    series = []
    for when, each in effects.items():
        filled = [part for part in each.bins if part["rows"]]
        name = f"{names[when]}, ECE {each.scores['ece']:.3f}"
        series.append(Series(name, [part["confidence"] for part in filled], [part["accuracy"] for part in filled]))
    series.append(Series("perfect", [0.0, 1.0], [0.0, 1.0], "dashed"))
    return Chart("Reliability in 15 bins of the confidence", "confidence", "accuracy", series, UNIT, UNIT)
