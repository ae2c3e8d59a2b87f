"""Which trials no other is better than."""

import pytest

from shapes.search import front

ACCURACY = {"metric": "accuracy", "direction": "maximize"}
LATENCY = {"metric": "latency", "direction": "minimize"}
VALUES = {
    0: {"accuracy": 0.9, "latency": 3.0},
    1: {"accuracy": 0.8, "latency": 1.0},
    2: {"accuracy": 0.8, "latency": 2.0},
    3: {"accuracy": 0.9, "latency": 3.0},
    4: {"accuracy": 0.7, "latency": 1.5},
}


@pytest.mark.parametrize(
    ("objectives", "expected"), [([ACCURACY], {0, 3}), ([LATENCY], {1}), ([ACCURACY, LATENCY], {0, 1, 3})]
)
def test_the_front_has_no_trial_that_another_beats(objectives: list[dict[str, str]], expected: set[int]) -> None:
    assert front(objectives, VALUES) == expected


def test_without_trials_none_is_best() -> None:
    assert front([ACCURACY], {}) == set()
