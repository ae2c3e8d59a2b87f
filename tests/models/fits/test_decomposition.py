import numpy as np
import pytest

from models.fits.decomposition import squared_error, zero_one_loss


def test_bias_and_variance_add_up_to_the_squared_error() -> None:
    generator = np.random.default_rng(0)
    targets = generator.normal(size=50)
    answers = [targets + generator.normal(size=50) for _ in range(7)]
    parts = squared_error(targets, answers)
    np.testing.assert_allclose(parts["error"], parts["bias_squared"] + parts["variance"], rtol=1e-12)
    np.testing.assert_allclose(parts["error"], np.mean([(each - targets) ** 2 for each in answers], axis=0))


def test_bias_and_variance_make_up_the_zero_one_loss() -> None:
    """Against Domingos' formulas, written out row by row."""
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 4, 60)
    answers = [generator.dirichlet(np.ones(4), 60) for _ in range(9)]
    parts = zero_one_loss(targets, answers)
    total = parts["bias"] + parts["variance_unbiased"] - parts["variance_biased"]
    np.testing.assert_allclose(parts["error"], total, rtol=0, atol=1e-12)
    votes = np.stack([each.argmax(axis=1) for each in answers])
    for row, target in enumerate(targets):
        counts = np.bincount(votes[:, row], minlength=4)
        main = counts.argmax()
        others = votes[:, row][votes[:, row] != main]
        assert parts["bias"][row] == (main != target)
        assert parts["variance"][row] == pytest.approx(len(others) / 9)
        factor = 1.0 if main == target else -(others == target).mean() if len(others) else 0.0
        assert parts["error"][row] == pytest.approx(parts["bias"][row] + factor * parts["variance"][row])
