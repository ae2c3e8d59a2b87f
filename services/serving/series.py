"""Series that a client sends, as float32 (N, T, F).

Each is given as it is, or as the `series` of an object, beside which `known_ahead` may say what is known of the steps
to forecast. It is a list of steps, or an object with a list for each column; a step is a list in the order of the
columns, an object by their names or, of one column, a number.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from services.errors import Invalid
from services.serving.inputs import FLOAT32_MAX, check_batch
from services.serving.padding import padded

MAX_STEPS = 10_000
SERIES, AHEAD = "series", "known_ahead"


def decode_series(inputs: Sequence[Any], columns: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Series of any length, followed by NaN. Raises `TooLarge`, and `Invalid` naming input, step and column."""
    check_batch(len(inputs))
    names = [column["name"] for column in columns]
    series = [read_steps(*_series(Spot(index), value), names) for index, value in enumerate(inputs)]
    return padded(series, (len(names),), np.nan, np.float32)


def decode_windows(inputs: Sequence[Any], described: Mapping[str, Any]) -> np.ndarray:
    """The last steps of series, as many as a forecast sees, and NaN for what is not known of those to come.

    Raises `Invalid` likewise, also where a series is too short.
    """
    check_batch(len(inputs))
    names = [column["name"] for column in described["columns"]]
    ahead = [place for place, column in enumerate(described["columns"]) if column["role"] == "known_ahead"]
    context, horizon = described["context"], described["horizon"]
    batch = np.full((len(inputs), *described["shape"]), np.nan, np.float32)
    for index, value in enumerate(inputs):
        spot = Spot(index)
        steps = read_steps(*_series(spot, value), names)
        if len(steps) < context:
            raise spot.wrong(f"the series has {len(steps)} steps; the model sees {context}: send at least so many")
        batch[index, :context] = steps[-context:]
        known = value.get(AHEAD) if isinstance(value, dict) and SERIES in value else None
        if known is not None or ahead:
            rows = _known_ahead(spot.at(AHEAD), known, [names[place] for place in ahead], horizon)
            batch[index, context:, ahead] = rows.T
    return batch


def _series(spot: "Spot", value: object) -> tuple["Spot", object]:
    """The series in what was sent for one input, and where it stands."""
    if not isinstance(value, dict) or SERIES not in value:
        return spot, value
    for name in value:
        if name not in (SERIES, AHEAD):
            raise spot.at(name).wrong(f"unknown; beside `{SERIES}` there is `{AHEAD}`")
    return spot.at(SERIES), value[SERIES]


def _known_ahead(spot: "Spot", value: object, names: Sequence[str], horizon: int) -> np.ndarray:
    """What is known of the steps to forecast (H, A)."""
    if not names:
        raise spot.wrong("the model knows no column ahead; leave it out")
    if value is None:
        raise spot.wrong(f"is missing: {', '.join(names)} for each of the {horizon} steps to forecast")
    steps = read_steps(spot, value, names)
    if len(steps) != horizon:
        raise spot.wrong(f"{len(steps)} steps; the model forecasts {horizon}: send exactly so many")
    return steps


class Spot(NamedTuple):
    """Where in the body something stands: `inputs[3].series[0].sales`."""

    number: int
    rest: tuple[str | int, ...] = ()

    def at(self, *further: str | int) -> "Spot":
        """Within it."""
        return self._replace(rest=(*self.rest, *further))

    def wrong(self, msg: str) -> Invalid:
        """What stands there is."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in (self.number, *self.rest))
        loc: list[str | int] = ["body", "inputs", self.number, *self.rest]
        return Invalid("input_invalid", f"inputs{''.join(parts)}: {msg}", [{"loc": loc, "msg": msg}])


def read_steps(spot: Spot, value: object, names: Sequence[str]) -> np.ndarray:
    """The steps (T, F) of one series, T being at least 1. Raises `Invalid`."""
    rows = _by_column(spot, value, names) if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise spot.wrong(f"a series is a list of steps, or an object with a list for each of {', '.join(names)}")
    if not 0 < len(rows) <= MAX_STEPS:
        raise spot.wrong(f"the series has {len(rows):,} steps; send 1 to {MAX_STEPS:,}")
    steps = np.empty((len(rows), len(names)), np.float32)
    for number, row in enumerate(rows):
        for place, (key, each) in enumerate(_step(spot.at(number), row, names)):
            try:
                steps[number, place] = _number(each)
            except ValueError as error:
                raise spot.at(number, *key).wrong(str(error)) from None
    return steps


def _by_column(spot: Spot, value: dict[str, Any], names: Sequence[str]) -> list[list[Any]]:
    """The steps of an object by column."""
    _require_names(spot, value, names)
    for name in names:
        if not isinstance(value[name], list):
            raise spot.at(name).wrong("expected a list with a number for each step")
        if len(value[name]) != len(value[names[0]]):
            raise spot.at(name).wrong(f"{len(value[name])} steps, and {names[0]} has {len(value[names[0]])}")
    return [list(step) for step in zip(*(value[name] for name in names), strict=True)]


def _step(spot: Spot, row: object, names: Sequence[str]) -> list[tuple[tuple[str | int, ...], Any]]:
    """What one step holds, each value with its place in the step."""
    if isinstance(row, dict):
        _require_names(spot, row, names)
        return [((name,), row[name]) for name in names]
    if isinstance(row, list):
        if len(row) != len(names):
            raise spot.wrong(f"{len(row)} values; expected {len(names)}: {', '.join(names)}")
        return [((place,), each) for place, each in enumerate(row)]
    if len(names) > 1:
        raise spot.wrong(f"a step is a list of {len(names)} numbers or an object by column name")
    return [((), row)]


def _require_names(spot: Spot, value: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in value:
        if name not in names:
            raise spot.at(name).wrong(f"unknown column; the columns are {', '.join(names)}")
    for name in names:
        if name not in value:
            raise spot.wrong(f"the column {name!r} is missing")


def _number(value: object) -> float:
    """Raises `ValueError` saying what is wrong."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("expected a number; a series has none missing: fill it in, or leave the step out")
    if abs(value) > FLOAT32_MAX:
        raise ValueError("the number is too large for float32")
    return float(value)
