import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from models.metrics import Array
from models.metrics.classification import classification_scores, precision_recall_curves, roc_curves

LABELS = ["no", "yes"]


def worked_example() -> tuple[Array, Array]:
    """Targets and probabilities with the confusion matrix [[50, 10], [5, 100]]."""
    targets = np.repeat([0, 0, 1, 1], [50, 10, 5, 100])
    predicted = np.repeat([0, 1, 0, 1], [50, 10, 5, 100])
    return targets, np.where(np.eye(2)[predicted] == 1, 0.9, 0.1)


def test_the_worked_example_of_unit_iv() -> None:
    scores = classification_scores(*worked_example(), LABELS)
    yes = scores["per_class"][1]
    assert scores["confusion_matrix"] == [[50, 10], [5, 100]]
    assert scores["accuracy"] == pytest.approx(0.909, abs=5e-4)
    assert yes["precision"] == pytest.approx(0.909, abs=5e-4)
    assert yes["recall"] == pytest.approx(0.952, abs=5e-4)
    assert yes["f1"] == pytest.approx(0.930, abs=5e-4)


def test_averages_areas_and_log_loss_are_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 4, 200)
    probabilities = generator.dirichlet(np.ones(4), 200)
    scores = classification_scores(targets, probabilities, list("abcd"))
    predicted = probabilities.argmax(axis=1)
    for average in ("macro", "weighted"):
        expected = sklearn_metrics.precision_recall_fscore_support(targets, predicted, average=average)
        found = [scores[f"{name}_{average}"] for name in ("precision", "recall", "f1")]
        assert found == pytest.approx(expected[:3])
    assert scores["roc_auc"] == pytest.approx(sklearn_metrics.roc_auc_score(targets, probabilities, multi_class="ovr"))
    assert scores["log_loss"] == pytest.approx(sklearn_metrics.log_loss(targets, probabilities))
    assert scores["balanced_accuracy"] == pytest.approx(sklearn_metrics.balanced_accuracy_score(targets, predicted))
    mean_precision = sklearn_metrics.average_precision_score(np.eye(4)[targets], probabilities, average="macro")
    assert scores["average_precision"] == pytest.approx(mean_precision)


@pytest.mark.parametrize("num_classes", [2, 4])
def test_the_brier_score_is_scikit_learns(num_classes: int) -> None:
    generator = np.random.default_rng(0)
    targets = generator.integers(0, num_classes, 100)
    probabilities = generator.dirichlet(np.ones(num_classes), 100)
    expected = sklearn_metrics.brier_score_loss(
        targets, probabilities[:, 1] if num_classes == 2 else probabilities, labels=np.arange(num_classes)
    )
    scores = classification_scores(targets, probabilities, list("abcd")[:num_classes])
    assert scores["brier_score"] == pytest.approx(expected)


def test_a_class_without_rows_has_no_area_and_spoils_no_other() -> None:
    scores = classification_scores(np.array([0, 1, 1]), np.eye(3)[[0, 1, 1]], ["a", "b", "c"])
    assert [row["roc_auc"] for row in scores["per_class"]] == [1.0, 1.0, None]
    assert scores["roc_auc"] == 1.0
    assert scores["per_class"][2]["support"] == 0
    assert scores["balanced_accuracy"] == 1.0


def test_a_class_that_is_neither_there_nor_predicted_is_left_out_of_means() -> None:
    scores = classification_scores(np.array([0, 1, 1]), np.eye(3)[[0, 1, 1]], ["a", "b", "c"])
    assert [scores[f"{name}_macro"] for name in ("precision", "recall", "f1")] == [1.0, 1.0, 1.0]
    assert [scores["per_class"][2][name] for name in ("precision", "recall", "f1")] == [None, None, None]
    targets, predicted = np.array([0, 1, 1, 0]), np.array([0, 2, 1, 0])
    scores = classification_scores(targets, np.eye(4)[predicted], list("abcd"))
    expected = sklearn_metrics.precision_recall_fscore_support(targets, predicted, average="macro", zero_division=0)
    assert [scores[f"{name}_macro"] for name in ("precision", "recall", "f1")] == pytest.approx(expected[:3])


def test_rows_of_one_class_only_have_no_area() -> None:
    scores = classification_scores(np.array([1, 1]), np.eye(2)[[1, 0]], LABELS)
    assert scores["roc_auc"] is None
    assert scores["accuracy"] == 0.5


def test_roc_curves_are_thinned_and_keep_their_ends() -> None:
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 2, 2000)
    probability = generator.random(2000)
    curves = roc_curves(targets, np.stack([1 - probability, probability], axis=1), LABELS, max_points=50)
    assert set(curves) == set(LABELS)
    curve = curves["yes"]
    assert len(curve["fpr"]) == len(curve["tpr"]) == len(curve["threshold"]) <= 50
    assert (curve["fpr"][0], curve["tpr"][0]) == (0.0, 0.0)
    assert (curve["fpr"][-1], curve["tpr"][-1]) == (1.0, 1.0)
    assert max(curve["threshold"]) <= 1.0


def test_a_precision_recall_curve_begins_with_all_rows_and_ends_with_none() -> None:
    targets, probabilities = worked_example()
    curve = precision_recall_curves(targets, probabilities, LABELS)["yes"]
    assert (curve["recall"][0], curve["precision"][0]) == (1.0, pytest.approx(105 / 165))
    assert (curve["recall"][-1], curve["precision"][-1], curve["threshold"][-1]) == (0.0, 1.0, 1.0)
    assert (curve["recall"][1], curve["precision"][1]) == (pytest.approx(100 / 105), pytest.approx(100 / 110))
