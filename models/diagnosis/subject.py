"""What is diagnosed: a configuration and its data, freshly drawn networks of it, and first steps of its training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from models.data import DataSet
from models.errors import JobError, TrainingDiverged
from models.evaluation.charts import Chart
from models.evaluation.drawing import draw
from models.examples import Batch, Examples, fitting
from models.run import JobContext, ProducedFile, Reporter, given, obey
from models.tasks.supervised import Supervised
from models.training.callbacks import Callback
from models.training.plan import Plan
from models.training.schedulers import Schedule
from models.training.settings import TrainingSettings
from models.training.trainer import Trainer, epoch_order, seed_everything

SAMPLE_ROWS = 256
See = Callable[[Trainer, float], bool]
"""Takes the trainer after a step and that step's loss; answers whether to go on."""


@dataclass(frozen=True)
class Subject:
    """The plan of a diagnose request."""

    context: JobContext
    dataset: DataSet
    plan: Plan
    task: Supervised

    @classmethod
    def of(cls, context: JobContext) -> Self:
        """As a train job would plan it.

        Raises:
            JobError: the request or the data cannot be trained with.
        """
        dataset = DataSet.open(given(context.dataset))
        plan = Plan.of(context.request, dataset)
        if not isinstance(plan.task, Supervised):
            raise JobError(
                "task_unsuitable", f"{plan.architecture.name} learns no targets, and these checks need them."
            )
        return cls(context, plan.dataset, plan, plan.task)

    @property
    def train(self) -> Examples:
        """The training rows."""
        return self.plan.splits["train"]

    @property
    def title(self) -> str:
        """What figures are of."""
        return f"{self.context.request['architecture']} on {self.context.request['dataset']}"

    def network(self) -> nn.Module:
        """The network as training begins with it."""
        seed_everything(self.plan.settings.seed)
        return self.plan.network().to(self.plan.compute.device).train()

    def batch(self, most: int = SAMPLE_ROWS) -> Batch:
        """Training rows at random, the same each time; fewer where inputs are large, but two at least."""
        return self.train.gather(self._places(max(2, fitting(most, self.train.input_shape))))

    def examples(self, count: int) -> Examples:
        """So many training rows at random, to be learned from."""
        rows = self.train.rows[self._places(count).numpy()]
        return self.dataset.examples("train", np.sort(rows), self.plan.compute.device)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """The loss () of a batch."""
        return self.task.criterion(self.task.outputs(network, batch.inputs, batch.targets), batch.targets)

    def loss_of_zeros(self, network: nn.Module, batch: Batch) -> float:
        """The loss of a batch if every output were 0: what can be expected of a network that knows nothing.

        Of the cross-entropy of K classes it is ln K, of the squared error of standardised targets their variance.
        """
        with torch.no_grad():
            outputs = self.task.outputs(network, batch.inputs, batch.targets)
            return float(self.task.criterion(torch.zeros_like(outputs), batch.targets))

    def take_steps(
        self,
        see: See,
        *,
        network: nn.Module | None = None,
        train: Examples | None = None,
        settings: TrainingSettings | None = None,
        schedule: Schedule | None = None,
    ) -> str | None:
        """Train from the start until `see` has seen enough, or to the last epoch; says why if it diverged.

        Raises:
            Stopped: the user cancelled or paused.
        """
        trainer = Trainer(
            self.network() if network is None else network,
            self.task,
            self.train if train is None else train,
            None,
            settings or self.plan.settings,
            self.plan.compute,
            [_Watching(see, self.context.report)],
        )
        trainer.schedule = schedule or trainer.schedule
        try:
            trainer.fit()
        except _Enough:
            pass
        except TrainingDiverged as error:
            return error.detail
        return None

    def draw(self, name: str, chart: Chart) -> tuple[ProducedFile, ...]:
        """Leave a chart as PNG and for notebooks; an axis without a number above 0 cannot be logarithmic."""
        shown = replace(
            chart,
            log_x=chart.log_x and any(_has_positive(series.x) for series in chart.series),
            log_y=chart.log_y and any(_has_positive(series.y) for series in chart.series),
        )
        return tuple(draw(shown, name, self.context.scratch))

    def _places(self, count: int) -> Tensor:
        return epoch_order(len(self.train), self.plan.settings.seed, 0)[:count]


class _Enough(Exception):
    """No further step is wanted."""


class _Watching(Callback):
    def __init__(self, see: See, report: Reporter) -> None:
        self.see, self.report = see, report

    def on_step(self, trainer: Trainer) -> None:
        obey(self.report)
        if not self.see(trainer, trainer.take_means()["train_loss"]):
            raise _Enough


def weighted(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The layers with weights of their own, by the names that `python -m models summary` gives them."""
    return [
        (name.removeprefix("1."), layer)
        for name, layer in network.named_modules()
        if any(parameter.ndim > 1 for parameter in layer.parameters(recurse=False))
    ]


def _has_positive(values: Sequence[Any]) -> bool:
    return any(isinstance(value, int | float) and value > 0 for value in values)


def named(names: Sequence[Any], most: int = 4) -> str:
    """A few names for a sentence."""
    return ", ".join(map(str, names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")
