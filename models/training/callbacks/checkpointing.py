"""Checkpoints by time, and obedience to the user's wishes."""

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from models.run import Reporter, Stopped
from models.training import checkpoint
from models.training.callbacks.base import Callback

if TYPE_CHECKING:
    from models.training.trainer import Trainer


class Checkpointing(Callback):
    """Saves a checkpoint whenever the interval has passed, and one before a pause.

    It must be the last callback, so that the states of the others are those after the step.
    """

    def __init__(self, directory: Path, interval_seconds: float, report: Reporter) -> None:
        self.directory = directory
        self.interval_seconds = interval_seconds
        self.report = report
        self.saved_at = monotonic()

    def on_step(self, trainer: "Trainer") -> None:
        """Obey a wish, or save if it is time."""
        self._obey(trainer)
        if monotonic() - self.saved_at >= self.interval_seconds:
            self._save(trainer)

    def on_validation_batch(self, trainer: "Trainer") -> None:
        """Obey a wish."""
        self._obey(trainer)

    def _obey(self, trainer: "Trainer") -> None:
        wish = self.report.wish()
        if wish is None:
            return
        if wish == "pause":
            self._save(trainer)
        raise Stopped(wish)

    def _save(self, trainer: "Trainer") -> None:
        """A disk that is full costs this checkpoint, not the training: the previous one stands."""
        trainer.check_loss()
        try:
            checkpoint.save(self.directory, trainer.step, trainer.state_dict())
        except OSError as error:
            self.report.log(f"checkpoint at step {trainer.step} not saved: {error.strerror}", level="warning")
        self.saved_at = monotonic()
