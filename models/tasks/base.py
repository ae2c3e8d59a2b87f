"""What a task is: the meaning of a network's outputs, from the loss to the exported answer."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from models.data import Batch, DataSet, Examples
from models.losses import LossOptions

Step = Callable[[Batch], dict[str, Tensor]]


@dataclass(frozen=True)
class Phase:
    """One kind of optimiser step. Most tasks have one phase, a GAN one for each of its two networks.

    `step` turns a batch into a dict with `loss`, a scalar to minimise over `parameters`, and metrics.
    The phase is taken `repeat` times before the next one.
    """

    parameters: list[nn.Parameter]
    step: Step
    repeat: int = 1


class Task(ABC):
    """A task fitted to a training split: it knows the size of the output and the scale of the targets."""

    name: ClassVar[str]
    title: ClassVar[str]
    default_loss: ClassVar[LossOptions]
    quick_metric: ClassVar[str]
    """The metric beside the loss that every epoch's validation has."""
    num_outputs: int

    @abstractmethod
    def __init__(self, dataset: DataSet, train: Examples, loss: LossOptions) -> None:
        """Fit the task to the training split."""

    @abstractmethod
    def phases(self, network: nn.Module) -> list[Phase]:
        """The phases of a training step, in order."""

    @abstractmethod
    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Means over a held-out batch: `loss` and the task's quick metrics."""

    @abstractmethod
    def postprocess(self) -> nn.Module:
        """The end of the exported graph: from the network's outputs to answers."""

    @abstractmethod
    def output(self) -> dict[str, Any]:
        """The signature's description of the answer."""

    @abstractmethod
    def tolerance(self) -> float:
        """The largest difference of two answers that counts as agreement."""
