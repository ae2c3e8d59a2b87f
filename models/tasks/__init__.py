"""Tasks by name: what a network's outputs mean, how they are trained and how they are answered."""

from collections.abc import Mapping
from typing import Any

from models.errors import JobError, Mismatch, UnknownName, UnsuitableData
from models.losses import LossOptions
from models.phases import Phase
from models.registry import Architecture
from models.tasks.base import Task
from models.tasks.classification import Classification
from models.tasks.forecasting import Forecasting
from models.tasks.generation import Generation
from models.tasks.reconstruction import Reconstruction
from models.tasks.regression import Regression
from models.tasks.segmentation import Segmentation
from models.tasks.tagging import Tagging
from models.tasks.text_generation import TextGeneration
from models.tasks.translation import Translation
from models.training.settings import TrainingSettings

__all__ = ["TASKS", "Classification", "Phase", "Regression", "Segmentation", "Task", "task_of", "with_loss"]

TASKS: dict[str, type[Task]] = {
    task.name: task
    for task in (
        Classification,
        Regression,
        Segmentation,
        Tagging,
        Translation,
        Forecasting,
        Reconstruction,
        Generation,
        TextGeneration,
    )
}


def task_of(architecture: Architecture, manifest: Mapping[str, Any], asked: str | None = None) -> str:
    """The task that is asked for, or the first of an architecture's, that a data set of this manifest suits.

    Raises:
        UnsuitableData: it learns from targets and there are none.
        Mismatch: the targets are for another task, or not what is asked for can be learned, but something else.
    """
    suited = [name for name in architecture.tasks if TASKS[name].suits(manifest)]
    if suited and asked is not None and asked not in suited:
        raise Mismatch(f"{architecture.name} can learn {' or '.join(suited)} from this data set, and not {asked}.")
    if suited:
        return asked or suited[0]
    dataset_task = manifest["task"]
    if dataset_task is None:
        raise UnsuitableData("The data set has no targets: upload it with labels, or use it with `infer`.")
    raise Mismatch(f"{architecture.name} does {' and '.join(architecture.tasks)}; the data set is for {dataset_task}.")


def with_loss(settings: TrainingSettings, task: str, own: LossOptions | None = None) -> TrainingSettings:
    """The settings with an architecture's own loss, or else the task's, where they name none.

    Of a task whose losses are the architecture's affair it stays none.

    Raises:
        UnknownName: there is no such task.
        JobError: `unsuitable_loss`, the settings' loss is for another task.
    """
    if task not in TASKS:
        raise UnknownName("task", task, list(TASKS))
    own = own or TASKS[task].default_loss
    if settings.loss is None:
        return settings.model_copy(update={"loss": own})
    if own is None:
        msg = f"is not for {task}: what is made small is among the architecture's hyperparameters; leave it out."
        raise JobError("unsuitable_loss", f"`training.loss` {msg}")
    if task not in settings.loss.tasks:
        raise JobError("unsuitable_loss", f"`training.loss` {settings.loss.name} is not for {task}; try {own.name}.")
    return settings
