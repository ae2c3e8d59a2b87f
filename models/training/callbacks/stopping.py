"""Early stopping, and the return to the best epoch's weights."""

from math import inf
from typing import TYPE_CHECKING, Any

from torch import Tensor

from models.metrics import is_greater_better
from models.training.callbacks.base import Callback
from models.training.settings import EarlyStopping

if TYPE_CHECKING:
    from models.training.trainer import Trainer


def _sign(metric: str) -> float:
    """By which a metric is multiplied, so that less is better."""
    return -1.0 if is_greater_better(metric.removeprefix("val_")) else 1.0


class StopEarly(Callback):
    """Stops when the watched metric has not improved for `patience` epochs (Prechelt 1998)."""

    def __init__(self, settings: EarlyStopping) -> None:
        self.settings = settings
        self.sign = _sign(settings.metric)
        self.best = inf
        self.waited = 0

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """Compare the epoch with the best so far."""
        value = self.sign * trainer.validation[self.settings.metric]
        if value < self.best - self.settings.min_delta:
            self.best, self.waited = value, 0
            return
        self.waited += 1
        trainer.stopped_early = self.waited >= self.settings.patience and trainer.epoch < trainer.settings.epochs

    def state_dict(self) -> dict[str, Any]:
        """The best value and the epochs waited."""
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a saved state."""
        self.best, self.waited = state["best"], state["waited"]


class KeepBest(Callback):
    """Keeps the weights of the epoch that is the best by a metric and restores them at the end.

    Without a validation split the last epoch's weights stay.
    """

    def __init__(self, metric: str) -> None:
        self.metric, self.sign = metric, _sign(metric)
        self.best = inf
        self.epoch: int | None = None
        self.validation: dict[str, float] = {}
        self.weights: dict[str, Tensor] = {}

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """Copy the weights if this epoch is the best so far."""
        value = self.sign * trainer.validation[self.metric] if trainer.validation else inf
        if value < self.best:
            self.best, self.epoch, self.validation = value, trainer.epoch, trainer.validation
            self.weights = {name: value.clone() for name, value in trainer.evaluated.state_dict().items()}

    def on_end(self, trainer: "Trainer") -> None:
        """Restore the best weights."""
        if self.epoch is not None:
            trainer.network.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """The best value, its epoch, all that was measured there and the weights."""
        return {"best": self.best, "epoch": self.epoch, "validation": self.validation, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a saved state."""
        self.best, self.epoch = state["best"], state["epoch"]
        self.validation, self.weights = state["validation"], state["weights"]
