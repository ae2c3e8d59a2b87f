from math import nan
from typing import Any

import pytest

from models.metrics.stability import judge

HEALTHY = {
    "diversity": 0.95,
    "discriminator_loss": 1.1,
    "discriminator_real_accuracy": 0.8,
    "discriminator_drawn_accuracy": 0.85,
    "discriminator_gradient_norm": 0.5,
    "generator_loss": 1.2,
    "generator_gradient_norm": 0.3,
}


def history(**late: float) -> list[dict[str, float]]:
    """Twenty epochs, of which the last four differ."""
    return [dict(HEALTHY)] * 16 + [HEALTHY | late] * 4


@pytest.mark.parametrize(
    ("late", "classes", "verdict"),
    [
        ({}, None, "healthy"),
        ({}, (10, 10), "healthy"),
        ({"diversity": 0.1}, None, "collapsed"),
        (
            {"diversity": 0.0, "discriminator_real_accuracy": 1.0, "discriminator_drawn_accuracy": 1.0},
            None,
            "collapsed",
        ),
        ({}, (1, 10), "collapsed"),
        ({"discriminator_real_accuracy": 1.0, "discriminator_drawn_accuracy": 0.999}, None, "discriminator_won"),
        ({"discriminator_real_accuracy": 1.0}, None, "healthy"),
        ({"generator_gradient_norm": 500.0}, None, "diverged"),
        ({"discriminator_gradient_norm": 500.0, "diversity": 0.0}, None, "diverged"),
    ],
)
def test_the_last_epochs_decide(late: dict[str, float], classes: tuple[int, int] | None, verdict: str) -> None:
    judged = judge(history(**late), classes)
    assert judged["verdict"] == verdict
    assert bool(judged["try"]) == (verdict != "healthy")
    assert judged["detail"]


def test_a_critic_without_an_accuracy_cannot_win() -> None:
    critic: list[dict[str, Any]] = [{"diversity": 1.0, "discriminator_distance": 3.0}] * 5
    assert judge(critic)["verdict"] == "healthy"


def test_low_diversity_that_was_never_higher_is_no_collapse() -> None:
    rising: list[dict[str, Any]] = [HEALTHY | {"diversity": 0.02 * epoch} for epoch in range(1, 16)]
    assert judge(rising, (1, 10))["verdict"] == "unfinished"
    assert judge([*rising, *[HEALTHY] * 10])["verdict"] == "healthy"
    sure = [epoch | {"discriminator_real_accuracy": 1.0, "discriminator_drawn_accuracy": 1.0} for epoch in rising]
    assert judge(sure)["verdict"] == "discriminator_won"
    assert judge([HEALTHY | {"diversity": 0.01}] * 9)["verdict"] == "collapsed"


def test_data_without_diversity_is_judged_by_the_rest() -> None:
    judged = judge([HEALTHY | {"diversity": nan}] * 5, (0, 2))
    assert judged["verdict"] == "healthy"
    assert "nan" not in judged["detail"]
    assert judge(history(diversity=nan, generator_gradient_norm=500.0))["verdict"] == "diverged"


def test_one_epoch_is_enough_to_judge() -> None:
    assert judge([HEALTHY | {"diversity": 0.0}])["verdict"] == "collapsed"
