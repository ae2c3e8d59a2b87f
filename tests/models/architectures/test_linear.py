import numpy as np
import pytest
import torch
from numpy.polynomial import polynomial

from models import registry
from models.architectures.linear import polynomials


def test_the_first_degree_is_the_feature_itself() -> None:
    rows = torch.randn(5, 3)
    assert torch.equal(polynomials(rows, 1), rows)


@pytest.mark.parametrize("degree", [2, 5, 12])
def test_the_features_span_the_powers(degree: int) -> None:
    x = np.linspace(-1.7, 1.7, 60)
    features = polynomials(torch.from_numpy(x)[:, None], degree).numpy()
    design = np.column_stack([np.ones_like(x), features])
    powers = polynomial.polyvander(x, degree)
    residual = powers - design @ np.linalg.lstsq(design, powers, rcond=None)[0]
    assert np.abs(residual).max() < 1e-8 * np.abs(powers).max()


def test_they_are_orthonormal_for_a_uniform_feature() -> None:
    """Of mean 0 and deviation 1, so from -√3 to √3; integrals by the midpoint rule."""
    count = 100_000
    x = ((np.arange(count) + 0.5) / count * 2 - 1) * np.sqrt(3)
    features = polynomials(torch.from_numpy(x)[:, None], 8).numpy()
    np.testing.assert_allclose(features.T @ features / count, np.eye(8), atol=1e-6)


def test_each_feature_has_its_own_polynomials() -> None:
    rows = torch.randn(4, 3)
    together = polynomials(rows, 3)
    for column in range(3):
        alone = polynomials(rows[:, column : column + 1], 3)
        assert torch.equal(together[:, column::3], alone)


def test_the_degree_is_a_hyperparameter() -> None:
    network = registry.get("linear").configure({"degree": 4}).build((2,), 1)
    assert network(torch.randn(6, 2)).shape == (6, 1)
