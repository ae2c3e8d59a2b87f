"""The columns of a table: what kind they are and how their cells become numbers."""

import math
from typing import Any

import numpy as np

from models.errors import JobError, UnsuitableData
from models.readers.rows import Row, invalid, parse_number
from models.readers.source import MAX_NAME_CHARACTERS, Task
from models.readers.stream import shown
from models.readers.targets import MAX_CLASSES, class_name, infer_task, number_classes, too_many_classes

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
LONGEST_MISSING = max(map(len, MISSING))
MAX_CATEGORIES = 1000
FLOAT32_MAX = float(np.finfo(np.float32).max)


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return len(cell) <= LONGEST_MISSING and cell.casefold() in MISSING


class Column:
    """A column of features. One that holds nothing but numbers is numeric, any other is categorical."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_numeric = True
        self.is_empty = True
        self._categories: set[str] = set()
        self._index: dict[str, float] = {}

    def observe(self, cell: str) -> None:
        """First pass: find out the kind."""
        if not is_missing(cell):
            self.is_empty = False
            if self.is_numeric and parse_number(cell) is None:
                self.is_numeric = False

    def collect(self, cell: str) -> int:
        """Second pass, of a categorical column: find the categories. Returns how many are new."""
        if cell in self._categories or is_missing(cell):
            return 0
        if len(self._categories) == MAX_CATEGORIES or len(cell) > MAX_NAME_CHARACTERS:
            raise invalid(
                f"The column {shown(self.name)} holds free text: over {MAX_CATEGORIES:,} distinct values, or values of"
                f" over {MAX_NAME_CHARACTERS} characters; remove it, or write numbers only."
            )
        self._categories.add(cell)
        return 1

    def close(self) -> None:
        """After the second pass: number the categories."""
        self._index = {category: float(index) for index, category in enumerate(sorted(self._categories))}

    def encode(self, row: Row, cell: str) -> float:
        """Last pass: the number, or the index of the category; NaN for a missing value."""
        if is_missing(cell):
            return math.nan
        if not self.is_numeric:
            return self._index[cell]
        value = parse_number(cell)
        if value is None or not abs(value) <= FLOAT32_MAX:
            raise invalid(
                f"The column {shown(self.name)} holds {shown(cell)} in {row.place}, which no 32-bit number can hold;"
                " correct or scale it."
            )
        return value

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        if self.is_numeric:
            return {"name": self.name, "kind": "numeric"}
        return {"name": self.name, "kind": "categorical", "categories": list(self._index)}


class TargetColumn:
    """The column to be predicted."""

    def __init__(self, name: str, task: Task | None) -> None:
        self.name = name
        self._asked_task = task
        self._is_numeric = True
        self._count = 0
        self._distinct: set[str] | None = set()
        self._index: dict[str, float] = {}
        self.task: Task = "classification"
        self.classes: list[str] | None = None

    def observe(self, row: Row, cell: str) -> None:
        """First pass: find out the kind and the classes."""
        if is_missing(cell):
            return
        self._count += 1
        value = parse_number(cell)
        if value is None:
            self._is_numeric = False
            if self._asked_task == "regression":
                raise UnsuitableData(
                    f"The target {shown(self.name)} is {shown(cell)} in {row.place}, not a number; correct it or set"
                    " `task` to classification."
                )
        elif not abs(value) <= FLOAT32_MAX:
            raise UnsuitableData(
                f"The target {shown(self.name)} is {shown(cell)} in {row.place}, which no 32-bit number can hold;"
                " correct or scale it."
            )
        if self._distinct is not None:
            self._distinct.add(cell)
            if len(self._distinct) > MAX_CLASSES:
                self._distinct = None

    def close(self) -> None:
        """After the first pass: settle the task and number the classes.

        Raises:
            UnsuitableData: no value at all, or too many classes.
        """
        if not self._count:
            raise UnsuitableData(
                f"The target {shown(self.name)} is missing in all rows; name another column in the option `target`,"
                ' or set it to "" for data without targets.'
            )
        numbers = self._numbers()
        if self._is_numeric:
            self.task = self._asked_task or infer_task(numbers, self._count, self.name)
        if self.task == "regression":
            return
        if self._distinct is None:
            raise too_many_classes()
        self.classes = sorted(self._distinct) if numbers is None else number_classes(numbers)
        if max(map(len, self.classes)) > MAX_NAME_CHARACTERS:
            raise UnsuitableData(
                f"The target {shown(self.name)} holds text of over {MAX_NAME_CHARACTERS} characters;"
                " choose a `target` that names classes."
            )
        self._index = {name: float(index) for index, name in enumerate(self.classes)}

    def encode(self, cell: str) -> float:
        """Last pass: the value, or the index of the class, of a cell that is not missing."""
        if self.classes is None:
            return float(cell)
        return self._index[class_name(float(cell)) if self._is_numeric else cell]

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return {"name": self.name, "dtype": "float32" if self.classes is None else "int64", "shape": []}

    def _numbers(self) -> set[float] | None:
        if not self._is_numeric or self._distinct is None:
            return None
        return {float(cell) for cell in self._distinct}


def choose_target(columns: list[str], wish: str | None) -> int | None:
    """Which column is the target: the one wished for, else `target`, `label`, `class` or `y`, else the last.

    Returns:
        Its position, or None for data without targets (`wish` is empty).

    Raises:
        JobError: `options_invalid`: there is no such column.
    """
    if wish == "":
        return None
    if wish is not None:
        if wish not in columns:
            known = ", ".join(map(shown, columns[:20]))
            raise JobError("options_invalid", f"There is no column {shown(wish)} for `target`; there are {known}.")
        return columns.index(wish)
    lowered = [name.lower() for name in columns]
    return next(
        (lowered.index(name) for name in ("target", "label", "class", "y") if name in lowered), len(columns) - 1
    )
