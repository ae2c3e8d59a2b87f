import numpy as np
import pytest

from models.diagnosis.confident import residuals, suspects


def test_the_confident_joint_of_a_worked_example() -> None:
    """Thresholds are 0.75 for class 0 and 0.7 for class 1: the third row, labelled 0, counts for class 1."""
    labels = np.array([0, 0, 0, 1, 1, 1])
    of_class_1 = np.array([0.1, 0.2, 0.9, 0.8, 0.7, 0.6])
    probabilities = np.stack([1 - of_class_1, of_class_1], axis=1)
    probabilities[2] = [0.1, 0.9]
    found = suspects(labels, probabilities)
    assert found.rows.tolist() == [2]
    assert found.likely.tolist() == [1]
    assert found.noise == pytest.approx(3 * (1 / 3) / 6)


def test_the_least_believable_label_comes_first() -> None:
    labels = np.array([0] * 10 + [1] * 10)
    of_class_1 = np.where(labels == 1, 0.9, 0.1)
    of_class_1[[3, 5]] = [0.95, 0.99]
    found = suspects(labels, np.stack([1 - of_class_1, of_class_1], axis=1))
    assert found.rows.tolist() == [5, 3]


def test_flipped_labels_of_separate_classes_are_all_found_and_no_others() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 4, 1000)
    flipped = generator.random(1000) < 0.1
    labels = np.where(flipped, (truth + generator.integers(1, 4, 1000)) % 4, truth)
    probabilities = generator.dirichlet(np.ones(4), 1000) * 0.3 + 0.7 * np.eye(4)[truth]
    found = suspects(labels, probabilities)
    hits = np.isin(found.rows, np.flatnonzero(flipped))
    assert hits.mean() > 0.99
    assert hits.sum() > 0.97 * flipped.sum()
    assert found.noise == pytest.approx(flipped.mean(), abs=0.01)
    assert (found.likely == truth[found.rows]).mean() > 0.99


def test_a_class_without_rows_is_nobodys_likely_class() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.3, 0.1, 0.6]] * 2 + [[0.1, 0.3, 0.6]] * 2)
    assert suspects(labels, probabilities).rows.tolist() == []


def test_one_outlier_does_not_hide_behind_the_deviation_that_it_makes() -> None:
    errors = np.random.default_rng(0).normal(size=200)
    errors[17] = 40.0
    standardised = residuals(5 + errors, np.full(200, 5.0))
    assert np.flatnonzero(np.abs(standardised) > 4).tolist() == [17]
    assert standardised[17] > 30
