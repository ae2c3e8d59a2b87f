from math import exp, log
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import expit
from torch import nn

from models.errors import JobError
from models.losses import LOSSES
from models.training.settings import training_settings


def loss(**options: Any) -> nn.Module:
    chosen = training_settings({"loss": options}).loss
    assert chosen is not None
    return chosen.build()


def test_cross_entropy_is_minus_the_log_of_the_true_class() -> None:
    logits = torch.tensor([[2.0, 0.0, 1.0]])
    expected = -log(exp(2) / (exp(2) + 1 + exp(1)))
    assert float(loss(name="cross_entropy")(logits, torch.tensor([0]))) == pytest.approx(expected)


def test_label_smoothing_spreads_the_target() -> None:
    logits = torch.tensor([[2.0, 0.0, 1.0]])
    log_probabilities = logits.log_softmax(1)[0]
    expected = -(0.8 * log_probabilities[0] + 0.1 * log_probabilities[1] + 0.1 * log_probabilities[2])
    smoothed = loss(name="cross_entropy", label_smoothing=0.3)(logits, torch.tensor([0]))
    torch.testing.assert_close(smoothed, expected)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"name": "mse"}, (0.25 + 9.0) / 2),
        ({"name": "mae"}, (0.5 + 3.0) / 2),
        ({"name": "huber", "delta": 1.0}, (0.125 + 2.5) / 2),
        ({"name": "huber", "delta": 2.0}, (0.125 + 4.0) / 2),
    ],
)
def test_losses_of_a_regression_are_means_of_their_formulas(options: dict[str, Any], expected: float) -> None:
    value = loss(**options)(torch.tensor([0.5, 3.0]), torch.tensor([0.0, 0.0]))
    assert float(value) == pytest.approx(expected)


def test_binary_cross_entropy_is_minus_the_log_likelihood_of_a_coin_for_each_class() -> None:
    logits = np.array([[2.0, -1.0, 0.5], [-3.0, 0.0, 4.0], [0.1, 0.2, 0.3]])
    classes = np.array([0, 2, 1])
    likelihoods = stats.bernoulli.logpmf(np.eye(3, dtype=int)[classes], expit(logits)).sum(axis=1)
    value = loss(name="binary_cross_entropy")(torch.tensor(logits), torch.tensor(classes))
    assert float(value) == pytest.approx(-likelihoods.mean())


def test_binary_cross_entropy_of_two_classes_is_two_logistic_regressions() -> None:
    logits, classes = torch.tensor([[1.5, -0.5], [0.2, 0.7]]), torch.tensor([1, 0])
    each = [
        nn.functional.binary_cross_entropy_with_logits(logits[:, k], (classes == k).float(), reduction="mean")
        for k in (0, 1)
    ]
    torch.testing.assert_close(loss(name="binary_cross_entropy")(logits, classes), each[0] + each[1])


def test_binary_cross_entropy_of_huge_logits_is_finite() -> None:
    value = loss(name="binary_cross_entropy")(torch.tensor([[1e4, -1e4]]), torch.tensor([1]))
    assert float(value) == pytest.approx(2e4)


def test_poisson_is_minus_the_log_likelihood_of_the_counts() -> None:
    log_rates, counts = np.array([0.3, -1.0, 2.5, 1.0]), np.array([1, 0, 20, 7])
    expected = -stats.poisson.logpmf(counts, np.exp(log_rates)).mean()
    value = loss(name="poisson")(torch.tensor(log_rates), torch.tensor(counts, dtype=torch.float64))
    assert float(value) == pytest.approx(expected)


def test_negative_targets_are_no_counts() -> None:
    (poisson,) = (options for options in LOSSES if options.__name__ == "Poisson")
    poisson(name="poisson").require_suitable(torch.tensor([0.0, 2.5]))
    with pytest.raises(JobError, match="least target is -1"):
        poisson(name="poisson").require_suitable(torch.tensor([0.0, -1.0]))


@pytest.mark.parametrize("options", LOSSES)
def test_every_loss_has_a_head(options: Any) -> None:
    head = options(name=options.model_json_schema()["properties"]["name"]["const"]).fit_head(torch.arange(3.0), 3)
    assert isinstance(head, nn.Module)


def test_balanced_weights_let_all_classes_count_alike() -> None:
    targets = torch.tensor([0] * 6 + [1] * 2 + [2])
    chosen = training_settings({"loss": {"name": "cross_entropy", "class_weights": "balanced"}}).loss
    assert chosen is not None
    logits = torch.randn(9, 3, generator=torch.Generator().manual_seed(0))
    each = -logits.log_softmax(dim=1)[torch.arange(9), targets]
    expected = sum(each[targets == label].mean() for label in range(3)) / 3
    torch.testing.assert_close(chosen.fit(targets, 3)(logits, targets), expected)
    torch.testing.assert_close(chosen.fit(torch.cat([targets, torch.tensor([-1])]), 3)(logits, targets), expected)
