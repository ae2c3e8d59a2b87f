from math import isnan

import pytest
import torch

from models.training.means import Means, Ratios


def test_each_name_has_the_mean_of_the_steps_it_came_at() -> None:
    means = Means()
    for step in range(4):
        means.add({"a": torch.tensor(float(step))} | ({"b": torch.tensor(step * 10.0)} if step % 2 else {}))
    assert means.read() == means.take() == {"a": pytest.approx(1.5), "b": pytest.approx(20.0)}
    assert means.take() == {}


def test_what_is_added_is_not_changed() -> None:
    means, value = Means(), torch.tensor(1.0)
    means.add({"a": value})
    means.add({"a": value})
    assert (float(value), means.take()) == (1.0, {"a": 1.0})


def test_a_saved_state_goes_on_where_it_was() -> None:
    means, restored = Means(), Means()
    means.add({"a": torch.tensor(1.0)})
    restored.load_state_dict(means.state_dict(), torch.device("cpu"))
    restored.add({"a": torch.tensor(3.0)})
    assert (restored.take(), means.take()) == ({"a": 2.0}, {"a": 1.0})


def test_means_of_batches_count_by_their_rows_and_ratios_by_what_they_are_of() -> None:
    ratios = Ratios()
    ratios.add({"mean": torch.tensor(1.0), "f1": torch.tensor([[1], [1]])}, 1)
    ratios.add({"mean": torch.tensor(0.0), "f1": torch.tensor([[0], [9]])}, 3)
    assert ratios.read() == {"mean": 0.25, "f1": 0.1}


def test_of_several_ratios_the_mean_is_of_those_that_there_are() -> None:
    ratios = Ratios()
    ratios.add({"recall": torch.tensor([[1, 0, 0], [2, 0, 0]]), "none": torch.tensor([[0], [0]])}, 2)
    ratios.add({"recall": torch.tensor([[2, 1, 0], [2, 1, 0]]), "none": torch.tensor([[0], [0]])}, 3)
    found = ratios.read()
    assert found["recall"] == pytest.approx((3 / 4 + 1) / 2)
    assert isnan(found["none"])
