"""The rows that baselines learn from and are measured on, and how an answer is scored."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.baselines.features import Features
from models.baselines.terms import Terms
from models.data import DataSet, require_learnable
from models.examples import Examples, require_finite_targets
from models.fits.scoring import numbers_of
from models.splits import Rows, spread
from models.tasks import TASKS, Task
from models.training.settings import training_settings

Array = NDArray[Any]
MAX_ROWS = 20_000
"""Classical learners and the search take no more training rows than this, drawn at random; they would take hours."""


class Entry(NamedTuple):
    """One baseline and what it came to."""

    name: str
    family: str
    metrics: dict[str, dict[str, Any]]
    """Of each held-out split: single numbers and their `intervals`."""
    seconds: float
    settings: dict[str, Any]
    error: str | None = None
    """Why there are no metrics."""


@dataclass(frozen=True)
class Contest:
    """A data set divided as a train job divides it."""

    dataset: DataSet
    task: type[Task]
    splits: dict[str, Examples]
    seed: int
    threads: int

    @classmethod
    def of(cls, dataset: DataSet, request: Mapping[str, Any], threads: int) -> "Contest":
        """The rows of the request's `training.split`.

        Raises:
            UnsuitableData: they cannot be learned from, or there are too few to hold any out.
        """
        splits = dataset.divided(training_settings(request["training"]).split)
        require_learnable(dataset, splits["train"])
        for examples in splits.values():
            require_finite_targets(examples)
        return cls(dataset, TASKS[dataset.manifest["task"]], splits, request["seed"], threads)

    @property
    def measured(self) -> list[str]:
        """The splits that are measured on, the one that counts first."""
        return [name for name in ("test", "validation") if name in self.splits]

    @property
    def num_outputs(self) -> int:
        """Classes, or 1 for a regression."""
        return len(self.dataset.labels or ["value"])

    def targets(self, split: str) -> Array:
        """The targets of a split."""
        targets: Array = self.splits[split].targets.numpy()
        return targets

    @cached_property
    def learned_from(self) -> Rows:
        """The places among the training rows that learners see: all, or a sample with every class in it."""
        targets = self.targets("train")
        classes = None if self.dataset.labels is None else targets
        order = spread(len(targets), classes, self.seed)
        if len(order) <= MAX_ROWS:
            return np.sort(order)
        kept = order[:MAX_ROWS]
        if classes is not None:
            kept = np.union1d(kept, order[np.unique(classes[order], return_index=True)[1]])
        return np.sort(kept)

    @property
    def is_of_texts(self) -> bool:
        """Whether learners see strings of letters, which are many and of which each row has few."""
        return self.dataset.modality in ("text", "tree")

    @cached_property
    def features(self) -> Features | Terms:
        """What learners see of a row, fitted to the rows that they learn from."""
        if self.is_of_texts:
            return Terms.fitted(self.dataset, self._sample)
        return Features.fitted(self.dataset, self._sample, self.seed)

    @cached_property
    def _sample(self) -> Examples:
        train = self.splits["train"]
        return (
            train
            if len(self.learned_from) == len(train)
            else self.dataset.examples("train", train.rows[self.learned_from])
        )

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The features (N, G) of the rows to learn from, `train`, and of the splits that are measured.

        Those of texts are sparse matrices of scipy's.
        """
        return {"train": self.features.of(self._sample)} | {
            name: self.features.of(self.splits[name]) for name in self.measured
        }

    def entry(self, name: str, family: str, answers: Mapping[str, Array], began_at: float, **settings: Any) -> Entry:
        """A baseline's record, from its answers for the measured splits and when it began, by `time.monotonic`."""
        seconds = monotonic() - began_at
        metrics = {split: self._measured(self.targets(split), answers[split]) for split in self.measured}
        return Entry(name, family, metrics, seconds, settings)

    def _measured(self, targets: Array, answers: Array) -> dict[str, Any]:
        num_inputs = self.dataset.num_inputs
        scores = self.task.measure(targets, answers, self.dataset.labels, num_inputs)
        return {**numbers_of(scores), "intervals": scores["intervals"]}
