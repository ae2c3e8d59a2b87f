"""Batch, mini-batch and stochastic gradient descent follow one loss: they differ in the rows of a step alone."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.data import DataSet
from models.training.plan import Plan
from models.training.trainer import Trainer, epoch_order, seed_everything, split_batches

LEARNING_RATE = 1e-3


def trainer_of(
    dataset: Path, architecture: str, batch_size: int | str, learning_rate: float = LEARNING_RATE
) -> Trainer:
    training = {
        "epochs": 1,
        "batch_size": batch_size,
        "optimizer": {"name": "sgd", "learning_rate": learning_rate},
        "split": {"validation": 0.0, "test": 0.0},
    }
    plan = Plan.of({"architecture": architecture, "training": training}, DataSet.open(dataset))
    seed_everything(0)
    return Trainer(plan.network(), plan.task, plan.splits["train"], None, plan.settings, plan.compute)


def gradient(trainer: Trainer, rows: Tensor) -> Tensor:
    """Of the mean loss over the rows, in float64, at the trainer's weights."""
    trainer.network.zero_grad()
    (phase,) = trainer.phases
    phase.step(trainer.train.gather(rows))["loss"].backward()  # type: ignore[no-untyped-call]
    gradients = [parameter.grad for parameter in phase.parameters if parameter.grad is not None]
    return torch.cat([gradient.flatten() for gradient in gradients]).double()


def weights(trainer: Trainer) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in trainer.network.parameters()]).double()


@pytest.mark.parametrize("batch_size", [1, 7, 32, 100])
@pytest.mark.parametrize(("dataset", "architecture"), [("iris", "mlp"), ("diabetes", "linear"), ("diabetes", "mlp")])
def test_the_mean_over_a_partition_is_the_gradient_of_all_rows(
    request: pytest.FixtureRequest, dataset: str, architecture: str, batch_size: int
) -> None:
    trainer = trainer_of(request.getfixturevalue(dataset), architecture, "all")
    order = epoch_order(len(trainer.train), 0, 0)
    batches = split_batches(order, batch_size)
    assert len(batches) > 1
    mean = sum((len(rows) * gradient(trainer, rows) for rows in batches), torch.zeros(())) / len(order)
    torch.testing.assert_close(mean, gradient(trainer, order), rtol=1e-4, atol=1e-6)


def test_a_step_of_batch_gradient_descent_is_along_the_gradient_of_all_rows(diabetes: Path) -> None:
    trainer = trainer_of(diabetes, "mlp", "all")
    before, whole = weights(trainer), gradient(trainer, torch.arange(len(trainer.train)))
    trainer.fit()
    assert trainer.step == 1
    torch.testing.assert_close(weights(trainer), before - LEARNING_RATE * whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 16])
def test_an_epoch_of_small_steps_is_one_step_of_all_rows(diabetes: Path, batch_size: int) -> None:
    """With the learning rate shared out among its steps: they differ by what the weights move in between."""
    trainer = trainer_of(diabetes, "linear", batch_size)
    rate = LEARNING_RATE / trainer.steps_per_epoch
    trainer = trainer_of(diabetes, "linear", batch_size, rate)
    before, whole = weights(trainer), gradient(trainer, torch.arange(len(trainer.train)))
    trainer.fit()
    assert trainer.step == trainer.steps_per_epoch > 1
    moved = weights(trainer) - before
    assert float((moved + LEARNING_RATE * whole).norm()) < 0.02 * float(moved.norm())
