"""What a task is: the meaning of a network's outputs, from the loss to the exported answer."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from models.data import DataSet, require_learnable
from models.errors import JobError
from models.examples import Batch, Examples, require_finite_targets
from models.graphs import Graph
from models.inference import Feed
from models.losses import LossOptions
from models.metrics.intervals import Intervals
from models.phases import Phase
from models.preprocess import Pixels
from shapes.requirements import Subject, is_about

if TYPE_CHECKING:
    from models.registry import ArchitectureConfig, Shape
    from models.run import JobContext, Reporter
    from models.training.callbacks import Callback
    from models.training.plan import Plan

Array = NDArray[Any]
Scores = dict[str, Any]


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
    needs_targets: ClassVar[bool] = True
    """Whether a data set must be for this very task; one that needs no targets can be done on any."""
    about: ClassVar[Subject | None] = None
    """The only data that it can be done on; None if any that the architecture takes."""
    writes: ClassVar[bool] = False
    """Whether texts are to be written again, so that their tokens end with a mark."""
    pixels: ClassVar[Pixels] = "standardised"
    """The scale of the pixels that a network is given."""
    default_loss: ClassVar[LossOptions | None]
    """None where the architecture says what is minimised, and `training.loss` nothing."""
    quick_metrics: ClassVar[tuple[str, ...]]
    """The metrics beside the loss that every epoch's validation has; the last is what a search looks for by default."""
    main_metric: ClassVar[str]
    """The metric to judge a model by in one number; greater is better, and a perfect model has 1."""
    curve_metrics: ClassVar[tuple[str, ...]]
    """The metrics that a picture of learning or validation curves shows."""
    picture: ClassVar[str | None] = None
    """What the picture that is a part of each answer is called; None if there is none."""
    num_outputs: int

    @abstractmethod
    def __init__(self, dataset: DataSet, train: Examples, loss: LossOptions | None) -> None:
        """Fit the task to the training split."""
        self.labels = dataset.labels
        """The names of the classes that answers are about."""

    @classmethod
    def of(cls, config: "ArchitectureConfig", dataset: DataSet, train: Examples, loss: LossOptions | None) -> Self:
        """The task as a network of this configuration is to do it."""
        return cls(dataset, train, loss)

    @classmethod
    def build(
        cls, config: "ArchitectureConfig", described: dict[str, Any], input_shape: "Shape", num_outputs: int
    ) -> nn.Module:
        """The network that stands behind the preprocessing of inputs as `described`, whose shape is `input_shape`.

        Raises:
            UnsuitableInput: the architecture cannot take inputs of this shape.
        """
        return config.build(input_shape, num_outputs)

    @classmethod
    def suits(cls, manifest: Mapping[str, Any]) -> bool:
        """Whether it can be learned from a data set of this manifest, whose `task` is None of an unlabelled one."""
        return is_about(cls.about, manifest) and (not cls.needs_targets or manifest["task"] == cls.name)

    @classmethod
    def require_suitable(
        cls, dataset: DataSet, splits: dict[str, Examples], loss: LossOptions | None, config: "ArchitectureConfig"
    ) -> None:
        """Refuse rows that nothing can be learned from, before any time is spent on them.

        Raises:
            UnsuitableData: there is no class or number to learn, or the loss has no value for one.
        """
        require_learnable(dataset, splits["train"])
        for examples in splits.values():
            require_finite_targets(examples)
            if loss is not None:
                loss.require_suitable(examples.targets)

    def taken(self, input_shape: "Shape") -> "Shape":
        """The shape of what a network is given of preprocessed inputs of this shape."""
        return input_shape

    @abstractmethod
    def phases(self, network: nn.Module) -> list[Phase]:
        """The phases of a training step, in order."""

    @abstractmethod
    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`loss` and the task's quick metrics of a held-out batch.

        Each is a mean () over its rows, or what it is the part and the whole of (2, K) where it is the mean of K ratios
        of all rows together, such as the classes' recalls.
        """

    def noised(self, targets: Tensor, amount: float) -> Tensor:
        """Training targets spoilt at random, by `training.label_noise`.

        Raises:
            JobError: `unsuitable_label_noise`, the task has no labels to spoil.
        """
        raise JobError("unsuitable_label_noise", f"`training.label_noise` is not for {self.name}; set it to 0.")

    @abstractmethod
    def postprocess(self) -> nn.Module:
        """The end of the exported graph: from the network's outputs to answers."""

    def output(self) -> dict[str, Any]:
        """The signature's description of the answer, of a task that has the same for every network."""
        return {}

    def answering(self, network: nn.Module) -> nn.Module:
        """From raw inputs to answers: the network, preprocessing included, and the task's end."""
        return nn.Sequential(network, self.postprocess())

    @abstractmethod
    def graphs(self, network: nn.Module, described: dict[str, Any], samples: Batch) -> dict[str, Graph]:
        """The graphs that are exported, by name; `model` is the one that answers the data set's rows.

        `network` is on the CPU, preprocessing included; `described` is the manifest's input, and `samples` some
        training rows.
        """

    def watching(self, context: "JobContext", plan: "Plan") -> list["Callback"]:
        """What is called during a train job's training, beside what all tasks have."""
        return []

    def quality(self, plan: "Plan", network: nn.Module, report: "Reporter") -> dict[str, Scores]:
        """What is measured of the network itself beside its graph's answers, by split or by a name of its own."""
        return {}

    def recorded(self, plan: "Plan", network: nn.Module, answers: dict[str, Array]) -> dict[str, Any]:
        """What a version's record says beside what all do; `answers` are its graph's, by split."""
        return {}

    def guessed(self, plan: "Plan", network: nn.Module, split: str) -> Array:
        """The baseline's answers for a split."""
        train = plan.dataset.truth(plan.splits["train"])
        return self.guess(train, len(plan.splits[split]), self.num_outputs)

    @staticmethod
    def asked(inputs: Array, targets: Array, labels: list[str] | None) -> Feed:
        """What a version's graph is given for raw inputs (N, ...); `labels` are the signature's."""
        return inputs

    @staticmethod
    def read(outputs: Any, output: dict[str, Any]) -> Array:
        """The answers (N, ...) in the graph's outputs (N, ...): all that is kept of them to be scored and written.

        `output` is the signature's description of them.
        """
        answers: Array = outputs
        return answers

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
        return with_intervals(scores, cls.intervals(targets, answers, len(labels or ["value"]), num_inputs))

    @staticmethod
    def calibrate(targets: Array, answers: Array) -> dict[str, Any] | None:
        """What of held-out rows is kept with a version, so that its answers can be believed as far as they say.

        None where there is nothing to mend.
        """
        return None

    @staticmethod
    @abstractmethod
    def guess(train_targets: Array, count: int, num_outputs: int) -> Array:
        """The baseline's answers for `count` rows, which look at no input."""

    @staticmethod
    @abstractmethod
    def describe(answer: Array, labels: list[str] | None, size: tuple[int, int] | None) -> Description:
        """One answer to be written; `size` is (height, width) of the image that it is for, if it is for one."""

    @classmethod
    def tabulated(cls, target: Any, answer: Any, labels: list[str] | None) -> dict[str, Any]:
        """One answer beside what is true, as `target` and `prediction` and what else there is in a table of numbers."""
        return {"target": float(target), "prediction": float(answer)}


def with_intervals(scores: Scores, intervals: Intervals) -> Scores:
    """The scores and their `intervals`, of the metrics that have a value."""
    return {**scores, "intervals": {name: pair for name, pair in intervals.items() if scores[name] is not None}}
