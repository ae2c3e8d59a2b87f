"""Tasks with one network, one loss and a target for each input: the loss's head is the end of the exported graph."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor, nn

from models.data import DataSet
from models.examples import Batch, Examples
from models.graphs import Graph, on_cpu
from models.losses import LossOptions
from models.phases import Phase
from models.recurrent import Reader, RecurrentConfig
from models.tasks.base import Task
from models.training.callbacks import Callback, WatchGradients

if TYPE_CHECKING:
    from models.run import JobContext
    from models.training.plan import Plan


class Supervised(Task):
    """The mean of the loss over the rows is minimised over all parameters."""

    answers_at_end: ClassVar[bool] = True
    """Whether there is one answer to a row of steps, so that what is learned of the first has to reach back to it."""

    def __init__(self, dataset: DataSet, train: Examples, loss: LossOptions) -> None:
        super().__init__(dataset, train, loss)
        self.num_outputs = self.outputs_for(dataset)
        self.loss = loss.fit(train.targets, self.num_outputs)
        self.head = loss.fit_head(train.targets, self.num_outputs)

    @classmethod
    def outputs_for(cls, dataset: DataSet) -> int:
        """How many numbers a network answers: one for each class, or one."""
        return len(dataset.labels or ["value"])

    def outputs(self, network: nn.Module, inputs: Tensor, targets: Tensor | None = None) -> Tensor:
        """What the network, preprocessing included, makes of raw inputs (N, ...); one that writes is told targets."""
        made: Tensor = network(inputs)
        return made

    def criterion(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss () of a network's outputs."""
        loss: Tensor = self.loss(self.head.natural(outputs), self.head.scaled(targets))
        return loss

    def learned(self, network: nn.Module, batch: Batch) -> Tensor:
        """The loss () of a training batch."""
        return self.criterion(self.outputs(network, batch.inputs, batch.targets), batch.targets)

    @abstractmethod
    def quick(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """The task's `quick_metrics` of a network's outputs, as `validate` has them."""

    def phases(self, network: nn.Module) -> list[Phase]:
        """One phase over all parameters."""

        def step(batch: Batch) -> dict[str, Tensor]:
            return {"loss": self.learned(network, batch)}

        is_watched = self.answers_at_end and any(isinstance(module, Reader) for module in network.modules())
        return [Phase(list(network.parameters()), step, watch_gradient=is_watched)]

    def watching(self, context: "JobContext", plan: "Plan") -> list["Callback"]:
        """The gradients of a recurrent network."""
        is_watched = self.answers_at_end and isinstance(plan.config, RecurrentConfig)
        return [WatchGradients(context.report, plan.splits["train"])] if is_watched else []

    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`loss`, in the head's units, and the `quick_metrics`."""
        outputs = self.outputs(network, batch.inputs, batch.targets)
        return {"loss": self.criterion(outputs, batch.targets), **self.quick(outputs, batch.targets)}

    def noised(self, targets: Tensor, amount: float) -> Tensor:
        """Targets spoilt as the head says: classes replaced, numbers moved."""
        return self.head.noised(targets, amount)

    def postprocess(self) -> nn.Module:
        """The head."""
        return self.head

    def tolerance(self) -> float:
        """The largest difference of two answers that counts as agreement, the head's.

        1e-4 of probability, or of the target's standard deviation in training.
        """
        return self.head.tolerance

    def graphs(self, network: nn.Module, described: dict[str, Any], samples: Batch) -> dict[str, Graph]:
        """`model` alone."""
        module, answer = on_cpu(self.answering(network)), self.output()
        return {"model": Graph(module, [described], [answer], (samples.inputs,), {answer["name"]: self.tolerance()})}
