"""Progress and metrics for the user, at most some ten times a second."""

from time import monotonic
from typing import TYPE_CHECKING

from models.run import Reporter
from models.training.callbacks.base import Callback

if TYPE_CHECKING:
    from models.training.trainer import Trainer

INTERVAL_SECONDS = 0.1
TRAINING_SHARE = 0.95
"""Share of the job's progress that is training; the rest is for metrics and export."""


class Reporting(Callback):
    """Reports the first step at once, so that a waiting user sees that the job has begun."""

    def __init__(self, report: Reporter, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self.report = report
        self.interval_seconds = interval_seconds
        self.started_at = monotonic()
        self.reported_at = 0.0
        self.first_step: int | None = None
        self.losses: dict[str, float] = {}

    def on_step(self, trainer: "Trainer") -> None:
        """Report the means of the steps since the last report."""
        if self.first_step is None:
            self.first_step = trainer.step - 1
        elif monotonic() - self.reported_at < self.interval_seconds:
            return
        self._report(trainer)

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """Report the epoch's validation and learning rate."""
        self._report(trainer)
        for name, value in trainer.validation.items():
            self.report.metric(name, trainer.step, value)
        self.report.metric("learning_rate", trainer.step, trainer.learning_rate)
        written = ", ".join(f"{name} {value:.4g}" for name, value in (self.losses | trainer.validation).items())
        self.report.log(f"epoch {trainer.epoch} of {trainer.settings.epochs}: {written}")

    def _report(self, trainer: "Trainer") -> None:
        self.reported_at = monotonic()
        for name, mean in trainer.take_means().items():
            if name.endswith("_loss"):
                self.losses[name] = mean
            self.report.metric(name, trainer.step, mean)
        done = trainer.step - (self.first_step or 0)
        left = trainer.total_steps - trainer.step
        self.report.progress(
            TRAINING_SHARE * trainer.step / trainer.total_steps,
            epoch=(trainer.step - 1) // trainer.steps_per_epoch + 1,
            step=trainer.step,
            eta_seconds=(self.reported_at - self.started_at) / done * left if done else None,
        )
