"""Regression: one number for each input.

The network learns the standardised target, (t - mean) / std over the training rows, so that learning
rates and losses mean the same for house prices and for grams. The exported graph answers in the target's units.
"""

from typing import Any

from torch import Tensor, nn

from models.data import Batch, DataSet, Examples
from models.losses import MSE, LossOptions
from models.tasks.base import Phase, Task


class Regression(Task):
    """Targets are numbers (N,) of float32."""

    name = "regression"
    title = "Regression"
    quick_metric = "mae"
    default_loss = MSE(name="mse")

    def __init__(self, dataset: DataSet, train: Examples, loss: LossOptions) -> None:
        targets = train.targets.double()
        self.num_outputs = 1
        self.mean = float(targets.mean())
        self.std = float(targets.std(correction=0))
        self.loss = loss.build()

    def phases(self, network: nn.Module) -> list[Phase]:
        """One phase over all parameters."""

        def step(batch: Batch) -> dict[str, Tensor]:
            return {"loss": self.loss(network(batch.inputs).squeeze(1), self._standardised(batch.targets))}

        return [Phase(list(network.parameters()), step)]

    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`loss`, of standardised targets, and `mae`, in the target's units."""
        y_N = network(batch.inputs).squeeze(1).float()
        target_N = self._standardised(batch.targets)
        return {"loss": self.loss(y_N, target_N), "mae": (y_N - target_N).abs().mean() * self.std}

    def postprocess(self) -> nn.Module:
        """Back to the target's units."""
        return _Destandardise(self.mean, self.std)

    def output(self) -> dict[str, Any]:
        """One value."""
        return {"name": "value", "dtype": "float32", "shape": []}

    def tolerance(self) -> float:
        """1e-4 of the target's standard deviation in training."""
        return 1e-4 * self.std

    def _standardised(self, targets_N: Tensor) -> Tensor:
        return (targets_N - self.mean) / self.std


class _Destandardise(nn.Module):
    def __init__(self, mean: float, std: float) -> None:
        super().__init__()
        self.mean = mean
        self.std = std

    def forward(self, y_N1: Tensor) -> Tensor:
        return y_N1.squeeze(1) * self.std + self.mean
