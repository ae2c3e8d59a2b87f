"""Which trials are given up: Optuna's pruners, told of every epoch, or of every fold.

A trial is compared with those that had ended when it began.
"""

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner

from models.search.history import History, attributes_of
from models.training.callbacks import Callback
from models.training.settings import training_settings

if TYPE_CHECKING:
    from models.training.trainer import Trainer

REDUCTION = 3
"""One in so many trials is promoted from each rung (Li et al. 2018)."""
PRUNERS = ("median", "successive_halving", "hyperband")


class Pruned(Exception):
    """A trial is given up: by this step the others of its search did better."""


class Judge:
    """Keeps what a trial's first objective has come to step by step, and says when to give it up.

    Steps are epochs, or folds of a cross-validation with the mean so far; they count from 1.
    """

    def __init__(self, request: Mapping[str, Any], history: History, number: int) -> None:
        self.reported: list[list[float]] = []
        self._trial = None
        if request["pruner"] in PRUNERS:
            pruner = _pruner(request["pruner"], most_steps(request))
            self._trial = history.of_first_objective().study(pruner=pruner, warm=False, asking=number).ask()

    def report(self, step: int, value: float) -> bool:
        """Take note of a value; whether the trial should end here. A value that is not finite is passed over."""
        if not isfinite(value):
            return False
        self.reported.append([step, value])
        if self._trial is None:
            return False
        self._trial.report(value, step)
        return self._trial.should_prune()

    @property
    def attributes(self) -> dict[str, Any]:
        """What later trials' pruners have to know."""
        return {} if self._trial is None else attributes_of(self._trial)


class Watch(Callback):
    """Reports the metric of every epoch to the judge and ends the training when it says so."""

    def __init__(self, judge: Judge, metric: str) -> None:
        self.judge, self.metric = judge, metric

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """Report, and raise `Pruned` unless this was the last epoch anyhow."""
        if self.metric not in trainer.validation:
            return
        is_over = trainer.stopped_early or trainer.epoch == trainer.settings.epochs
        if self.judge.report(trainer.epoch, trainer.validation[self.metric]) and not is_over:
            raise Pruned

    def state_dict(self) -> dict[str, Any]:
        """What has been reported."""
        return {"reported": self.judge.reported}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Report it again."""
        for step, value in state["reported"]:
            self.judge.report(int(step), value)


def most_steps(request: Mapping[str, Any]) -> int:
    """The most steps that a trial of the search can report: folds, or epochs."""
    if request["folds"]:
        return int(request["folds"])
    for dimension in request["dimensions"]:
        if dimension["path"] == "training.epochs":
            return int(max(dimension["choices"]) if dimension["kind"] == "choice" else dimension["high"])
    return training_settings(request["training"]).epochs


def _pruner(name: str, most: int) -> BasePruner:
    """median: give up what is worse than the median at its step, after 5 trials. successive_halving: Jamieson and
    Talwalkar 2016, asynchronously as Li et al. 2020. hyperband: Li et al. 2018."""
    if name == "median":
        return MedianPruner()
    if name == "successive_halving":
        return SuccessiveHalvingPruner(min_resource=1, reduction_factor=REDUCTION)
    return HyperbandPruner(min_resource=1, max_resource=most, reduction_factor=REDUCTION)
