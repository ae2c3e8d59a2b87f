"""When gradients count as vanishing or exploding."""

import pytest

from models.metrics.gradients import Epoch, judge


def epoch(first: float = 1.0, last: float = 1.0, norm: float = 1.0, largest: float = 2.0) -> Epoch:
    return {"first": first, "last": last, "norm": norm, "largest": largest}


@pytest.mark.parametrize(
    ("epochs", "verdict"),
    [
        ([epoch()] * 5, "healthy"),
        ([epoch(first=1e-20)] * 5, "vanishing"),
        ([epoch(first=1e-20)] * 4 + [epoch()], "healthy"),
        ([epoch()] * 4 + [epoch(first=1e-20)], "vanishing"),
        ([epoch(first=1e6)] * 5, "exploding"),
        ([epoch(largest=500.0), *[epoch()] * 4], "exploding"),
        ([epoch(first=0.0, last=0.0)], "vanishing"),
        ([epoch(first=0.0, last=0.0, largest=float("inf"))], "exploding"),
        ([epoch(norm=float("inf"), largest=float("inf"))], "exploding"),
        ([epoch(first=float("nan"), last=float("nan"))], "exploding"),
    ],
)
def test_slopes_are_judged_in_the_last_epochs_and_steps_in_all(epochs: list[Epoch], verdict: str) -> None:
    judged = judge(epochs)
    assert judged["verdict"] == verdict
    assert judged["epochs"] == epochs
    assert bool(judged["try"]) == (verdict != "healthy")
    assert "times" in judged["detail"]
