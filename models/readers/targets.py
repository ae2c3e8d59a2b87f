"""What a column or array of targets is for: classes or numbers."""

from collections.abc import Iterable

from models.errors import UnsuitableData
from models.readers.source import Task

MAX_CLASSES = 1000
MAX_INFERRED_CLASSES = 20
CLASS_COLUMNS = ("label", "class")


def infer_task(values: set[float] | None, count: int, name: str) -> Task:
    """The task that numeric targets are for, unless the user says.

    Whole numbers are classes if there are at most 20 of them and each occurs twice on average, or if the target
    is called `label` or `class`; everything else is regression.

    Args:
        values: The distinct values, or None if there are more than `MAX_CLASSES`.
        count: The number of samples.
        name: What the target is called.
    """
    if values is None or not all(value.is_integer() for value in values):
        return "regression"
    if name.lower() in CLASS_COLUMNS:
        return "classification"
    return "classification" if len(values) <= min(MAX_INFERRED_CLASSES, count // 2) else "regression"


def class_name(value: float) -> str:
    """A number as the name of a class: `3`, not `3.0`."""
    return str(int(value)) if value.is_integer() else repr(value)


def number_classes(values: Iterable[float]) -> list[str]:
    """The names of numeric classes, in the order of the numbers."""
    return [class_name(value) for value in sorted(values)]


def too_many_classes() -> UnsuitableData:
    """More classes than a network of this course is trained for."""
    return UnsuitableData(
        f"The target has more than {MAX_CLASSES:,} distinct values, too many for classes; choose another `target`,"
        " or set `task` to regression if they are numbers."
    )
