"""Areas under curves beside scikit-learn's, and the influences of rows beside what a little more of a row does."""

import numpy as np
import pytest
from sklearn import metrics

from models.metrics import Array
from models.metrics.intervals import deviation_of
from models.metrics.ranking import rank_classes


def rows(generator: np.random.Generator, count: int = 300, *, digits: int = 2) -> tuple[Array, Array]:
    """Rows of four classes; so few digits that many probabilities are equal."""
    targets = generator.integers(0, 4, count)
    probabilities = generator.dirichlet(np.ones(4), count)
    probabilities[np.arange(count), targets] += 0.2
    return targets, probabilities.round(digits)


def test_areas_are_scikit_learns_also_where_probabilities_are_equal() -> None:
    targets, probabilities = rows(np.random.default_rng(0))
    ranking = rank_classes(targets, probabilities)
    for k in range(4):
        is_class, scores = targets == k, probabilities[:, k]
        assert ranking.roc_auc[k] == pytest.approx(metrics.roc_auc_score(is_class, scores))
        assert ranking.average_precision[k] == pytest.approx(metrics.average_precision_score(is_class, scores))


def test_an_influence_is_what_a_little_more_of_a_row_does() -> None:
    targets, probabilities = rows(np.random.default_rng(1))
    ranking = rank_classes(targets, probabilities)
    scorers = {"roc_auc": metrics.roc_auc_score, "average_precision": metrics.average_precision_score}
    for name, score in scorers.items():
        for row in (0, 17, 205):
            weights = np.ones(len(targets))
            weights[row] += 1e-4
            weighted = np.mean([score(targets == k, probabilities[:, k], sample_weight=weights) for k in range(4)])
            slope = (weighted - ranking.means[name]) / 1e-4 * len(targets)
            assert ranking.influences[name][row] == pytest.approx(slope, abs=1e-3)


def test_influences_give_the_deviation_that_other_samples_show() -> None:
    generator = np.random.default_rng(2)
    samples = [rank_classes(*rows(generator, digits=9)) for _ in range(300)]
    for name in ("roc_auc", "average_precision"):
        seen = np.std([sample.means[name] for sample in samples])
        foretold = np.mean([deviation_of(sample.influences[name]) for sample in samples])
        assert foretold == pytest.approx(seen, rel=0.1)


def test_a_class_without_rows_or_with_nothing_but_has_no_area() -> None:
    ranking = rank_classes(np.array([0, 1, 1]), np.eye(3)[[0, 1, 1]])
    assert ranking.roc_auc.tolist()[:2] == [1.0, 1.0]
    assert np.isnan(ranking.roc_auc[2])
    assert rank_classes(np.array([1, 1]), np.eye(2)[[0, 1]]).means == {}
