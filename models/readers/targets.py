"""What a column or array of targets is for: classes or numbers."""

from collections.abc import Iterable

import numpy as np

from models.errors import UnsuitableData
from models.readers.source import MAX_NAME_CHARACTERS, Task
from models.readers.stream import shown
from models.readers.writer import Array, chunks

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


class ClassIndex:
    """Classes that become known one by one: numbered as they come, and in the end in the order of their names."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._codes: dict[str, int] = {}

    def code(self, name: str) -> int:
        """The number of a class for the time being.

        Raises:
            UnsuitableData: too many classes, or a name that is too long for one.
        """
        code = self._codes.get(name)
        if code is None:
            if len(self._codes) == MAX_CLASSES or len(name) > MAX_NAME_CHARACTERS:
                raise UnsuitableData(
                    f"The {self._what} has more than {MAX_CLASSES:,} distinct values, or values of over"
                    f" {MAX_NAME_CHARACTERS} characters such as {shown(name)}; these are no classes."
                )
            code = self._codes[name] = len(self._codes)
        return code

    @property
    def classes(self) -> list[str]:
        """The names in order."""
        return sorted(self._codes)

    def recode(self, codes: Array) -> None:
        """Replace, in place, numbers given so far by indices of `classes`."""
        places = {name: place for place, name in enumerate(self.classes)}
        final = np.array([places[name] for name in self._codes], np.int64)
        for chunk in chunks(codes):
            chunk[:] = final[chunk]
