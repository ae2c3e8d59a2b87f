"""A search space as a list of dimensions, how a point of it is set in a request, and which trials are the best.

The gateway counts by it the trials of a grid, and each trial finds by it the point of its number.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

Objectives = Sequence[Mapping[str, str]]
"""`{"metric", "direction"}` of each, with the direction `minimize` or `maximize`."""
Point = Mapping[str, Any]
"""Values by path: `{"architecture": "mlp", "training.batch_size": 32}`."""


class Condition(BaseModel):
    """That the value at a path is one of these."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str
    values: tuple[Any, ...]

    def holds(self, point: Point) -> bool:
        """Whether it does so far; not where the path has no value."""
        return self.path in point and point[self.path] in self.values


class Dimension(BaseModel):
    """One of the things that a search varies: a number from `low` to `high`, or one of the `choices`.

    A number with a `step` is one of low, low + step, …, of which `high` need not be the last. With `log` it is spread
    evenly over its orders of magnitude. The dimension is there only where all conditions of `when` hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str
    kind: Literal["int", "float", "choice"]
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None
    choices: tuple[Any, ...] = ()
    when: tuple[Condition, ...] = ()

    @field_validator("when", mode="before")
    @classmethod
    def _as_conditions(cls, when: Any) -> Any:
        """No condition may be written as null, and one without a list around it."""
        return () if when is None else (when,) if isinstance(when, dict) else when

    def is_active(self, point: Point) -> bool:
        """Whether a configuration with these values so far has it."""
        return all(condition.holds(point) for condition in self.when)

    @property
    def spacing(self) -> float | None:
        """The distance of neighbouring numbers; None if any number between the bounds will do."""
        return 1.0 if self.kind == "int" and self.step is None else self.step

    def num_values(self) -> int:
        """How many values it can have.

        Raises:
            ValueError: infinitely many.
        """
        if self.kind == "choice":
            return len(self.choices)
        if self.spacing is None:
            msg = f"{self.path} has infinitely many values between its bounds: give it a step, or choices"
            raise ValueError(msg)
        return int((_exact(self.high) - _exact(self.low)) / _exact(self.spacing)) + 1

    def value(self, place: int) -> Any:
        """The value at a place, counted from 0. The sum is decimal, so that 0.1, 0.2, 0.3 are written so."""
        if self.kind == "choice":
            return self.choices[place]
        number = _exact(self.low) + place * _exact(self.spacing)
        return int(number) if self.kind == "int" else float(number)


def in_order(paths: Iterable[str]) -> list[str]:
    """The paths as they are to be set: a whole object before its parts, and the name of a choice before its options."""
    return sorted(paths, key=lambda path: (path.count("."), not path.endswith(".name")))


def put(settings: dict[str, Any], names: Sequence[str], value: Any, usual: Callable[[str], Mapping[str, Any]]) -> None:
    """Set a value in training settings.

    Of a choice with options, such as an optimiser, of which nothing else is said, the rest is the usual one's.
    """
    *parents, last = names
    if parents and not settings.get(parents[0]):
        settings[parents[0]] = {} if last == "name" else deepcopy(dict(usual(parents[0])))
    for parent in parents:
        settings = settings.setdefault(parent, {})
    settings[last] = deepcopy(value)


def losses(objectives: Objectives, values: Mapping[str, float]) -> tuple[float, ...]:
    """A trial's values by objective, less being better."""
    return tuple(
        -float(values[each["metric"]]) if each["direction"] == "maximize" else float(values[each["metric"]])
        for each in objectives
    )


def front(objectives: Objectives, values: Mapping[int, Mapping[str, float]]) -> set[int]:
    """The numbers of the trials that no other is at least as good as in every objective, and better in one.

    `values` are those of completed trials by number. With one objective they are the best, if several are equally good.
    """
    lost = {number: losses(objectives, own) for number, own in values.items()}
    found: list[tuple[float, ...]] = []
    for own in sorted(set(lost.values())):  # whatever beats another stands before it
        if not any(all(a <= b for a, b in zip(other, own, strict=True)) for other in found):
            found.append(own)
    return {number for number, own in lost.items() if own in found}


def grid_size(dimensions: Sequence[Dimension], limit: int) -> int:
    """How many points the grid has; where that is more than `limit`, some number above it.

    Conditions come after what they name, and where a dimension's do not hold it multiplies nothing.

    Raises:
        ValueError: a dimension has infinitely many values.
    """
    return _size(dimensions, _decisive(dimensions), {}, limit)


def grid_point(dimensions: Sequence[Dimension], number: int) -> dict[str, Any]:
    """The point of this number, counted from 0: the last dimension varies fastest.

    Raises:
        IndexError: the grid has no such point.
    """
    point: dict[str, Any] = {}
    decisive = _decisive(dimensions)
    for depth, dimension in enumerate(dimensions, 1):
        if dimension.is_active(point):
            place, number = _descend(dimension, dimensions[depth:], decisive, point, number)
            point[dimension.path] = dimension.value(place)
    if number:
        raise IndexError(number)
    return point


def _decisive(dimensions: Sequence[Dimension]) -> set[str]:
    """The paths that conditions name."""
    return {condition.path for dimension in dimensions for condition in dimension.when}


def _descend(
    dimension: Dimension, rest: Sequence[Dimension], decisive: set[str], point: dict[str, Any], number: int
) -> tuple[int, int]:
    """The place of the dimension's value in the point of this number, and the number among the points with it."""
    if dimension.path not in decisive:
        place, number = divmod(number, _size(rest, decisive, point, number))
        if place < dimension.num_values():
            return place, number
        raise IndexError(number)
    for place in range(dimension.num_values()):
        size = _size(rest, decisive, {**point, dimension.path: dimension.value(place)}, number)
        if number < size:
            return place, number
        number -= size
    raise IndexError(number)


def _size(dimensions: Sequence[Dimension], decisive: set[str], point: dict[str, Any], limit: int) -> int:
    """Points of the grid that have these values. Exact up to the limit; beyond it counting stops."""
    if not dimensions:
        return 1
    first, rest = dimensions[0], dimensions[1:]
    if not first.is_active(point):
        return _size(rest, decisive, point, limit)
    if first.path not in decisive:
        return first.num_values() * _size(rest, decisive, point, limit)
    total = 0
    for place in range(first.num_values()):
        total += _size(rest, decisive, {**point, first.path: first.value(place)}, limit)
        if total > limit:
            break
    return total


def _exact(number: float | None) -> Decimal:
    """As it is written. Raises `TypeError` for a bound that is missing."""
    if number is None:
        raise TypeError("a number has bounds")
    return Decimal(str(number))
