"""The loop itself. What happens around it is tested with the callbacks and the train job."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.data import DataSet
from models.errors import JobError, TrainingDiverged
from models.examples import Batch
from models.losses import CrossEntropy
from models.tasks import Classification, Phase
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
    assert set(classifier.validation) == {"val_loss", "val_accuracy", "val_balanced_accuracy"}
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


class Alternating(Classification):
    """A weight phase at every batch and a bias phase at every second, as a GAN has two: the trainer is told no more."""

    def phases(self, network: nn.Module) -> list[Phase]:
        (phase,) = super().phases(network)
        affine = network[1].affine  # type: ignore[index]
        return [
            replace(phase, parameters=[affine.weight], name="weight", learning_rate_factor=0.5, watch_gradient=True),
            replace(phase, parameters=[affine.bias], name="bias", every=2),
        ]


def alternating(iris: Path, callbacks: tuple[Callback, ...] = (), **training: Any) -> Trainer:
    request = {"architecture": "logistic", "training": {"epochs": 2, "batch_size": 48, **training}}
    plan = Plan.of(request, DataSet.open(iris))
    seed_everything(0)
    train = plan.splits["train"]
    task = Alternating(plan.dataset, train, CrossEntropy(name="cross_entropy"))
    return Trainer(plan.network(), task, train, None, plan.settings, CPU, callbacks)


def test_each_phase_takes_its_own_steps_in_its_own_time(iris: Path) -> None:
    changed: list[tuple[bool, bool]] = []
    names: list[set[str]] = []

    def compare(trainer: Trainer) -> None:
        now = [parameter.detach().clone() for parameter in trainer.network.parameters()]
        weight, bias = (not torch.equal(old, new) for old, new in zip(before, now, strict=True))
        changed.append((weight, bias))
        names.append(set(trainer.latest))
        before[:] = now

    trainer = alternating(iris, (EachStep(compare),))
    before = [parameter.detach().clone() for parameter in trainer.network.parameters()]
    trainer.fit()
    assert changed == [(True, False), (True, True)] * 2
    assert names == [{"weight_loss", "weight_gradient_norm"}, {"weight_loss", "weight_gradient_norm", "bias_loss"}] * 2


def test_a_phase_has_its_share_of_the_learning_rate(iris: Path) -> None:
    trainer = alternating(iris, optimizer={"name": "sgd", "learning_rate": 0.2})
    trainer.fit()
    assert [optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers] == [0.1, 0.2]


def test_the_gradients_norm_is_that_before_clipping(iris: Path) -> None:
    def norms(clip: float | None) -> list[float]:
        found: list[float] = []
        watch = EachStep(lambda trainer: found.append(float(trainer.latest["weight_gradient_norm"])))
        alternating(iris, (watch,), epochs=1, gradient_clip=clip).fit()
        return found

    assert norms(1e-3)[0] == norms(None)[0] > 0.01


def test_each_phases_means_are_reported_and_begin_anew(iris: Path) -> None:
    trainer = alternating(iris)
    losses: list[float] = []
    trainer.callbacks = [EachStep(lambda trainer: losses.append(float(trainer.latest["weight_loss"])))]
    trainer.fit()
    means = trainer.take_means()
    assert set(means) == {"weight_loss", "weight_gradient_norm", "bias_loss"}
    assert means["weight_loss"] == pytest.approx(np.mean(losses))
    assert trainer.take_means() == {}


def test_a_phase_that_never_comes_is_refused(iris: Path) -> None:
    with pytest.raises(JobError, match="every 2th batch and there are 1") as refused:
        alternating(iris, epochs=1, batch_size="all")
    assert refused.value.code == "too_few_steps"


def test_averaged_weights_are_validated_and_kept(iris: Path) -> None:
    """By hand: after each step the average moves by 1 - min(decay, (1 + t) / (10 + t)) towards the weights."""
    expected: list[Tensor] = []
    validated: list[bool] = []

    class Watching(Classification):
        def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
            validated.append(network is trainer.evaluated and network is not trainer.network)
            return super().validate(network, batch)

    def move(trainer: Trainer) -> None:
        share = 1 - min(0.5, (1 + trainer.step) / (10 + trainer.step))
        expected[:] = [expected[0] + share * (weights(trainer) - expected[0])]

    trainer = trainer_of(iris, "logistic", (EachStep(move),), ema=0.5, epochs=6)
    trainer.task = Watching(DataSet.open(iris), trainer.train, CrossEntropy(name="cross_entropy"))
    expected.append(weights(trainer))
    trainer.fit()
    assert validated
    assert all(validated)
    torch.testing.assert_close(weights(trainer), expected[0])
