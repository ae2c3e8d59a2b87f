"""The loop itself. What happens around it is tested with the callbacks and the train job."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.data import DataSet
from models.errors import TrainingDiverged
from models.training.callbacks import Callback
from models.training.device import Compute
from models.training.plan import Plan
from models.training.trainer import Trainer, batches_in, epoch_order, seed_everything, split_batches

CPU = Compute(torch.device("cpu"), "float32")


def trainer_of(
    directory: Path, architecture: str = "mlp", callbacks: tuple[Callback, ...] = (), **training: Any
) -> Trainer:
    plan = Plan.of(
        {"architecture": architecture, "training": {"epochs": 2, "batch_size": 32, **training}}, DataSet.open(directory)
    )
    seed_everything(plan.settings.seed)
    splits = plan.splits
    return Trainer(
        plan.network(), plan.task, splits["train"], splits.get("validation"), plan.settings, plan.compute, callbacks
    )


def weights(trainer: Trainer) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in trainer.network.parameters()])


class EachStep(Callback):
    """Calls a function after every step."""

    def __init__(self, function: Callable[[Trainer], None]) -> None:
        self.on_step = function  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize(
    ("count", "batch_size", "sizes"),
    [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (9, 4, [4, 5]), (3, 1, [1, 1, 1]), (3, 3, [3]), (5, 3, [3, 2]), (2, 2, [2])],
)
def test_an_epoch_is_cut_into_batches_without_a_last_single_row(count: int, batch_size: int, sizes: list[int]) -> None:
    batches = split_batches(torch.arange(count), batch_size)
    assert [len(batch) for batch in batches] == sizes
    assert batches_in(count, batch_size) == len(sizes)
    assert torch.equal(torch.cat(batches), torch.arange(count))


def test_the_order_of_rows_depends_on_seed_and_epoch_alone() -> None:
    orders = {(seed, epoch): epoch_order(50, seed, epoch) for seed in (0, 1) for epoch in (0, 1)}
    assert len({tuple(order.tolist()) for order in orders.values()}) == 4
    for (seed, epoch), order in orders.items():
        torch.rand(3)
        assert torch.equal(order, epoch_order(50, seed, epoch))
        assert sorted(order.tolist()) == list(range(50))


def test_the_same_seed_gives_the_same_weights_and_another_others(iris: Path) -> None:
    def trained(seed: int) -> Tensor:
        trainer = trainer_of(iris, seed=seed)
        trainer.fit()
        return weights(trainer)

    assert torch.equal(trained(1), trained(1))
    assert not torch.equal(trained(1), trained(2))


def test_batch_size_all_is_one_step_an_epoch(iris: Path) -> None:
    trainer = trainer_of(iris, batch_size="all", epochs=3)
    trainer.fit()
    assert (trainer.steps_per_epoch, trainer.step) == (1, 3)


def test_the_learning_rate_follows_the_schedule(iris: Path) -> None:
    rates: list[float] = []
    trainer = trainer_of(
        iris,
        callbacks=(EachStep(lambda trainer: rates.append(trainer.optimizers[0].param_groups[0]["lr"])),),
        optimizer={"name": "sgd", "learning_rate": 0.5},
        scheduler={"name": "cosine"},
    )
    trainer.fit()
    expected = [0.25 * (1 + np.cos(np.pi * step / trainer.total_steps)) for step in range(trainer.total_steps)]
    assert rates == pytest.approx(expected)


def test_the_gradient_is_clipped_to_the_norm(iris: Path) -> None:
    norms: list[float] = []

    def measure(trainer: Trainer) -> None:
        gradients = [parameter.grad for parameter in trainer.network.parameters() if parameter.grad is not None]
        norms.append(float(torch.cat([gradient.flatten() for gradient in gradients]).norm()))

    trainer_of(iris, callbacks=(EachStep(measure),)).fit()
    unclipped = list(norms)
    norms.clear()
    trainer_of(iris, callbacks=(EachStep(measure),), gradient_clip=0.01).fit()
    assert min(unclipped) > 0.02
    assert norms == pytest.approx([0.01] * len(norms), rel=1e-3)


def test_l1_makes_weights_zero_and_l2_small(iris: Path) -> None:
    def trained(**penalty: Any) -> Tensor:
        options = {"name": "adam", "learning_rate": 0.02}
        trainer = trainer_of(
            iris, "logistic", epochs=150, optimizer=options, scheduler={"name": "cosine"}, batch_size="all", **penalty
        )
        trainer.fit()
        affine: nn.Linear = trainer.network[1].affine
        return affine.weight.detach().abs()

    plain, l1, l2 = trained(), trained(l1=0.2), trained(l2=0.05)
    assert (l1 == 0).float().mean() > 0.4
    assert (plain != 0).all()
    assert l2.square().sum() < 0.5 * plain.square().sum()


def test_diverging_training_is_stopped_with_the_remedy(diabetes: Path) -> None:
    trainer = trainer_of(diabetes, "linear", optimizer={"name": "sgd", "learning_rate": 100.0}, epochs=20)
    with pytest.raises(TrainingDiverged, match=r"training\.optimizer\.learning_rate"):
        trainer.fit()


def test_validation_is_in_the_tasks_terms(iris: Path, diabetes: Path) -> None:
    classifier, regressor = trainer_of(iris), trainer_of(diabetes)
    for trainer in (classifier, regressor):
        trainer.fit()
    assert set(classifier.validation) == {"val_loss", "val_accuracy"}
    assert set(regressor.validation) == {"val_loss", "val_mae"}


def test_validation_is_left_out_without_a_split(iris: Path) -> None:
    trainer = trainer_of(iris, split={"validation": 0.0})
    trainer.fit()
    assert trainer.validation == {}
    assert trainer.epoch == 2


def test_bfloat16_trains_with_float32_weights(few_digits: Path) -> None:
    trainer = trainer_of(few_digits, "lenet", precision="bfloat16", epochs=1)
    trainer.fit()
    assert weights(trainer).dtype == torch.float32
    assert weights(trainer).isfinite().all()


def test_a_task_with_two_phases_takes_a_step_of_each(iris: Path) -> None:
    """As a GAN has: the trainer is told nothing of it."""
    plan = Plan.of({"architecture": "logistic", "training": {"epochs": 1, "batch_size": "all"}}, DataSet.open(iris))
    network = plan.network()
    calls: list[str] = []

    class TwoPhases(type(plan.task)):  # type: ignore[misc]
        def phases(self, network: nn.Module) -> list[Any]:
            (phase,) = super().phases(network)
            affine = network[1].affine  # type: ignore[index]

            def noted(name: str) -> Callable[[Any], dict[str, Tensor]]:
                def step(batch: Any) -> dict[str, Tensor]:
                    calls.append(name)
                    return phase.step(batch)  # type: ignore[no-any-return]

                return step

            kind = type(phase)
            return [kind([affine.weight], noted("weight"), 2), kind([affine.bias], noted("bias"))]

    assert plan.settings.loss is not None
    task = TwoPhases(plan.dataset, plan.splits["train"], plan.settings.loss)
    before = [parameter.clone() for parameter in network.parameters()]
    Trainer(network, task, plan.splits["train"], None, plan.settings, CPU).fit()
    assert calls == ["weight", "weight", "bias"]
    for old, new in zip(before, network.parameters(), strict=True):
        assert not torch.equal(old, new)
