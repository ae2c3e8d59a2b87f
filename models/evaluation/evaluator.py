"""What evaluating means for a task: one evaluator each. Answers are what the task's `read` keeps of a graph's outputs.

Shapes: N rows, B resamples.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from models.evaluation.charts import Figure
from models.metrics import Array, Scores
from models.metrics.intervals import Resamples


class Column(NamedTuple):
    """One thing that is known of each of some rows."""

    name: str
    values: Array
    """(N,): numbers, NaN where one is missing; with `categories`, their indices."""
    categories: tuple[str, ...] | None = None


@dataclass
class Examination:
    """What an evaluator finds beside the metrics."""

    result: dict[str, Any] = field(default_factory=dict)
    """What the job's result says of it."""
    curves: dict[str, Any] = field(default_factory=dict)
    """Numbers to draw with, which only the report has."""
    figures: dict[str, Figure] = field(default_factory=dict)
    """By the names of their files."""


@dataclass(frozen=True)
class Evaluator(ABC):
    """For answers of one task, in the classes `labels` where there are any."""

    labels: list[str]
    num_inputs: int
    """How many numbers an input has."""

    def fitted(self, answers: Array, labels: list[str] | None, targets: Array) -> Array:
        """The answers of a version with its own labels in the form of the targets: classes in our order."""
        return answers

    @abstractmethod
    def losses(self, targets: Array, answers: Array) -> Array:
        """How wrong each answer is (N,); the more, the worse."""

    @abstractmethod
    def describe(self, target: Any, answer: Any) -> dict[str, Any]:
        """What a list says of one row: what is true and what was predicted."""

    @abstractmethod
    def examine(
        self, targets: Array, answers: Array, scores: Scores, calibration: Mapping[str, Any] | None
    ) -> Examination:
        """Curves and figures; `calibration` is what is kept with the version."""

    @abstractmethod
    def outputs(self, answers: Array) -> list[Column]:
        """What of the answers is watched for drift."""

    @abstractmethod
    def resamples(self, targets: Array, answers: Array) -> Resamples:
        """The metrics of resampled rows, in pairs for any two versions' answers."""

    def influences(self, targets: Array, answers: Array) -> dict[str, Array]:
        """By metric that cannot be resampled, the influence of each row (N,) on it."""
        return {}

    @abstractmethod
    def test(self, targets: Array, first: Array, second: Array) -> dict[str, Any]:
        """Whether two versions' answers to the same rows are right to the same degree.

        `name`, `p_value` and, in words, what it rests on as `detail`.
        """
