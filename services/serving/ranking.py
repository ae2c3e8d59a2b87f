"""The greatest of many values."""

import numpy as np


def best(values: np.ndarray, count: int) -> np.ndarray:
    """The places of the `count` greatest values of a flat array, or of all if there are fewer; `count` is at least 1.

    They are `np.argsort(-values, kind="stable")[:count]`: the greatest first, of equal ones the first, NaN last.
    Only those that come into question are sorted.
    """
    negated = -values
    if count >= len(negated):
        return np.argsort(negated, kind="stable")
    bound = np.partition(negated, count - 1)[count - 1]
    near = np.flatnonzero(~(negated > bound))  # all of them where the bound is NaN
    return near[np.argsort(negated[near], kind="stable")[:count]]
