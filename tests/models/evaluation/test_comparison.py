"""Differences of two versions' metrics on the same rows, and how often their intervals hold the truth."""

import numpy as np
import pytest

from models.evaluation.classification import ClassificationEvaluator
from models.evaluation.comparison import chart, compare, verdict
from models.evaluation.regression import RegressionEvaluator
from models.metrics import Array, Scores
from models.tasks import Classification, Regression

LABELS = ["a", "b", "c"]
NAMES = ("new 2", "old 1")
CLASSES = ClassificationEvaluator(LABELS, 1)


def probabilities(generator: np.random.Generator, targets: Array, strength: float, shared: Array) -> Array:
    """Answers that lean to the truth, and to what another version was shown too."""
    logits = shared + generator.normal(size=shared.shape) * 0.5
    logits[np.arange(len(targets)), targets] += strength
    odds = np.exp(logits)
    scaled: Array = odds / odds.sum(axis=1, keepdims=True)
    return scaled


def pair(generator: np.random.Generator, count: int, strengths: tuple[float, float]) -> tuple[Array, Array, Array]:
    targets, shared = generator.integers(0, 3, count), generator.normal(size=(count, 3))
    first, second = (probabilities(generator, targets, strength, shared) for strength in strengths)
    return targets, first, second


def scored(targets: Array, answers: Array) -> tuple[Array, Scores]:
    return answers, Classification.score(targets, answers, LABELS, 1)


def test_a_better_version_is_said_to_be_better() -> None:
    targets, first, second = pair(np.random.default_rng(0), 500, (2.5, 1.5))
    compared = compare(CLASSES, targets, scored(targets, first), scored(targets, second))
    accuracy = compared["metrics"]["accuracy"]
    assert accuracy["difference"] == pytest.approx(accuracy["first"] - accuracy["second"])
    assert 0 < accuracy["interval"][0] < accuracy["difference"] < accuracy["interval"][1]
    assert compared["metrics"]["log_loss"]["interval"][1] < 0
    said = verdict(compared, "accuracy", NAMES)
    assert said["better"] == "first"
    assert said["detail"].startswith("new 2 (first) is better than old 1 (second): accuracy is")
    assert "only the first gets right" in said["detail"]
    assert "(McNemar, p = " in said["detail"]
    turned = compare(CLASSES, targets, scored(targets, second), scored(targets, first))
    assert verdict(turned, "accuracy", NAMES)["better"] == "second"


def test_every_metric_that_is_one_number_is_compared_with_an_interval() -> None:
    targets, first, second = pair(np.random.default_rng(1), 200, (2.0, 1.5))
    compared = compare(CLASSES, targets, scored(targets, first), scored(targets, second))
    single = {name for name, value in scored(targets, first)[1].items() if isinstance(value, float)}
    assert set(compared["metrics"]) == single
    assert all(each["interval"] is not None for each in compared["metrics"].values())


def test_intervals_of_differences_hold_the_truth() -> None:
    targets, first, second = pair(np.random.default_rng(2), 100_000, (2.0, 1.5))
    one, other = scored(targets, first)[1], scored(targets, second)[1]
    generator, held, runs = np.random.default_rng(3), dict.fromkeys(("accuracy", "log_loss", "roc_auc"), 0), 50
    for _ in range(runs):
        targets, first, second = pair(generator, 250, (2.0, 1.5))
        found = compare(CLASSES, targets, scored(targets, first), scored(targets, second))["metrics"]
        for name in held:
            low, high = found[name]["interval"]
            held[name] += low <= one[name] - other[name] <= high
    for name, count in held.items():
        assert count / runs >= 0.86, name


def test_a_version_beside_itself_shows_no_difference() -> None:
    targets, first, _ = pair(np.random.default_rng(4), 100, (2.0, 2.0))
    compared = compare(CLASSES, targets, scored(targets, first), scored(targets, first))
    assert all(each["interval"] == [0.0, 0.0] for each in compared["metrics"].values())
    assert verdict(compared, "accuracy", NAMES)["better"] == "neither"


def test_numbers_are_compared_by_their_errors() -> None:
    generator = np.random.default_rng(5)
    truth = generator.normal(size=200)
    first, second = (truth + noise * generator.normal(size=200) for noise in (0.3, 0.6))
    evaluator = RegressionEvaluator([], 2)
    pairs = [(answers, Regression.score(truth, answers, None, 2)) for answers in (first, second)]
    compared = compare(evaluator, truth, *pairs)
    assert compared["metrics"]["mae"]["interval"][1] < 0 < compared["metrics"]["r2"]["interval"][0]
    assert compared["test"]["name"] == "wilcoxon"
    assert verdict(compared, "r2", NAMES)["better"] == "first"
    (series,) = chart(compared, NAMES).series
    assert list(series.y) == ["r2", "adjusted_r2"]  # what is in the target's units would flatten the rest


def test_a_metric_that_is_not_defined_is_left_out() -> None:
    targets = np.ones(30, np.int64)
    answers = np.random.default_rng(6).dirichlet(np.ones(3), 30)
    compared = compare(CLASSES, targets, scored(targets, answers), scored(targets, answers))
    assert "roc_auc" not in compared["metrics"]
    constant = np.ones(30)
    pairs = [(answers[:, 0], Regression.score(constant, answers[:, 0], None, 1))] * 2
    compared = compare(RegressionEvaluator([], 1), constant, *pairs)
    assert verdict(compared, "r2", NAMES)["better"] == "neither"
