import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import expit, softmax
from torch import Tensor

from models.losses.values import Bernoulli, Categorical, LearnedGaussian, ValueLoss, value_loss

RANDOM = np.random.default_rng(0)
SHAPE = (4, 1, 3, 5)
"""Of four images."""
EVERY = [
    ("mse", None),
    ("mae", None),
    ("bernoulli", None),
    ("gaussian", None),
    ("gaussian", 0.3),
    ("categorical", None),
]


def outputs_of(loss: ValueLoss) -> Tensor:
    return torch.from_numpy(RANDOM.normal(size=(4, loss.num_outputs, *SHAPE[1:])).astype(np.float32))


def test_bernoulli_is_minus_the_log_likelihood_of_black_and_white_pixels() -> None:
    loss = Bernoulli(bounded=True)
    outputs, x = outputs_of(loss), torch.from_numpy(RANDOM.integers(0, 2, SHAPE).astype(np.float32))
    expected = -stats.bernoulli.logpmf(x.numpy(), expit(outputs.numpy()[:, 0])).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(loss.each(outputs, x), expected, rtol=1e-5)
    np.testing.assert_allclose(loss(outputs), expit(outputs.numpy()[:, 0]), rtol=1e-5)


def test_of_grey_pixels_bernoulli_is_the_cross_entropy() -> None:
    loss = Bernoulli(bounded=True)
    outputs, x = outputs_of(loss), torch.from_numpy(RANDOM.uniform(size=SHAPE).astype(np.float32))
    p = expit(outputs.numpy()[:, 0])
    grey = x.numpy()
    expected = -(grey * np.log(p) + (1 - grey) * np.log(1 - p)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(loss.each(outputs, x), expected, rtol=1e-5)


def test_bernoulli_of_huge_logits_is_finite() -> None:
    huge = torch.full((1, 1, 2), 1e4) * torch.tensor([1.0, -1.0])
    assert float(Bernoulli(bounded=True).each(huge, torch.tensor([[0.0, 1.0]]))) == pytest.approx(2e4)


def test_a_gaussian_of_given_deviation_is_minus_its_log_density() -> None:
    loss = value_loss("gaussian", 0.3, bounded=False)
    outputs, x = outputs_of(loss), torch.from_numpy(RANDOM.normal(size=SHAPE).astype(np.float32))
    expected = -stats.norm.logpdf(x.numpy(), outputs.numpy()[:, 0], 0.3).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(loss.each(outputs, x), expected, rtol=1e-5)
    np.testing.assert_array_equal(loss(outputs), outputs[:, 0])


def test_a_learned_deviation_is_the_second_output() -> None:
    loss = value_loss("gaussian", None, bounded=False)
    assert isinstance(loss, LearnedGaussian)
    outputs, x = outputs_of(loss), torch.from_numpy(RANDOM.normal(size=SHAPE).astype(np.float32))
    expected = -stats.norm.logpdf(x.numpy(), outputs[:, 0].numpy(), np.exp(outputs[:, 1].numpy()))
    np.testing.assert_allclose(loss.each(outputs, x), expected.sum(axis=(1, 2, 3)), rtol=1e-5)


def test_a_value_that_never_changes_is_not_infinitely_likely() -> None:
    outputs = torch.stack([torch.zeros(1, 3), torch.full((1, 3), -100.0)], dim=1)
    assert value_loss("gaussian", None, bounded=True).each(outputs, torch.zeros(1, 3)).isfinite()


def test_categorical_is_minus_the_log_of_the_right_grey_level() -> None:
    loss = Categorical(bounded=True)
    outputs, levels = outputs_of(loss), RANDOM.integers(0, 256, SHAPE)
    probabilities = softmax(outputs.numpy().astype(np.float64), axis=1)
    chosen = np.take_along_axis(probabilities, levels[:, None], axis=1)[:, 0]
    found = loss.each(outputs, torch.from_numpy(levels / 255.0).float())
    np.testing.assert_allclose(found, -np.log(chosen).sum(axis=(1, 2, 3)), rtol=1e-5)
    mean = (probabilities * np.arange(256).reshape(1, -1, 1, 1, 1)).sum(axis=1) / 255
    np.testing.assert_allclose(loss(outputs), mean, atol=1e-5)


@pytest.mark.parametrize(("name", "power"), [("mse", 2), ("mae", 1)])
def test_errors_are_means_over_the_values(name: str, power: int) -> None:
    loss = value_loss(name, None, bounded=False)  # type: ignore[arg-type]
    outputs, x = outputs_of(loss), torch.zeros(SHAPE)
    expected = np.abs(outputs.numpy()) ** power
    np.testing.assert_allclose(loss.each(outputs, x), expected.mean(axis=(1, 2, 3, 4)), rtol=1e-5)


@pytest.mark.parametrize(("name", "std"), EVERY)
def test_answers_for_images_are_within_bounds_and_losses_are_for_each_example(name: str, std: float | None) -> None:
    loss = value_loss(name, std, bounded=True)  # type: ignore[arg-type]
    outputs = 10 * outputs_of(loss)
    values = loss(outputs)
    assert values.shape == SHAPE
    assert values.min() >= 0
    assert values.max() <= 1
    assert loss.each(outputs, torch.rand(SHAPE)).shape == (4,)
