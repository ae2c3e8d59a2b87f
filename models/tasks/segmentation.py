"""Segmentation: one of K classes for each pixel of an image, as logits (N, K, H, W), answered as probabilities.

The mask is the most probable class of each pixel. Shapes: N images, K classes, height H, width W.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.data import DataSet
from models.examples import Examples
from models.losses import CrossEntropy, LossOptions
from models.masks import resized
from models.metrics.intervals import Intervals, segmentation_intervals
from models.metrics.segmentation import mean_iou_of_each, most_frequent, overlaps, segmentation_scores
from models.tasks.base import Array, Description, Scores
from models.tasks.supervised import Supervised


class Segmentation(Supervised):
    """Targets are masks (N, H, W) of class indices, in uint8."""

    name = "segmentation"
    title = "Segmentation"
    default_loss = CrossEntropy(name="cross_entropy")
    quick_metrics = ("mean_iou", "iou")
    main_metric = "mean_iou"
    curve_metrics = ("mean_iou", "pixel_accuracy")
    picture = "mask"

    def __init__(self, dataset: DataSet, train: Examples, loss: LossOptions) -> None:
        super().__init__(dataset, train, loss)
        self.size = tuple(train.targets.shape[1:])

    def quick(self, logits_NKHW: Tensor, masks_NHW: Tensor) -> dict[str, Tensor]:
        """The mean IoU of the classes, of all pixels together and as the mean over the images of those in one."""
        predicted_NHW = logits_NKHW.argmax(dim=1).cpu().numpy()
        each = overlaps(masks_NHW.cpu().numpy(), predicted_NHW, self.num_outputs)
        true, predicted, both = each.summed()
        ious_2K = torch.tensor(np.stack([both, true + predicted - both]))
        return {"iou": torch.tensor(mean_iou_of_each(each).mean()), "mean_iou": ious_2K}

    def output(self) -> dict[str, Any]:
        """Probabilities of the K classes of each pixel."""
        return {"name": "probabilities", "dtype": "float32", "shape": [self.num_outputs, *self.size]}

    @staticmethod
    def read(outputs: Array, output: dict[str, Any]) -> Array:
        """The masks (N, H, W): all that is scored and written, in a small part of the memory."""
        masks: Array = outputs.argmax(axis=1).astype(np.uint8)
        return masks

    @staticmethod
    def score(targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """Pixel accuracy, IoU and Dice."""
        return segmentation_scores(targets, answers, labels or [])

    @staticmethod
    def intervals(targets: Array, answers: Array, num_outputs: int, num_inputs: int) -> Intervals:
        """Of all but the classes by themselves."""
        return segmentation_intervals(targets, resized(answers, targets.shape[1:]), num_outputs)

    @staticmethod
    def guess(train_targets: Array, count: int, num_outputs: int) -> Array:
        """Each pixel's most frequent class in training, for `count` images."""
        mask = most_frequent(train_targets, num_outputs)
        return np.broadcast_to(mask, (count, *mask.shape))

    @staticmethod
    def describe(answer: Array, labels: list[str] | None, size: tuple[int, int] | None) -> Description:
        """The mask at the image's own size, and each class's share of its pixels, as `shares`."""
        (mask,) = resized(answer[None], size or answer.shape)
        shares = np.bincount(mask.reshape(-1), minlength=len(labels or [])) / mask.size
        return Description({"shares": dict(zip(labels or [], shares.tolist(), strict=True))}, mask)
