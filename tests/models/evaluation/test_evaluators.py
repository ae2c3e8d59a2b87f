"""What each task's evaluator makes of answers."""

import json

import numpy as np
import pytest
from scipy import stats

from models.evaluation.charts import HeatMap
from models.evaluation.classification import MAX_CELLS, MAX_CURVES, ClassificationEvaluator
from models.evaluation.regression import MAX_POINTS, RegressionEvaluator
from models.evaluation.segmentation import SegmentationEvaluator
from models.tasks import Classification, Regression, Segmentation


def test_another_versions_classes_are_put_in_our_order() -> None:
    evaluator = ClassificationEvaluator(["a", "b", "c"], 1)
    answers = np.array([[0.1, 0.2, 0.7]])
    assert evaluator.fitted(answers, ["c", "a", "b"], np.array([0])).tolist() == [[0.2, 0.7, 0.1]]
    masks = np.array([[[0, 1], [2, 2]]], np.uint8)
    ours = SegmentationEvaluator(["a", "b", "c"], 4).fitted(masks, ["c", "a", "b"], masks)
    assert ours.tolist() == [[[2, 0], [1, 1]]]


def test_a_classification_has_curves_a_matrix_and_its_calibration() -> None:
    generator = np.random.default_rng(0)
    targets, answers = generator.integers(0, 3, 200), generator.dirichlet(np.ones(3), 200)
    labels = ["a", "b", "c"]
    scores = Classification.measure(targets, answers, labels, 1)
    examined = ClassificationEvaluator(labels, 1).examine(targets, answers, scores, {"temperature": 2.0})
    assert set(examined.figures) == {"roc", "precision_recall", "confusion_matrix", "calibration"}
    assert set(examined.curves["roc_curve"]) == set(examined.curves["precision_recall_curve"]) == set(labels)
    assert set(examined.curves["reliability"]) == {"before", "after"}
    calibration = examined.result["calibration"]
    assert calibration["temperature"] == 2.0
    assert calibration["before"]["log_loss"] == pytest.approx(scores["log_loss"])
    assert calibration["after"]["ece"] < calibration["before"]["ece"]
    without = ClassificationEvaluator(labels, 1).examine(targets, answers, scores, None)
    assert without.result["calibration"]["after"] is None
    json.dumps(examined.curves, allow_nan=False)


def test_of_very_many_classes_the_worst_are_shown() -> None:
    num_classes = 80
    targets = np.arange(800) % num_classes
    answers = np.full((800, num_classes), 0.001)
    answers[np.arange(800), np.where(targets < 5, (targets + 1) % 5, targets)] = 0.9
    labels = [f"class {k}" for k in range(num_classes)]
    scores = Classification.score(targets, answers, labels, 1)
    examined = ClassificationEvaluator(labels, 1).examine(targets, answers, scores, None)
    assert len(examined.curves["roc_curve"]) == MAX_CURVES
    matrix = examined.figures["confusion_matrix"]
    assert isinstance(matrix, HeatMap)
    assert len(matrix.labels) == MAX_CELLS
    for shown in (examined.curves["roc_curve"], matrix.labels):
        assert set(labels[:5]) <= set(shown)


def test_a_regression_has_its_predictions_and_residuals() -> None:
    truth = np.linspace(0, 10, 3 * MAX_POINTS)
    answers = truth + 1
    scores = Regression.measure(truth, answers, None, 1)
    evaluator = RegressionEvaluator([], 1)
    examined = evaluator.examine(truth, answers, scores, None)
    assert set(examined.figures) == {"predicted", "residuals"}
    points = examined.curves["predictions"]
    assert len(points["true"]) == len(points["predicted"]) == MAX_POINTS
    assert evaluator.describe(truth[0], answers[0]) == {"true": 0.0, "predicted": 1.0, "error": 1.0}
    assert evaluator.losses(truth, answers) == pytest.approx(np.ones(len(truth)))


def test_a_segmentation_has_the_overlap_of_its_classes_and_a_matrix_of_pixels() -> None:
    targets = np.array([[[0, 0], [1, 1]], [[0, 1], [0, 1]]], np.uint8)
    answers = np.array([[[0, 0], [1, 0]], [[0, 1], [0, 1]]], np.uint8)
    labels = ["ground", "cell"]
    evaluator = SegmentationEvaluator(labels, 4)
    examined = evaluator.examine(targets, answers, Segmentation.measure(targets, answers, labels, 4), None)
    assert examined.curves["confusion_matrix"] == [[4, 0], [1, 3]]
    assert set(examined.figures) == {"class_overlap", "confusion_matrix"}
    ground, cell = evaluator.outputs(answers)
    assert (ground.name, ground.values.tolist(), cell.values.tolist()) == ("share of ground", [0.75, 0.5], [0.25, 0.5])


def test_masks_of_another_size_are_fitted_to_the_true_ones() -> None:
    targets = np.zeros((1, 4, 4), np.uint8)
    fitted = SegmentationEvaluator(["a", "b"], 4).fitted(np.array([[[0, 1], [1, 1]]], np.uint8), ["a", "b"], targets)
    assert fitted.shape == (1, 4, 4)
    assert fitted[0, :2, :2].tolist() == [[0, 0], [0, 0]]


def test_masks_are_compared_image_by_image() -> None:
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 2, (40, 4, 4)).astype(np.uint8)
    good, bad = targets.copy(), targets.copy()
    good[:, 0, 0] ^= 1
    bad[:, :2] ^= 1
    evaluator = SegmentationEvaluator(["a", "b"], 16)
    found = evaluator.test(targets, good, bad)
    expected = stats.wilcoxon(evaluator.losses(targets, good) - evaluator.losses(targets, bad)).pvalue
    assert found["p_value"] == pytest.approx(expected)
    assert found["first_smaller"] == 40
