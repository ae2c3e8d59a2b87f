"""How a data set is divided into `train`, `validation` and `test`: rows by shares, steps of series by time."""

from collections.abc import Iterable, Mapping
from typing import Any

_PERIODS = {"month": 12, "day": 7, "hour": 24}
"""How many units of time go by until a season comes again: a year, a week, a day."""


class Indivisible(ValueError):
    """There is too little for a part; the message names the remedy."""


def sizes(count: int, shares: Mapping[str, float]) -> dict[str, int]:
    """How many of so many rows each part has that is to have a share of them; two or more are left for `train`.

    Raises:
        Indivisible: there are too few.
    """
    held_out = {name: round(count * share) for name, share in shares.items() if share}
    for name, size in held_out.items():
        if size == 0:
            raise Indivisible(
                f"{count} rows are too few to hold {shares[name]:.0%} of them out for {name}: "
                f"add rows, or set training.split.{name} higher, or to 0 to go without"
            )
    left = count - sum(held_out.values())
    if left < 2:
        raise Indivisible(
            f"{left} of {count} rows would be left to train on and 2 is the least: add rows, or lower "
            "training.split.validation and training.split.test"
        )
    return held_out


def in_time(validation: float, test: float, until: float = 1.0) -> dict[str, tuple[float, float]]:
    """From which share of a series' length to which each part is: the last steps `until` a share are for the test."""
    of_test = until * (1 - test)
    of_validation = of_test - until * validation
    parts = {"train": (0.0, of_validation), "validation": (of_validation, of_test), "test": (of_test, until)}
    return {name: part for name, part in parts.items() if name == "train" or part[0] < part[1]}


def first_origin(context: int, season: int) -> int:
    """How many steps a series has before the first that is forecast: the context, and one more than a season, so that
    the seasonal naive forecast and its error are known."""
    return max(context, season + 1)


def season_of(time: Mapping[str, Any]) -> int:
    """After how many steps of this spacing a season comes again; 1 if that is not known."""
    period, step = _PERIODS.get(time["unit"], 1), int(time["step"])
    return period // step if period % step == 0 else 1


def origins(lengths: Iterable[int], part: tuple[float, float], first: int, horizon: int) -> list[range]:
    """Of series of these lengths, the steps at which a forecast begins that is of nothing but a part of each.

    Raises:
        Indivisible: there is none.
    """
    begin, end = part
    found = [range(max(round(n * begin), first), round(n * end) - horizon + 1) for n in lengths]
    if not any(found):
        raise Indivisible(
            f"No {horizon} steps lie between {begin:.0%} and {end:.0%} of a series with {first} before them: lower "
            "horizon, context or season, or change training.split"
        )
    return found
