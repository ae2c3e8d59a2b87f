"""Judging generators whose quality is known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.data import DataSet
from models.quality import quality_of
from models.run import Stopped
from models.training.plan import Plan
from tests.models.running import Recorder, wish_at_poll, write_data_set


class Recaller(nn.Module):
    """Draws training rows at random, of the label if one is given: as good as a generator can be."""

    code_dim = 4

    def __init__(self, plan: Plan, classes: range) -> None:
        super().__init__()
        everything = plan.splits["train"].gather(torch.arange(len(plan.splits["train"])))
        wanted = torch.isin(everything.targets, torch.tensor(list(classes)))
        self.rows, self.targets = everything.inputs[wanted], everything.targets[wanted]
        self.anything = nn.Parameter(torch.zeros(()))
        self.num_classes = 10 if plan.config.needs_classes else 0

    def forward(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        places = (codes[:, 0] * 1e4).long().abs()
        if labels is None:
            return self.rows[places % len(self.rows)]
        return torch.stack([self._one(int(place), int(label)) for place, label in zip(places, labels, strict=True)])

    def _one(self, place: int, label: int) -> Tensor:
        of_label = self.rows[self.targets == label]
        return of_label[place % len(of_label)]


def judged(
    directory: Path, monkeypatch: pytest.MonkeyPatch, classes: range = range(10), **hyperparameters: Any
) -> dict[str, Any]:
    request = {"architecture": "gan", "hyperparameters": hyperparameters}
    plan = Plan.of(request, DataSet.open(directory))
    monkeypatch.setattr(type(plan.task), "sampler", lambda task, network: network[1])
    return quality_of(plan, nn.Sequential(nn.Identity(), Recaller(plan, classes)), Recorder())


def test_training_rows_are_as_good_as_can_be_and_few_classes_are_not(
    digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, part = (judged(digits, monkeypatch, classes) for classes in (range(10), range(2)))
    assert whole["judge"]["architecture"] == "lenet"
    assert whole["judge"]["accuracy"] > 0.9
    assert whole["examples"] == 359
    assert (whole["classes"], whole["classes_found"], part["classes_found"]) == (10, 10, 2)
    assert whole["frechet_distance"] < 3 * whole["frechet_floor"]
    assert part["frechet_distance"] > 10 * whole["frechet_distance"]
    assert whole["diversity"] == pytest.approx(1, abs=0.1)
    assert sum(whole["class_shares"].values()) == pytest.approx(1)
    assert "asked_class" not in whole


def test_a_conditional_generator_is_asked_for_each_class(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = judged(digits, monkeypatch, conditional=True)
    assert scores["asked_class"] > 0.9
    assert scores["diversity"] == pytest.approx(1, abs=0.1)


def test_a_table_is_judged_by_a_multilayer_perceptron(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = judged(iris, monkeypatch)
    assert scores["judge"]["architecture"] == "mlp"
    assert scores["classes_found"] == 3


def test_the_same_generator_is_judged_the_same(few_digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(few_digits, monkeypatch) == judged(few_digits, monkeypatch)


def test_without_classes_there_is_no_judge(diabetes: Path) -> None:
    plan = Plan.of({"architecture": "gan"}, DataSet.open(diabetes))
    assert "no classes" in quality_of(plan, plan.network(), Recorder())["absent"]


def test_one_class_alone_gives_no_judge_but_fails_nothing(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 1, 8, 8), dtype=np.uint8)
    directory = write_data_set(tmp_path / "faces", {"train": (images, np.zeros(40, np.int64))}, classes=["face"])
    plan = Plan.of({"architecture": "gan"}, DataSet.open(directory))
    assert "at least two are needed" in quality_of(plan, plan.network(), Recorder())["absent"]


def test_a_wish_to_cancel_is_obeyed(digits: Path) -> None:
    plan = Plan.of({"architecture": "gan"}, DataSet.open(digits))
    with pytest.raises(Stopped):
        quality_of(plan, plan.network(), Recorder(wish_at_poll(3, "cancel")))
