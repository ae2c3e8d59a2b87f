"""Evaluating masks. Shapes: N images, height H, width W, K classes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.evaluation.charts import Chart, Figure, HeatMap, Series
from models.evaluation.evaluator import Column, Evaluator, Examination
from models.evaluation.significance import wilcoxon
from models.masks import resized
from models.metrics import Array, Scores
from models.metrics.intervals import Resamples, segmentation_resamples
from models.metrics.segmentation import mean_iou_of_each, overlaps

MAX_CLASSES = 60
"""Classes in a figure, the first of them."""


class SegmentationEvaluator(Evaluator):
    """Targets and answers are masks (N, H, W) of class indices."""

    def fitted(self, answers: Array, labels: list[str] | None, targets: Array) -> Array:
        """The masks at the size of the true ones, with our indices."""
        masks = resized(answers, targets.shape[1:])
        if labels is None or labels == self.labels:
            return masks
        ours: Array = np.array([self.labels.index(label) for label in labels], masks.dtype)[masks]
        return ours

    def losses(self, targets: Array, answers: Array) -> Array:
        """1 - the mean IoU of the classes in an image."""
        return 1 - self._ious(targets, answers)

    def describe(self, target: Any, answer: Any) -> dict[str, Any]:
        """`true` and `predicted`, each class's share of the pixels, and the image's mean `iou`."""
        shares = [np.bincount(mask.reshape(-1), minlength=len(self.labels)) / mask.size for mask in (target, answer)]
        true, predicted = (dict(zip(self.labels, each.tolist(), strict=True)) for each in shares)
        return {"true": true, "predicted": predicted, "iou": float(self._ious(target[None], answer[None])[0])}

    def examine(
        self, targets: Array, answers: Array, scores: Scores, calibration: Mapping[str, Any] | None
    ) -> Examination:
        """The overlap of each class, and the confusion matrix of the pixels."""
        matrix = sum(_confusion(*pair, len(self.labels)) for pair in zip(targets, answers, strict=True))
        classes = [row for row in scores["class_overlap"] if row["iou"] is not None][:MAX_CLASSES]
        figures: dict[str, Figure] = {
            "class_overlap": Chart(
                f"Intersection over union of each class, mean {scores['mean_iou']:.3f}",
                "intersection over union",
                "",
                [Series("IoU", [row["iou"] for row in classes], [row["label"] for row in classes], "bars")],
                (0.0, 1.0),
            ),
            "confusion_matrix": HeatMap(
                "Confusion matrix of the pixels",
                "predicted",
                "true",
                self.labels[:MAX_CLASSES],
                np.asarray(matrix)[:MAX_CLASSES, :MAX_CLASSES].tolist(),
            ),
        }
        return Examination(curves={"confusion_matrix": np.asarray(matrix).tolist()}, figures=figures)

    def outputs(self, answers: Array) -> list[Column]:
        """The share of an image's pixels that each class has, as predicted."""
        counts = np.stack([np.bincount(mask.reshape(-1), minlength=len(self.labels)) for mask in answers])
        shares = counts / counts.sum(axis=1, keepdims=True)
        return [Column(f"share of {label}", shares[:, k]) for k, label in enumerate(self.labels)]

    def resamples(self, targets: Array, answers: Array) -> Resamples:
        """Of all metrics."""
        return segmentation_resamples(targets, answers, len(self.labels))

    def test(self, targets: Array, first: Array, second: Array) -> dict[str, Any]:
        """Wilcoxon's, of the images' IoU."""
        return wilcoxon(self.losses(targets, first), self.losses(targets, second), "1 - IoU of an image")

    def _ious(self, targets: Array, answers: Array) -> Array:
        return mean_iou_of_each(overlaps(targets, answers, len(self.labels)))


def _confusion(true: Array, predicted: Array, num_classes: int) -> Array:
    pairs = true.astype(np.int64).reshape(-1) * num_classes + predicted.reshape(-1)
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
