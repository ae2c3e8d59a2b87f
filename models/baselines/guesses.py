"""Baselines that look at no input."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baselines.contest import Contest, Entry
from models.metrics.classification import class_frequencies

NAMES = {"classification": "most_frequent", "regression": "mean", "segmentation": "most_frequent"}
"""What the task's own guess is called."""


def guess(contest: Contest) -> Iterator[Entry]:
    """The best answer that is the same for every row; of classes also draws by their frequencies in training."""
    began_at, train = monotonic(), contest.targets("train")
    answers = {
        name: contest.task.guess(train, len(contest.splits[name]), contest.num_outputs) for name in contest.measured
    }
    yield contest.entry(NAMES[contest.task.name], "random", answers, began_at)
    if contest.task.name == "classification":
        began_at, generator = monotonic(), np.random.default_rng(contest.seed)
        shares = class_frequencies(train, contest.num_outputs)
        drawn = {name: _drawn(shares, len(contest.splits[name]), generator) for name in contest.measured}
        yield contest.entry("stratified", "random", drawn, began_at)


def _drawn(shares_K: NDArray[Any], count: int, generator: np.random.Generator) -> NDArray[Any]:
    """Classes drawn by their shares, as probabilities (count, K) of 0 and 1."""
    return np.eye(len(shares_K))[generator.choice(len(shares_K), count, p=shares_K)]
