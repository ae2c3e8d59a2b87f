"""Tasks by name: what a network's outputs mean, how they are trained and how they are answered."""

from models.errors import JobError, UnknownName
from models.losses import LossOptions
from models.tasks.base import Phase, Task
from models.tasks.classification import Classification
from models.tasks.regression import Regression
from models.tasks.segmentation import Segmentation
from models.training.settings import TrainingSettings

__all__ = ["TASKS", "Classification", "Phase", "Regression", "Segmentation", "Task", "with_loss"]

TASKS: dict[str, type[Task]] = {task.name: task for task in (Classification, Regression, Segmentation)}


def with_loss(settings: TrainingSettings, task: str, own: LossOptions | None = None) -> TrainingSettings:
    """The settings with an architecture's own loss, or else the task's, where they name none.

    Raises:
        UnknownName: there is no such task.
        JobError: `unsuitable_loss`, the settings' loss is for another task.
    """
    if task not in TASKS:
        raise UnknownName("task", task, list(TASKS))
    own = own or TASKS[task].default_loss
    if settings.loss is None:
        return settings.model_copy(update={"loss": own})
    if task not in settings.loss.tasks:
        raise JobError("unsuitable_loss", f"`training.loss` {settings.loss.name} is not for {task}; try {own.name}.")
    return settings
