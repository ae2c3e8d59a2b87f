"""Do 95 % intervals hold the truth 95 times in 100?"""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from models.metrics import Array
from models.metrics.classification import classification_scores
from models.metrics.intervals import (
    Z,
    classification_intervals,
    regression_intervals,
    segmentation_intervals,
    wilson,
)
from models.metrics.regression import regression_scores
from models.metrics.resampling import MAX_GROUPS
from models.metrics.segmentation import segmentation_scores
from models.tasks import Classification, Regression

LABELS = ["a", "b", "c"]
SIMULATIONS = 400
ROWS = 400


def classified(generator: np.random.Generator, count: int) -> tuple[Array, Array]:
    """A classifier that is right on three of four rows of three unequal classes."""
    targets = generator.choice(3, count, p=[0.5, 0.3, 0.2])
    logits = generator.normal(size=(count, 3))
    logits[np.arange(count), targets] += 1.5
    odds = np.exp(logits)
    return targets, odds / odds.sum(axis=1, keepdims=True)


def regressed(generator: np.random.Generator, count: int) -> tuple[Array, Array]:
    truth = generator.normal(size=count)
    return truth, 0.8 * truth + 0.5 * generator.normal(size=count)


def test_wilsons_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Exactly: over all numbers of successes, by their binomial probabilities."""
    for count in (20, 100, 1000):
        intervals = np.array([wilson(successes, count) for successes in range(count + 1)])
        coverages = []
        for probability in np.linspace(0.05, 0.95, 91):
            holds = (intervals[:, 0] <= probability) & (probability <= intervals[:, 1])
            coverages.append(stats.binom.pmf(np.arange(count + 1), count, probability)[holds].sum())
        assert 0.94 < np.mean(coverages) < 0.96
        assert min(coverages) > 0.90


def test_wilsons_interval_of_no_faults_is_no_certainty() -> None:
    low, _ = wilson(30, 30)
    assert wilson(30, 30) == pytest.approx([30 / (30 + Z**2), 1.0])
    assert wilson(0, 30) == pytest.approx([0.0, 1 - low])


def test_intervals_of_a_classification_hold_the_truth() -> None:
    truth = classification_scores(*classified(np.random.default_rng(1), 500_000), LABELS)
    generator, held = np.random.default_rng(2), Counter[str]()
    for _ in range(SIMULATIONS):
        for name, (low, high) in classification_intervals(*classified(generator, ROWS)).items():
            held[name] += low <= truth[name] <= high
    assert set(held) == {name for name, value in truth.items() if isinstance(value, float)}
    for name, count in held.items():
        assert 0.93 <= count / SIMULATIONS <= 0.97, name


def test_a_class_that_no_row_is_of_or_taken_for_changes_no_interval() -> None:
    targets, probabilities = classified(np.random.default_rng(0), ROWS)
    wider = np.column_stack([probabilities, np.zeros(ROWS)])
    assert classification_intervals(targets, wider) == classification_intervals(targets, probabilities)


def test_intervals_of_a_regression_hold_the_truth() -> None:
    truth = regression_scores(*regressed(np.random.default_rng(1), 1_000_000), num_inputs=3)
    generator, held = np.random.default_rng(3), Counter[str]()
    for _ in range(SIMULATIONS):
        for name, (low, high) in regression_intervals(*regressed(generator, ROWS), num_inputs=3).items():
            held[name] += low <= truth[name] <= high
    assert set(held) == set(truth)
    for name, count in held.items():
        assert 0.93 <= count / SIMULATIONS <= 0.97, name


def test_intervals_of_masks_are_those_of_their_images() -> None:
    """Pixels of an image stand or fall together: of a hundred images, each all right or all wrong, one in five."""
    targets = np.tile(np.array([[0, 0], [1, 1]], np.uint8), (100, 1, 1))
    masks = targets.copy()
    masks[::5] = 1 - masks[::5]
    low, high = segmentation_intervals(targets, masks, 2)["pixel_accuracy"]
    assert [low, high] == pytest.approx(wilson(80, 100), abs=0.03)
    scores, intervals = segmentation_scores(targets, masks, ["a", "b"]), segmentation_intervals(targets, masks, 2)
    assert set(intervals) == {name for name, value in scores.items() if isinstance(value, float)}
    assert all(low < scores[name] < high for name, (low, high) in intervals.items())


def test_the_same_rows_have_the_same_interval_and_more_rows_a_narrower_one() -> None:
    few, many = (regressed(np.random.default_rng(0), count) for count in (100, 10_000))
    first, second, narrow = (regression_intervals(*rows, num_inputs=1) for rows in (few, few, many))
    assert first == second
    for name, (low, high) in narrow.items():
        assert high - low == pytest.approx((first[name][1] - first[name][0]) / 10, rel=0.5)


def test_more_rows_than_can_be_drawn_one_by_one_are_drawn_in_groups() -> None:
    """As by the normal distribution, which is right for so many."""
    truth, values = regressed(np.random.default_rng(0), 5 * MAX_GROUPS + 3)
    errors = np.abs(truth - values)
    margin = Z * errors.std() / len(errors) ** 0.5
    low, high = regression_intervals(truth, values, num_inputs=1)["mae"]
    assert (low, high) == pytest.approx((errors.mean() - margin, errors.mean() + margin), abs=0.1 * margin)


def test_what_no_resample_changes_has_no_interval() -> None:
    perfect = Classification.measure(np.arange(90) % 3, np.eye(3)[np.arange(90) % 3], LABELS, num_inputs=1)
    assert set(perfect["intervals"]) == {"accuracy"}
    one_class = Classification.measure(np.array([1, 1]), np.eye(3)[[0, 1]], LABELS, num_inputs=1)
    assert "roc_auc" not in one_class["intervals"]
    constant = Regression.measure(np.ones(5), np.arange(5.0), None, num_inputs=1)
    assert set(constant["intervals"]) == {"mae", "mse", "rmse"}
    single = Regression.measure(np.ones(1), np.zeros(1), None, num_inputs=1)
    assert single["intervals"] == {}
