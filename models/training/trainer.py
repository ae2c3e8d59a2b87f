"""The training loop. It knows no family of networks: a task's phases say what a step is.

Everything a run depends on is in `state_dict`, and the order of the rows is a function of the seed and
the epoch, so that on the CPU a resumed run ends with the same bits as an undisturbed one.
"""

from collections.abc import Sequence
from functools import partial
from math import ceil, isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.errors import JobError, TrainingDiverged
from models.examples import Batch, Examples
from models.phases import Phase
from models.tasks.base import Task
from models.training.augmentation import augmented
from models.training.averaging import average_of
from models.training.callbacks.base import Callback
from models.training.device import Compute
from models.training.means import Means, Ratios
from models.training.regularization import add_l1, keep_in, l2_penalty
from models.training.settings import TrainingSettings

VALIDATION_BATCH_SIZE = 256


class Trainer:
    """Trains a network, preprocessing included, on raw inputs.

    `step` counts batches trained on so far, `epoch` finished epochs, `batch` finished batches of this one; `latest` is
    what the last batch's phases measured, by the name of its series.
    """

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        train: Examples,
        validation: Examples | None,
        settings: TrainingSettings,
        compute: Compute,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.network = network.to(compute.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.task, self.train, self.held_out = task, train, validation
        self.settings, self.compute, self.callbacks = settings, compute, callbacks
        self.batch_size = len(train) if settings.batch_size == "all" else min(settings.batch_size, len(train))
        self.steps_per_epoch = batches_in(len(train), self.batch_size)
        self.total_steps = settings.epochs * self.steps_per_epoch
        self.phases = task.phases(self.network)
        self._require_steps()
        self.optimizers = [settings.optimizer.build(phase.parameters) for phase in self.phases]
        self.schedule = settings.scheduler.build(self.total_steps, self.steps_per_epoch)
        self.scaler = compute.scaler()
        self.average = None if settings.ema is None else average_of(self.network, settings.ema)
        self.step = self.epoch = self.batch = 0
        self.stopped_early = False
        self.validation: dict[str, float] = {}
        self.latest: dict[str, Tensor] = {}
        self.recent = Means()

    def fit(self) -> None:
        """Train to the last epoch, from wherever the state is.

        Raises:
            TrainingDiverged: a loss is infinite or not a number.
            Stopped: a callback obeyed a wish.
        """
        while self.epoch < self.settings.epochs and not self.stopped_early:
            self._train_epoch()
            self.validation = self._validate()
            self.epoch, self.batch = self.epoch + 1, 0
            for callback in self.callbacks:
                callback.on_epoch_end(self)
        if self.average is not None:
            self.network.load_state_dict(self.average.module.state_dict())
        for callback in self.callbacks:
            callback.on_end(self)

    def _train_epoch(self) -> None:
        self.network.train()
        order = epoch_order(len(self.train), self.settings.seed, self.epoch)
        order = self.train.arranged(order, self.batch_size)
        for index in split_batches(order, self.batch_size)[self.batch :]:
            self._set_learning_rate()
            batch = self._prepared(self._disturbed(self.train.gather(index)))
            self.step, self.batch = self.step + 1, self.batch + 1
            self.latest = {}
            for phase, optimizer in zip(self.phases, self.optimizers, strict=True):
                if self.step % phase.every == 0:
                    self.latest |= self._optimize(phase, optimizer, batch)
            self.recent.add(self.latest)
            if self.average is not None:
                self.average.update_parameters(self.network)
            for callback in self.callbacks:
                callback.on_step(self)

    def _optimize(self, phase: Phase, optimizer: torch.optim.Optimizer, batch: Batch) -> dict[str, Tensor]:
        """One step of a phase; returns what it measured, by the name of its series."""
        l1, l2, clip = self.settings.l1, self.settings.l2, self.settings.gradient_clip
        watches_gradient = phase.watch_gradient or self.settings.gradient_norm
        with self.compute.autocast():
            measured = phase.step(batch)
        objective = measured["loss"] + l2_penalty(phase.parameters, l2) if l2 else measured["loss"]
        optimizer.zero_grad()
        torch.autograd.backward(self.scaler.scale(objective))
        if l1 or clip is not None or watches_gradient:
            self.scaler.unscale_(optimizer)
        orthants = add_l1(phase.parameters, l1) if l1 else []
        if watches_gradient or clip is not None:
            norm = gradient_norm(phase.parameters)
            if watches_gradient:
                measured["gradient_norm"] = norm
            if clip is not None:
                nn.utils.clip_grads_with_norm_(phase.parameters, clip, norm)
        self.scaler.step(optimizer)
        self.scaler.update()
        keep_in(orthants)
        return {f"{phase.name}_{name}": value.detach() for name, value in measured.items()}

    def _validate(self) -> dict[str, float]:
        """What the task measures of the validation split, as `val_loss` and so on; empty without one."""
        if self.held_out is None:
            return {}
        network = self.evaluated.eval()
        measured = Ratios()
        with torch.inference_mode(), self.compute.autocast():
            for raw in self.held_out.batches(VALIDATION_BATCH_SIZE):
                batch = self._prepared(raw)
                measured.add(self.task.validate(network, batch), len(batch.targets))
                for callback in self.callbacks:
                    callback.on_validation_batch(self)
        means = {f"val_{name}": mean for name, mean in measured.read().items()}
        if "val_loss" in means:
            self._require_finite(means["val_loss"])
            self.schedule.observe(means["val_loss"])
        return means

    def _disturbed(self, batch: Batch) -> Batch:
        """Training rows with augmented images and noisy labels, where the settings ask for them."""
        for name in self.settings.augmentation:
            batch = augmented(name, batch)
        if self.settings.label_noise:
            noised = partial(self.task.noised, amount=self.settings.label_noise)
            batch = batch._replace(
                targets=noised(batch.targets), parts=None if batch.parts is None else noised(batch.parts)
            )
        return batch

    def _prepared(self, batch: Batch) -> Batch:
        """Images in the memory format in which convolutions were measured to be faster."""
        if batch.inputs.ndim != 4:
            return batch
        return batch._replace(inputs=batch.inputs.contiguous(memory_format=torch.channels_last))

    @property
    def evaluated(self) -> nn.Module:
        """The network as it is validated and kept: with averaged weights, if the settings ask for them."""
        return self.network if self.average is None else self.average.module

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return self.settings.optimizer.learning_rate * self.schedule.factor(self.step)

    def _set_learning_rate(self) -> None:
        for phase, optimizer in zip(self.phases, self.optimizers, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate * phase.learning_rate_factor

    def take_means(self) -> dict[str, float]:
        """The means of what the phases measured since the last call: `train_loss`; nothing if there was no step.

        Raises:
            TrainingDiverged: a loss is infinite or not a number.
        """
        self.check_loss()
        return self.recent.take()

    def check_loss(self) -> None:
        """Look at the losses of the last steps, which waits for the device.

        Raises:
            TrainingDiverged: one of them is infinite or not a number.
        """
        for name, mean in self.recent.read().items():
            if name.endswith("_loss"):
                self._require_finite(mean)

    def _require_steps(self) -> None:
        for phase in self.phases:
            if phase.every > self.total_steps:
                raise JobError(
                    "too_few_steps",
                    f"The {phase.name} learns at every {phase.every}th batch and there are {self.total_steps}: raise "
                    "`training.epochs`, or lower `training.batch_size`.",
                )

    def _require_finite(self, loss: float) -> None:
        if not isfinite(loss):
            raise TrainingDiverged(
                f"The loss became {loss} by step {self.step}. Lower `training.optimizer.learning_rate` "
                f"(now {self.settings.optimizer.learning_rate:g}), or set `training.gradient_clip`."
            )

    def state_dict(self) -> dict[str, Any]:
        """All that the rest of the run depends on."""
        cuda = self.compute.device.type == "cuda"
        return {
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "callbacks": [callback.state_dict() for callback in self.callbacks],
            "position": {"step": self.step, "epoch": self.epoch, "batch": self.batch},
            "average": None if self.average is None else self.average.state_dict(),
            "recent": self.recent.state_dict(),
            "random": {
                "cpu": torch.get_rng_state(),
                "cuda": torch.cuda.get_rng_state(self.compute.device) if cuda else None,
            },
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a run where its checkpoint was saved."""
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
        for callback, saved in zip(self.callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(saved)
        self.step, self.epoch, self.batch = (state["position"][name] for name in ("step", "epoch", "batch"))
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.recent.load_state_dict(state["recent"], self.compute.device)
        torch.set_rng_state(state["random"]["cpu"])
        if state["random"]["cuda"] is not None:
            torch.cuda.set_rng_state(state["random"]["cuda"], self.compute.device)


def gradient_norm(parameters: Sequence[nn.Parameter]) -> Tensor:
    """The Euclidean norm () of the whole gradient."""
    return nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])


def batches_in(count: int, batch_size: int) -> int:
    """Batches to an epoch. A last batch of a single row joins the one before: it has no variance, which
    batch normalisation needs."""
    full, rest = divmod(count, batch_size)
    return full if full and (rest == 0 or (rest == 1 and batch_size > 1)) else ceil(count / batch_size)


def split_batches(order: Tensor, batch_size: int) -> list[Tensor]:
    """The order of an epoch's rows, cut into its batches."""
    count = batches_in(len(order), batch_size)
    ends = [*range(batch_size, batch_size * count, batch_size)]
    return list(order.tensor_split(ends))


def epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """The order in which an epoch takes the rows: a permutation (count,) that depends on nothing else."""
    mixed = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0]
    return torch.randperm(count, generator=torch.Generator().manual_seed(int(mixed)))


def seed_everything(seed: int) -> None:
    """Seed the generators of initial weights, dropout and augmentation.

    `torch.manual_seed` also prepares every absent kind of device for being seeded later, which takes
    15 ms, a good part of the time to the first step.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
