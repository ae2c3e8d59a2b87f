"""From a plan to a trained network: what every job that trains does, once or many times."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from torch import nn

from models.run import Reporter
from models.training import checkpoint
from models.training.callbacks import Callback, Checkpointing, KeepBest, Reporting, StopEarly
from models.training.plan import Plan
from models.training.trainer import Trainer, seed_everything


@dataclass
class Training:
    """A plan being carried out."""

    plan: Plan
    network: nn.Module
    trainer: Trainer
    best: KeepBest

    @classmethod
    def of(
        cls, plan: Plan, report: Reporter, checkpoints: Path, interval_seconds: float, watching: Sequence[Callback] = ()
    ) -> "Training":
        """A freshly drawn network, or the newest of the `checkpoints`, which are written at the interval.

        `watching` are called after each epoch with its validation reported and its weights kept if they are the best.

        Raises:
            JobError: the data or the architecture do not suit the plan.
        """
        seed_everything(plan.settings.seed)
        network = plan.network()
        stopping = plan.settings.early_stopping
        best = KeepBest("val_loss" if stopping is None else stopping.metric)
        callbacks: list[Callback] = [Reporting(report), best]
        if stopping is not None:
            callbacks.append(StopEarly(stopping))
        callbacks += [*watching, Checkpointing(checkpoints, interval_seconds, report)]
        trainer = Trainer(
            network,
            plan.task,
            plan.splits["train"],
            plan.splits.get("validation") if plan.architecture.has_validation_loss else None,
            plan.settings,
            plan.compute,
            callbacks,
        )
        saved = checkpoint.newest(checkpoints)
        if saved is not None:
            trainer.load_state_dict(saved)
        return cls(plan, network, trainer, best)

    def fit(self) -> float:
        """Train to the end; returns the training rows learned from in a second, by this attempt.

        Raises:
            TrainingDiverged: a loss is infinite or not a number.
            Stopped: the user cancelled or paused; before a pause a checkpoint was saved.
        """
        first_step, started_at = self.trainer.step, monotonic()
        self.trainer.fit()
        seconds = monotonic() - started_at
        rows = (self.trainer.step - first_step) * len(self.plan.splits["train"]) / self.trainer.steps_per_epoch
        return rows / max(seconds, 1e-9)

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights were kept: the last one where there is no validation split."""
        return self.best.epoch or self.trainer.epoch
