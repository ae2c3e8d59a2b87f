from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from models.data import DataSet
from models.examples import Batch
from models.losses import MSE
from models.losses.heads import Gaussian
from models.tasks import Regression
from models.training.settings import Split


@pytest.fixture
def task(diabetes: Path) -> Regression:
    dataset = DataSet.open(diabetes)
    fitted = Regression(dataset, dataset.divided(Split())["train"], MSE(name="mse"))
    fitted.head = Gaussian(torch.tensor([90.0, 110.0]), 1)
    return fitted


BATCH = Batch(torch.tensor([[0.0], [1.0]]), torch.tensor([100.0, 130.0]))


def test_the_targets_scale_is_that_of_the_training_rows(diabetes: Path) -> None:
    dataset = DataSet.open(diabetes)
    train = dataset.divided(Split())["train"]
    fitted = Regression(dataset, train, MSE(name="mse"))
    head = fitted.head
    assert isinstance(head, Gaussian)
    assert head.mean == pytest.approx(float(train.targets.mean()), rel=1e-5)
    assert head.std == pytest.approx(float(train.targets.std(correction=0)), rel=1e-5)


def test_the_loss_is_of_standardised_targets(task: Regression) -> None:
    (phase,) = task.phases(nn.Identity())
    assert phase.step(BATCH)["loss"] == pytest.approx((0 + 4) / 2)


def test_the_validations_error_is_in_the_targets_units(task: Regression) -> None:
    assert task.validate(nn.Identity(), BATCH)["mae"] == pytest.approx(10.0)


def test_answers_are_in_the_targets_units(task: Regression) -> None:
    assert task.postprocess()(BATCH.inputs).tolist() == [100.0, 110.0]
    assert task.output()["shape"] == []


def test_agreement_is_judged_in_the_targets_scale(task: Regression) -> None:
    assert task.tolerance() == pytest.approx(1e-3)


def test_guessing_a_number_explains_no_variance() -> None:
    train = np.array([1.0, 2.0, 6.0], np.float32)
    scores = Regression.score(train, Regression.guess(train, 3, num_outputs=1), None, num_inputs=1)
    assert scores["r2"] == pytest.approx(0.0)
    assert scores["mae"] == pytest.approx(2.0)
