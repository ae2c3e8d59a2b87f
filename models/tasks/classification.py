"""Classification: one of K classes for each input, as logits (N, K), answered as probabilities."""

from typing import Any

from torch import Tensor, nn

from models.data import Batch, DataSet, Examples
from models.losses import CrossEntropy, LossOptions
from models.tasks.base import Phase, Task


class Classification(Task):
    """Targets are class indices (N,) of int64."""

    name = "classification"
    title = "Classification"
    quick_metric = "accuracy"
    default_loss = CrossEntropy(name="cross_entropy")

    def __init__(self, dataset: DataSet, train: Examples, loss: LossOptions) -> None:
        self.labels = dataset.labels or []
        self.num_outputs = len(self.labels)
        self.loss = loss.build()

    def phases(self, network: nn.Module) -> list[Phase]:
        """One phase over all parameters."""

        def step(batch: Batch) -> dict[str, Tensor]:
            return {"loss": self.loss(network(batch.inputs), batch.targets)}

        return [Phase(list(network.parameters()), step)]

    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`loss` and `accuracy`."""
        logits_NK = network(batch.inputs).float()
        correct = logits_NK.argmax(dim=1) == batch.targets
        return {"loss": self.loss(logits_NK, batch.targets), "accuracy": correct.float().mean()}

    def postprocess(self) -> nn.Module:
        """Softmax over the classes."""
        return nn.Softmax(dim=1)

    def output(self) -> dict[str, Any]:
        """Probabilities of the K classes."""
        return {"name": "probabilities", "dtype": "float32", "shape": [self.num_outputs]}

    def tolerance(self) -> float:
        """1e-4 of probability."""
        return 1e-4
