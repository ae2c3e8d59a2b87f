import numpy as np
import pytest
from scipy.linalg import sqrtm

from models.metrics.classification import class_frequencies
from models.metrics.generation import classes_found, diversity, frechet_distance

RANDOM = np.random.default_rng(0)


def test_frechet_is_the_formula_with_the_matrix_root() -> None:
    a = RANDOM.normal(size=(300, 6)) @ RANDOM.normal(size=(6, 6))
    b = RANDOM.normal(size=(200, 6)) * 2 + 1
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    shift = a.mean(axis=0) - b.mean(axis=0)
    expected = shift @ shift + np.trace(cov_a + cov_b - 2 * sqrtm(cov_a @ cov_b).real)
    assert frechet_distance(a, b) == pytest.approx(expected)
    assert frechet_distance(b, a) == pytest.approx(expected)


def test_frechet_of_normal_distributions_that_are_known() -> None:
    """Along one axis it is (μ_a - μ_b)² + (σ_a - σ_b)²."""
    x = RANDOM.normal(size=(100_000, 1))
    assert frechet_distance(x, 3 * x + 2) == pytest.approx(2**2 + 2**2, rel=0.02)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_frechet_bears_features_that_are_always_the_same() -> None:
    a = np.hstack([RANDOM.normal(size=(50, 2)), np.zeros((50, 3))])
    assert frechet_distance(a, a + 1) == pytest.approx(5)


def test_a_class_is_found_at_a_tenth_of_its_rate() -> None:
    real = class_frequencies(np.repeat([0, 1, 3], [50, 40, 10]), 4)
    np.testing.assert_allclose(real, [0.5, 0.4, 0, 0.1])
    assert classes_found(np.array([0.88, 0.03, 0.06, 0.03]), real) == 2
    assert classes_found(real, real) == 3


def test_diversity_is_one_for_the_data_and_nothing_for_one_example() -> None:
    real = RANDOM.normal(size=(400, 1, 3, 3))
    assert diversity(RANDOM.normal(size=(300, 1, 3, 3)), real) == pytest.approx(1, rel=0.05)
    assert diversity(np.repeat(real[:1], 20, axis=0), real) == 0


def test_data_that_is_always_the_same_is_no_measure_of_diversity() -> None:
    assert np.isnan(diversity(RANDOM.normal(size=(20, 3)), np.ones((20, 3))))


def test_with_labels_it_is_within_a_class() -> None:
    """A generator that obeys the label and nothing else is diverse only as long as nobody looks at the labels."""
    labels = np.arange(200) % 4
    real = labels[:, None] * 10 + RANDOM.normal(size=(200, 5))
    obedient = labels[:, None] * 10.0 + np.zeros((200, 5))
    assert diversity(obedient, real) > 0.9
    assert diversity(obedient, real, (labels, labels)) == 0
