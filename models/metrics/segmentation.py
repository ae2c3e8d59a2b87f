"""Metrics of masks: how far the predicted regions of each class cover the true ones.

    IoU = |T ∩ P| / |T ∪ P|,   Dice = 2 |T ∩ P| / (|T| + |P|)

of the true pixels T and the predicted pixels P of a class (Jaccard 1901; Dice 1945). A class that is in neither has
no value and is left out of means. Shapes: N masks, height H, width W, K classes.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.masks import resized

Array = NDArray[Any]


class Overlaps(NamedTuple):
    """Pixels of each class, (..., K): true ones, predicted ones, and those that are both."""

    true: Array
    predicted: Array
    both: Array

    def summed(self) -> "Overlaps":
        """Of all masks together, (K,)."""
        return Overlaps(*(counts.sum(axis=0) for counts in self))

    def ious(self) -> Array:
        """IoU of each class; NaN where it is in neither."""
        return _ratio(self.both, self.true + self.predicted - self.both)

    def dices(self) -> Array:
        """Dice coefficient of each class; NaN where it is in neither."""
        return _ratio(2 * self.both, self.true + self.predicted)


def overlaps(true_NHW: Array, predicted_NHW: Array, num_classes: int) -> Overlaps:
    """The pixels of each class in each of N masks, (N, K)."""
    counts = np.zeros((3, len(true_NHW), num_classes), np.int64)
    for n, (true, predicted) in enumerate(zip(true_NHW, predicted_NHW, strict=True)):
        for place, classes in enumerate((true, predicted, true[true == predicted])):
            counts[place, n] = np.bincount(classes.reshape(-1), minlength=num_classes)
    return Overlaps(*counts)


def mean_iou_of_each(counts: Overlaps) -> Array:
    """For each mask (N,), the mean IoU of the classes in it, true or predicted."""
    means: Array = np.nanmean(counts.ious(), axis=-1)
    return means


def segmentation_scores(targets_NHW: Array, masks_NHW: Array, labels: list[str]) -> dict[str, Any]:
    """Pixel accuracy, mean and per-class IoU and Dice of all pixels together, and the mean IoU of an image.

    Masks of another size are brought to that of the targets by nearest neighbour.
    """
    masks_NHW = resized(masks_NHW, targets_NHW.shape[1:])
    each = overlaps(targets_NHW, masks_NHW, len(labels))
    total = each.summed()
    ious, dices = total.ious(), total.dices()
    return {
        "pixel_accuracy": float(total.both.sum() / total.true.sum()),
        "mean_iou": float(np.nanmean(ious)),
        "mean_dice": float(np.nanmean(dices)),
        "iou": float(mean_iou_of_each(each).mean()),
        "class_overlap": [
            {"label": label, "iou": _number(ious[k]), "dice": _number(dices[k]), "pixels": int(total.true[k])}
            for k, label in enumerate(labels)
        ],
    }


def most_frequent(masks_NHW: Array, num_classes: int) -> Array:
    """The mask (H, W) of each pixel's most frequent class: what can be said of an image without looking at it."""
    counts_KHW = np.stack([(masks_NHW == k).sum(axis=0) for k in range(num_classes)])
    mask_HW: Array = counts_KHW.argmax(axis=0).astype(np.uint8)
    return mask_HW


def _ratio(part: Array, whole: Array) -> Array:
    ratio: Array = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return ratio


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
