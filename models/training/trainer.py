"""The training loop. It knows no family of networks: a task's phases say what a step is.

Everything a run depends on is in `state_dict`, and the order of the rows is a function of the seed and
the epoch, so that on the CPU a resumed run ends with the same bits as an undisturbed one.
"""

from collections.abc import Sequence
from math import ceil, isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.data import Batch, Examples
from models.errors import TrainingDiverged
from models.tasks.base import Phase, Task
from models.training.augmentation import augmented
from models.training.callbacks.base import Callback
from models.training.device import Compute
from models.training.regularization import add_l1, keep_in, l2_penalty
from models.training.settings import TrainingSettings

VALIDATION_BATCH_SIZE = 256


class Trainer:
    """Trains a network, preprocessing included, on raw inputs.

    `step` counts batches trained on so far, `epoch` finished epochs, `batch` finished batches of this one.
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
        self.optimizers = [settings.optimizer.build(phase.parameters) for phase in self.phases]
        self.schedule = settings.scheduler.build(self.total_steps, self.steps_per_epoch)
        self.scaler = compute.scaler()
        self.step = self.epoch = self.batch = 0
        self.stopped_early = False
        self.validation: dict[str, float] = {}
        self.recent_loss = torch.zeros((), device=compute.device)
        self.recent_steps = 0

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
        for callback in self.callbacks:
            callback.on_end(self)

    def _train_epoch(self) -> None:
        self.network.train()
        order = epoch_order(len(self.train), self.settings.seed, self.epoch)
        for index in split_batches(order, self.batch_size)[self.batch :]:
            self._set_learning_rate()
            batch = self._prepared(self._disturbed(self.train.gather(index)))
            for phase, optimizer in zip(self.phases, self.optimizers, strict=True):
                for _ in range(phase.repeat):
                    loss = self._optimize(phase, optimizer, batch)
            self.recent_loss += loss
            self.recent_steps += 1
            self.step, self.batch = self.step + 1, self.batch + 1
            for callback in self.callbacks:
                callback.on_step(self)

    def _optimize(self, phase: Phase, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        l1, l2, clip = self.settings.l1, self.settings.l2, self.settings.gradient_clip
        with self.compute.autocast():
            loss = phase.step(batch)["loss"]
        objective = loss + l2_penalty(phase.parameters, l2) if l2 else loss
        optimizer.zero_grad()
        torch.autograd.backward(self.scaler.scale(objective))
        if l1 or clip is not None:
            self.scaler.unscale_(optimizer)
        orthants = add_l1(phase.parameters, l1) if l1 else []
        if clip is not None:
            nn.utils.clip_grad_norm_(phase.parameters, clip)
        self.scaler.step(optimizer)
        self.scaler.update()
        keep_in(orthants)
        return loss.detach()

    def _validate(self) -> dict[str, float]:
        """Means over the validation split, as `val_loss` and so on; empty without one."""
        if self.held_out is None:
            return {}
        self.network.eval()
        sums: dict[str, Tensor] = {}
        with torch.inference_mode(), self.compute.autocast():
            for raw in self.held_out.batches(VALIDATION_BATCH_SIZE):
                batch = self._prepared(raw)
                for name, mean in self.task.validate(self.network, batch).items():
                    sums[name] = sums.get(name, torch.zeros(())) + mean.cpu() * len(batch.targets)
                for callback in self.callbacks:
                    callback.on_validation_batch(self)
        means = {f"val_{name}": float(total) / len(self.held_out) for name, total in sums.items()}
        self._require_finite(means["val_loss"])
        self.schedule.observe(means["val_loss"])
        return means

    def _disturbed(self, batch: Batch) -> Batch:
        """Training rows with augmented images and noisy labels, where the settings ask for them."""
        for name in self.settings.augmentation:
            batch = augmented(name, batch)
        if self.settings.label_noise:
            batch = batch._replace(targets=self.task.noised(batch.targets, self.settings.label_noise))
        return batch

    def _prepared(self, batch: Batch) -> Batch:
        """Images in the memory format in which convolutions were measured to be faster."""
        if batch.inputs.ndim != 4:
            return batch
        return batch._replace(inputs=batch.inputs.contiguous(memory_format=torch.channels_last))

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return self.settings.optimizer.learning_rate * self.schedule.factor(self.step)

    def _set_learning_rate(self) -> None:
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate

    def take_mean_loss(self) -> float | None:
        """The mean training loss since the last call; None if there was no step.

        Raises:
            TrainingDiverged: it is infinite or not a number.
        """
        if self.recent_steps == 0:
            return None
        self.check_loss()
        mean = float(self.recent_loss) / self.recent_steps
        self.recent_loss.zero_()
        self.recent_steps = 0
        return mean

    def check_loss(self) -> None:
        """Look at the losses of the last steps, which waits for the device.

        Raises:
            TrainingDiverged: one of them is infinite or not a number.
        """
        self._require_finite(float(self.recent_loss))

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
            "recent": {"loss": self.recent_loss, "steps": self.recent_steps},
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
        self.recent_loss.copy_(state["recent"]["loss"])
        self.recent_steps = state["recent"]["steps"]
        torch.set_rng_state(state["random"]["cpu"])
        if state["random"]["cuda"] is not None:
            torch.cuda.set_rng_state(state["random"]["cuda"], self.compute.device)


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
