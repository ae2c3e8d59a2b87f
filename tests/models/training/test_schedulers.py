from typing import Any

import pytest

from models.training.schedulers import Schedule
from models.training.settings import training_settings


def schedule(**options: Any) -> Schedule:
    return training_settings({"scheduler": options}).scheduler.build(total_steps=100, steps_per_epoch=10)


def factors(**options: Any) -> list[float]:
    built = schedule(**options)
    return [built.factor(step) for step in range(100)]


def test_constant_stays() -> None:
    assert set(factors(name="constant")) == {1.0}


def test_step_falls_after_every_so_many_epochs() -> None:
    values = factors(name="step", step_size=3, gamma=0.5)
    assert values[0] == values[29] == 1.0
    assert values[30] == values[59] == 0.5
    assert values[99] == 0.125


def test_cosine_falls_from_one_through_the_middle() -> None:
    values = factors(name="cosine", final_factor=0.2)
    assert values[0] == 1.0
    assert values[50] == pytest.approx(0.6)
    assert values == sorted(values, reverse=True)
    assert values[99] == pytest.approx(0.2, abs=1e-3)


def test_one_cycle_rises_and_falls() -> None:
    values = factors(name="one_cycle", warmup_fraction=0.3, initial_factor=0.1, final_factor=0.0)
    assert values[0] == pytest.approx(0.1)
    assert values.index(max(values)) == 30
    assert max(values) == 1.0
    assert values[99] < 0.01


def test_warmup_rises_in_a_line_and_stays() -> None:
    values = factors(name="warmup", warmup_fraction=0.2, initial_factor=0.0)
    assert values[:3] == pytest.approx([0.0, 0.05, 0.1])
    assert values[20:] == [1.0] * 80


def test_plateau_falls_when_the_loss_does_not() -> None:
    plateau = schedule(name="plateau", patience=1, gamma=0.5, min_delta=0.1)
    for loss in (1.0, 0.8):
        plateau.observe(loss)
    assert plateau.factor(0) == 1.0
    plateau.observe(0.75)
    assert plateau.factor(0) == 1.0
    plateau.observe(0.75)
    assert plateau.factor(0) == 0.5


def test_plateau_goes_on_from_a_saved_state() -> None:
    first, second = (schedule(name="plateau", patience=0) for _ in range(2))
    first.observe(1.0)
    second.load_state_dict(first.state_dict())
    for plateau in (first, second):
        plateau.observe(1.0)
    assert second.factor(0) == first.factor(0) == 0.5
