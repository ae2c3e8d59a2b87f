"""Synthetic data sets have the moments of the distributions that they are said to be drawn from.

Every bound is five standard errors of what is measured: sampling alone does not cross it.
"""

from functools import cache

import numpy as np
import pytest
from scipy import stats

from models.metrics import Array
from models.readers import builtin, synthetic
from tests.models.readers.builders import Ingested, ingest

ERRORS = 5.0


@cache
def read(name: str) -> Ingested:
    return ingest(None, "builtin", builtin=name)


def assert_mean(values: Array, mean: float) -> None:
    assert values.mean() == pytest.approx(mean, abs=ERRORS * values.std() / len(values) ** 0.5)


@pytest.mark.parametrize("name", builtin.NAMES)
def test_every_built_in_data_set_is_small_and_the_same_each_time(name: str) -> None:
    first, second = read(name), ingest(None, "builtin", builtin=name)
    assert first.manifest["digest"] == second.manifest["digest"]
    assert first.manifest["bytes"] < 5_000_000
    assert (first.manifest["task"] in ("classification", "segmentation")) == (first.manifest["classes"] is not None)


def test_the_noise_of_the_polynomial_is_normal() -> None:
    polynomial = read("polynomial")
    assert polynomial.counts == {"train": 100, "test": 1000}
    x, y = polynomial.inputs("test")[:, 0].astype(np.float64), polynomial.targets("test").astype(np.float64)
    noise = y - (4 * x**3 - 3 * x)
    assert_mean(noise, 0.0)
    assert_mean(noise**2, 0.3**2)
    assert stats.kstest(noise, "norm", (0, 0.3)).pvalue > 0.01
    assert stats.kstest(x, "uniform", (-1, 2)).pvalue > 0.01


def test_circles_have_their_radii() -> None:
    circles = read("circles")
    radii = np.hypot(*circles.inputs().T.astype(np.float64))
    # The mean of the square of the radius is that of the circle, and the noise's variance along both axes.
    for k, radius in enumerate((1.0, 0.5)):
        assert_mean(radii[circles.targets() == k] ** 2, radius**2 + 2 * 0.1**2)


def test_moons_are_half_circles() -> None:
    moons = read("moons")
    x, y = moons.inputs().T.astype(np.float64)
    upper = moons.targets() == 0
    assert_mean(x[upper] ** 2 + y[upper] ** 2, 1 + 2 * 0.2**2)
    assert_mean((x[~upper] - 1) ** 2 + (y[~upper] - 0.5) ** 2, 1 + 2 * 0.2**2)


def test_blobs_are_round_about_their_centres() -> None:
    blobs = read("blobs")
    rows, targets = blobs.inputs().astype(np.float64), blobs.targets()
    for k, centre in enumerate(synthetic.BLOB_CENTRES):
        for axis in (0, 1):
            assert_mean(rows[targets == k, axis], centre[axis])
            assert_mean((rows[targets == k, axis] - centre[axis]) ** 2, 1.0)


def test_the_mixture_has_its_weights_means_and_covariances() -> None:
    mixture = read("mixture")
    rows, targets = mixture.inputs().astype(np.float64), mixture.targets()
    for k, covariance in enumerate(synthetic.MIXTURE_COVARIANCES):
        assert_mean((targets == k).astype(float), synthetic.MIXTURE_WEIGHTS[k])
        away = rows[targets == k] - synthetic.MIXTURE_MEANS[k]
        for i in (0, 1):
            assert_mean(away[:, i], 0.0)
            for j in (0, 1):
                assert_mean(away[:, i] * away[:, j], covariance[i, j])


@pytest.mark.parametrize(
    ("name", "skewness", "kurtosis"),
    [
        ("normal", 0.0, 3.0),
        ("uniform", 0.0, 1.8),
        ("laplace", 0.0, 6.0),
        ("exponential", 2.0, 9.0),
        ("bernoulli", 0.0, 1.0),
        ("poisson", 1.0, 4.0),
    ],
)
def test_distributions_differ_in_their_third_and_fourth_moments_alone(
    name: str, skewness: float, kurtosis: float
) -> None:
    distributions = read("distributions")
    k = distributions.manifest["classes"].index(name)
    values = distributions.inputs()[distributions.targets() == k].ravel().astype(np.float64)
    for power, moment in enumerate((0.0, 1.0, skewness, kurtosis), 1):
        assert_mean(values**power, moment)


def test_counts_are_poisson_given_their_row() -> None:
    counts = read("counts")
    rows, targets = counts.inputs().astype(np.float64), counts.targets().astype(np.float64)
    rates = np.exp(synthetic.COUNT_INTERCEPT + rows @ synthetic.COUNT_COEFFICIENTS)
    assert (targets >= 0).all()
    assert (targets == targets.round()).all()
    assert_mean(targets - rates, 0.0)
    assert_mean((targets - rates) ** 2 / rates, 1.0)
    # The mean of a log-normal rate.
    assert_mean(targets, float(np.exp(synthetic.COUNT_INTERCEPT + (synthetic.COUNT_COEFFICIENTS**2).sum() / 2)))


def test_shapes_are_brighter_than_their_ground_and_of_their_area() -> None:
    shapes = read("shapes")
    assert shapes.manifest["input"] == {"name": "image", "dtype": "uint8", "shape": [1, 28, 28]}
    assert shapes.manifest["class_counts"] == {"train": [500, 500, 500, 500]}
    images, targets = shapes.inputs()[:, 0].astype(np.float64), shapes.targets()
    ground = np.median(images, axis=(1, 2), keepdims=True)
    covered = (images > ground + 35).sum(axis=(1, 2))
    # The areas at size 1, times the mean square of the sizes, which are uniform from 5 to 9.
    areas = {"circle": np.pi, "square": 4 * 0.85**2, "triangle": 3 * 3**0.5 * 0.6**2, "cross": 2 * 1.2 - 0.36}
    for k, name in enumerate(shapes.manifest["classes"]):
        assert covered[targets == k].mean() == pytest.approx(areas[name] * (49 + 16 / 12), rel=0.1)
