"""Forecasting: the next H steps of a series for each window of it, in the exported graph's answers in its units."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from models.data import DataSet
from models.errors import UnsuitableData
from models.examples import Examples
from models.forecasting import Forecaster, Forecasts
from models.losses import MSE, LossOptions
from models.metrics.forecasting import forecasting_scores, points
from models.preprocess import moments
from models.tasks.base import Array, Description, Scores
from models.tasks.supervised import Supervised

if TYPE_CHECKING:
    from models.registry import ArchitectureConfig, Shape
    from models.training.plan import Plan


def _scale(dataset: DataSet, train: Examples) -> Tensor:
    """Two values with the mean and deviation by which the preprocessing standardises the target: so a network that
    gives back what it was given, as its normalisation does, gives it back exactly."""
    target = [column["role"] for column in dataset.input["columns"]].index("target")
    mean, std = (each[target] for each in moments(train, "series"))
    return torch.stack([mean - std, mean + std])


class Forecasting(Supervised):
    """Targets (N, H + 1) are the values to come and the scale of `Windows.targets`, which only metrics look at.

    A loss says how many numbers there are to a step: one, or a quantile each. `labels` are the quantiles' levels.
    """

    name = "forecasting"
    title = "Forecasting"
    default_loss = MSE(name="mse")
    quick_metrics = ("mase", "mae")
    main_metric = "skill"
    curve_metrics = ("mae", "mase")

    def __init__(self, dataset: DataSet, train: Examples, loss: LossOptions) -> None:
        self.horizon = dataset.input["horizon"]
        self.numbers = len(loss.levels or "1")
        self.num_outputs = self.horizon * self.numbers
        self.labels = loss.levels
        self.loss = loss.build()
        self.head = loss.fit_head(_scale(dataset, train), self.numbers)

    @classmethod
    def build(
        cls, config: "ArchitectureConfig", described: dict[str, Any], input_shape: "Shape", num_outputs: int
    ) -> nn.Module:
        """The network with the normalisation that its configuration asks for."""
        if not isinstance(config, Forecasts):
            raise TypeError(f"{config.owner.name} does not forecast")
        network = config.build(Forecaster.features(described), num_outputs)
        return Forecaster(network, described, config.normalisation)

    @classmethod
    def require_suitable(
        cls, dataset: DataSet, splits: dict[str, Examples], loss: LossOptions | None, config: "ArchitectureConfig"
    ) -> None:
        """Refuse series in which nothing ever changes, or of which one step alone is to be learned.

        Raises:
            UnsuitableData: all values to learn are the same.
        """
        values = splits["train"].targets[:, :-1]
        if values.numel() == 1:
            raise UnsuitableData(
                "There is a single step to learn from: add steps, lower `context` or `season`, or, to cross-validate,"
                " `folds`."
            )
        if bool((values == values[0, 0]).all()):
            raise UnsuitableData("All steps to learn from have the same value, which leaves nothing to forecast.")

    def criterion(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss () of outputs (N, K)."""
        return super().criterion(self._by_step(outputs), targets[:, :-1])

    def quick(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """The mean absolute error of the forecast in the target's units, and in the scale of its window, if that is
        not 0."""
        answers = self.head(self._by_step(outputs).float())
        error_N = (points(answers) - targets[:, :-1]).abs().mean(dim=1)
        is_scaled_N = targets[:, -1] > 0
        scaled = (error_N[is_scaled_N] / targets[is_scaled_N, -1]).sum()
        return {"mae": error_N.mean(), "mase": torch.stack([scaled, is_scaled_N.sum()])[:, None]}

    def noised(self, targets: Tensor, amount: float) -> Tensor:
        """The values moved."""
        return torch.cat([self.head.noised(targets[:, :-1], amount), targets[:, -1:]], dim=1)

    def postprocess(self) -> nn.Module:
        """The head behind the outputs by step."""
        return nn.Sequential(nn.Unflatten(1, (self.horizon, self.numbers)), self.head)

    def output(self) -> dict[str, Any]:
        """H values, or as many quantiles of each."""
        shape = [self.horizon, self.numbers] if self.labels else [self.horizon]
        return {"name": "forecast", "dtype": "float32", "shape": shape}

    def guessed(self, plan: "Plan", network: nn.Module, split: str) -> Array:
        """The seasonal naive forecasts of a split."""
        examples = plan.splits[split]
        return plan.dataset.windows(examples.source).naive(examples.rows)

    @staticmethod
    def score(targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """Those of forecasts (N, H) or quantiles (N, H, Q)."""
        return forecasting_scores(targets, answers, labels)

    @staticmethod
    def guess(train_targets: Array, count: int, num_outputs: int) -> Array:
        """The mean of what followed in training at each step (count, H)."""
        return np.tile(train_targets[:, :-1].mean(axis=0, dtype=np.float64), (count, 1))

    @staticmethod
    def describe(answer: Array, labels: list[str] | None, size: tuple[int, int] | None) -> Description:
        """The `forecast`, a number a step, and with quantiles these by level."""
        facts: dict[str, Any] = {"forecast": points(answer[None])[0].tolist()}
        if labels is not None:
            facts["quantiles"] = {level: answer[:, place].tolist() for place, level in enumerate(labels)}
        return Description(facts)

    @classmethod
    def tabulated(cls, target: Any, answer: Any, labels: list[str] | None) -> dict[str, Any]:
        """`target` and `prediction` at each step."""
        numbers = {"target": target[:-1].tolist(), "prediction": points(answer[None])[0].tolist()}
        return {f"{name}_{step}": each for name, values in numbers.items() for step, each in enumerate(values, 1)}

    def _by_step(self, outputs: Tensor) -> Tensor:
        """(N, H, numbers to a step)."""
        return outputs.reshape(-1, self.horizon, self.numbers)
