"""The losses against their formulas."""

import pytest
import torch
from torch import Tensor, nn

from models.adversarial.losses import NonSaturating, Wasserstein, gradient_penalty


def scores(values: list[float]) -> Tensor:
    return torch.tensor(values)


def as_they_are(x_N: Tensor) -> Tensor:
    """Examples that are their own scores."""
    return x_N


def test_the_discriminators_loss_is_the_cross_entropy_of_telling_both_kinds() -> None:
    real, drawn = scores([2.0, -1.0, 0.5]), scores([-3.0, 1.0, -0.1])
    measured = NonSaturating().discriminator(as_they_are, real, drawn)
    expected = -real.sigmoid().log().mean() - (1 - drawn.sigmoid()).log().mean()
    torch.testing.assert_close(measured["loss"], expected)
    assert measured["real_accuracy"] == pytest.approx(2 / 3)
    assert measured["drawn_accuracy"] == pytest.approx(2 / 3)


def test_smoothing_is_of_real_examples_alone() -> None:
    real, drawn = scores([2.0, -1.0]), scores([-3.0, 1.0])
    smoothed = NonSaturating(0.1).discriminator(as_they_are, real, drawn)["loss"]
    p = real.sigmoid()
    expected = -(0.9 * p.log() + 0.1 * (1 - p).log()).mean() - (1 - drawn.sigmoid()).log().mean()
    torch.testing.assert_close(smoothed, expected)


def test_a_generator_that_is_found_out_still_has_a_gradient() -> None:
    found_out = scores([-20.0]).requires_grad_()
    NonSaturating().generator(found_out).backward()  # type: ignore[no-untyped-call]
    assert found_out.grad is not None
    assert found_out.grad.item() == pytest.approx(-1.0)


def test_the_critics_loss_is_minus_the_distance_and_the_penalty() -> None:
    critic = nn.Linear(3, 1)
    real, drawn = torch.randn(64, 3) + 1, torch.randn(64, 3)

    def score(x: Tensor) -> Tensor:
        return critic(x).squeeze(1)  # type: ignore[no-any-return]

    measured = Wasserstein(10.0).discriminator(score, real, drawn)
    torch.testing.assert_close(measured["distance"], score(real).mean() - score(drawn).mean())
    torch.testing.assert_close(measured["loss"], 10 * measured["gradient_penalty"] - measured["distance"])
    torch.testing.assert_close(Wasserstein(10.0).generator(score(drawn)), -score(drawn).mean())


def test_the_penalty_is_of_the_slope_between_real_and_drawn() -> None:
    """s(x) = ½‖x‖² has the slope ‖x̂‖ at x̂, which lies on the line between the two."""
    torch.manual_seed(0)
    real, drawn = torch.full((4096, 1, 2), 3.0), torch.zeros(4096, 1, 2)
    penalty = gradient_penalty(lambda x: 0.5 * x.flatten(1).square().sum(dim=1), real, drawn)
    length = torch.linspace(0, 1, 100_001) * 3 * 2**0.5
    assert float(penalty.detach()) == pytest.approx(float((length - 1).square().mean()), rel=0.05)


def test_the_penalty_teaches_the_critic_by_a_second_derivative() -> None:
    """Of a linear critic the slope is its weight, so d penalty / d w = 2 (‖w‖ - 1) w / ‖w‖."""
    critic = nn.Linear(3, 1)
    gradient_penalty(lambda x: critic(x).squeeze(1), torch.randn(8, 3), torch.randn(8, 3)).backward()  # type: ignore[no-untyped-call]
    weight = critic.weight.detach()
    assert critic.weight.grad is not None
    torch.testing.assert_close(critic.weight.grad, 2 * (weight.norm() - 1) * weight / weight.norm())


def test_the_penalty_is_computed_in_single_precision() -> None:
    critic = nn.Linear(3, 1)
    real, drawn = torch.randn(8, 3), torch.randn(8, 3)
    torch.manual_seed(0)
    plain = gradient_penalty(lambda x: critic(x).squeeze(1), real, drawn)
    torch.manual_seed(0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = gradient_penalty(lambda x: critic(x).squeeze(1), real, drawn)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, plain)
