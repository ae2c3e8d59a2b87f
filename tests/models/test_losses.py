from math import exp, log
from typing import Any

import pytest
import torch
from torch import nn

from models.settings import training_settings


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
