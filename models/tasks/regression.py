"""Regression: one number for each input, in the exported graph's answers in the target's units."""

from typing import Any

import numpy as np
from torch import Tensor

from models.losses import MSE
from models.metrics.intervals import Intervals, regression_intervals
from models.metrics.regression import regression_scores
from models.tasks.base import Array, Description, Scores
from models.tasks.supervised import Supervised


class Regression(Supervised):
    """Targets are numbers (N,) of float32. The loss's head says what the network's one output z means."""

    name = "regression"
    title = "Regression"
    default_loss = MSE(name="mse")
    quick_metrics = ("mae",)
    main_metric = "r2"
    curve_metrics = ("mse", "mae")

    def quick(self, z_N1: Tensor, targets_N: Tensor) -> dict[str, Tensor]:
        """The mean absolute error, in the target's units."""
        errors_N: Tensor = self.head(z_N1.float()) - targets_N
        return {"mae": errors_N.abs().mean()}

    def output(self) -> dict[str, Any]:
        """One value."""
        return {"name": "value", "dtype": "float32", "shape": []}

    @staticmethod
    def score(targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """Those of values (N,)."""
        return regression_scores(targets, answers, num_inputs)

    @staticmethod
    def intervals(targets: Array, answers: Array, num_outputs: int, num_inputs: int) -> Intervals:
        """Of all."""
        return regression_intervals(targets, answers, num_inputs)

    @staticmethod
    def guess(train_targets: Array, count: int, num_outputs: int) -> Array:
        """The mean of the training targets (count,), whose R² is at most 0."""
        return np.full(count, train_targets.mean(dtype=np.float64))

    @staticmethod
    def describe(answer: Array, labels: list[str] | None, size: tuple[int, int] | None) -> Description:
        """The number as `value`."""
        return Description({"value": float(answer)})
