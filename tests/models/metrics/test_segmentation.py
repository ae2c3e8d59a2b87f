import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from models.metrics import METRICS
from models.metrics.segmentation import mean_iou_of_each, most_frequent, overlaps, segmentation_scores

LABELS = ["ground", "cell", "nucleus"]
TRUE = np.array([[[0, 0, 1, 1], [0, 0, 1, 1]]], np.uint8)
PREDICTED = np.array([[[0, 0, 0, 1], [0, 0, 1, 1]]], np.uint8)


def test_the_worked_example() -> None:
    scores = segmentation_scores(TRUE, PREDICTED, LABELS)
    ground, cell, nucleus = scores["class_overlap"]
    assert (ground["iou"], ground["dice"], ground["pixels"]) == (4 / 5, 8 / 9, 4)
    assert (cell["iou"], cell["dice"], cell["pixels"]) == (3 / 4, 6 / 7, 4)
    assert (nucleus["iou"], nucleus["dice"], nucleus["pixels"]) == (None, None, 0)
    assert scores["pixel_accuracy"] == 7 / 8
    assert scores["mean_iou"] == pytest.approx((4 / 5 + 3 / 4) / 2)
    assert scores["mean_dice"] == pytest.approx((8 / 9 + 6 / 7) / 2)
    assert scores["iou"] == pytest.approx(scores["mean_iou"])


def test_the_ious_are_scikit_learns_jaccard_scores() -> None:
    generator = np.random.default_rng(0)
    true, predicted = generator.integers(0, 3, (2, 5, 7, 6)).astype(np.uint8)
    scores = segmentation_scores(true, predicted, LABELS)
    expected = jaccard_score(true.ravel(), predicted.ravel(), average=None)
    assert [each["iou"] for each in scores["class_overlap"]] == pytest.approx(list(expected))
    of_images = [jaccard_score(t.ravel(), p.ravel(), average="macro") for t, p in zip(true, predicted, strict=True)]
    assert mean_iou_of_each(overlaps(true, predicted, 3)) == pytest.approx(of_images)
    assert scores["iou"] == pytest.approx(np.mean(of_images))


def test_masks_of_another_size_are_brought_to_that_of_the_truth() -> None:
    half = np.array([[[0, 1]]], np.uint8)
    assert segmentation_scores(TRUE, half, LABELS)["pixel_accuracy"] == 1.0


def test_the_most_frequent_class_of_each_pixel() -> None:
    masks = np.array([[[0, 1]], [[2, 1]], [[2, 0]]], np.uint8)
    assert most_frequent(masks, 3).tolist() == [[2, 1]]


def test_every_score_is_in_the_catalogue() -> None:
    scores = segmentation_scores(TRUE, PREDICTED, LABELS)
    assert set(scores) == {metric.name for metric in METRICS if metric.task == "segmentation"}
