"""What a task is: the meaning of a network's outputs, from the loss to the exported answer."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from models.data import Batch, DataSet, Examples
from models.errors import JobError
from models.losses import LossOptions
from models.metrics.intervals import Intervals

Array = NDArray[Any]
Scores = dict[str, Any]
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


class Description(NamedTuple):
    """One answer as it is written to a file."""

    facts: dict[str, Any]
    """By name: text, numbers, or numbers by name."""
    picture: NDArray[np.uint8] | None = None
    """Class indices (H, W) or an image (C, H, W), if the answer is one."""


class Task(ABC):
    """A task fitted to a training split: it knows the size of the output and the scale of the targets.

    The graph's outputs for N rows are read as N answers. What is done with answers needs no fitted task.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    default_loss: ClassVar[LossOptions]
    quick_metric: ClassVar[str]
    """The metric beside the loss that every epoch's validation has."""
    main_metric: ClassVar[str]
    """The metric to judge a model by in one number; greater is better, and a perfect model has 1."""
    curve_metrics: ClassVar[tuple[str, ...]]
    """The metrics that a picture of learning or validation curves shows."""
    picture: ClassVar[str | None] = None
    """What the picture that is a part of each answer is called; None if there is none."""
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

    def noised(self, targets: Tensor, amount: float) -> Tensor:
        """Training targets spoilt at random, by `training.label_noise`.

        Raises:
            JobError: `unsuitable_label_noise`, the task has no labels to spoil.
        """
        raise JobError("unsuitable_label_noise", f"`training.label_noise` is not for {self.name}; set it to 0.")

    @abstractmethod
    def postprocess(self) -> nn.Module:
        """The end of the exported graph: from the network's outputs to answers."""

    @abstractmethod
    def output(self) -> dict[str, Any]:
        """The signature's description of the answer."""

    @abstractmethod
    def tolerance(self) -> float:
        """The largest difference of two answers that counts as agreement."""

    @staticmethod
    def read(outputs: Array) -> Array:
        """The answers (N, ...) in the graph's outputs (N, ...): all that is kept of them to be scored and written."""
        return outputs

    @staticmethod
    @abstractmethod
    def score(targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """The metrics of answers; `num_inputs` is how many numbers an input has."""

    @staticmethod
    def intervals(targets: Array, answers: Array, num_outputs: int, num_inputs: int) -> Intervals:
        """By metric its 95 % confidence interval `[low, high]`, where it has one."""
        return {}

    @classmethod
    def measure(cls, targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """The metrics of answers, and `intervals`, those of the metrics that have a value."""
        scores = cls.score(targets, answers, labels, num_inputs)
        intervals = cls.intervals(targets, answers, len(labels or ["value"]), num_inputs)
        return {**scores, "intervals": {name: pair for name, pair in intervals.items() if scores[name] is not None}}

    @staticmethod
    def curves(targets: Array, answers: Array, labels: list[str] | None) -> Scores:
        """What an evaluation reports beside the metrics."""
        return {}

    @staticmethod
    @abstractmethod
    def guess(train_targets: Array, count: int, num_outputs: int) -> Array:
        """The baseline's answers for `count` rows, which look at no input."""

    @staticmethod
    @abstractmethod
    def describe(answer: Array, labels: list[str] | None, size: tuple[int, int] | None) -> Description:
        """One answer to be written; `size` is (height, width) of the image that it is for, if it is for one."""
