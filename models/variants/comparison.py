"""A variant held against the graph it was made of: are its answers as good, and what does it gain?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from math import isfinite
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from models.data import DataSet
from models.examples import Examples
from models.inference import BATCH_SIZE, load
from models.ragged import joined
from models.random_inputs import Feeds, random_feeds
from models.tasks import TASKS
from models.training.settings import Split
from models.variants.source import Refused
from shapes.tokens import NO_TARGET

PARITY_BATCH_SIZES = (1, 2, 7, 32)
TIMED_BATCH_SIZES = (1, 32)
MAX_RUNS = 50
TIMED_SECONDS = 2.0

Answers = list[NDArray[Any]]


class HeldOut(NamedTuple):
    """Rows that the version has not learned from."""

    split: str
    examples: Examples


@dataclass(frozen=True, eq=False)
class Comparison:
    """A version's graph with what it is compared on.

    Without a data set the inputs are random, and there are no metrics.
    """

    original: bytes
    version: dict[str, Any]
    dataset: DataSet | None
    threads: int
    obey: Callable[[], None]
    """Called between runs; ends the job if its user wishes so."""

    def report(self, variant: bytes) -> dict[str, Any]:
        """Parity, metrics, size and latency of the variant beside the original's.

        Raises:
            Refused: its answers are of another shape, or not finite where the original's are.
        """
        return {
            "parity": self._parity(variant),
            "metrics": None if self.held_out is None else self._metrics(variant),
            "bytes": {"original": len(self.original), "variant": len(variant)},
            "latency_ms": self._latency(variant),
        }

    @cached_property
    def held_out(self) -> HeldOut | None:
        """The test rows of the version's training, else its validation rows; None if there are none."""
        for split in ("test", "validation"):
            if split in self._rows:
                return HeldOut(split, self._examples(split))
        return None

    def calibration(self, count: int) -> Iterator[Feeds]:
        """So many training inputs, spread over all of them, in batches."""
        train = self._examples("train")
        places = np.unique(np.linspace(0, len(train) - 1, min(count, len(train))).round().astype(np.int64))
        for batch in torch.split(torch.from_numpy(places), PARITY_BATCH_SIZES[-1]):
            self.obey()
            yield {self.version["signature"]["input"]["name"]: train.gather(batch).inputs.numpy()}

    @cached_property
    def _rows(self) -> dict[str, Any]:
        return {} if self.dataset is None else self.dataset.rows(Split.model_validate(self.version["split"]))

    def _examples(self, split: str) -> Examples:
        assert self.dataset is not None  # noqa: S101 - only asked for rows there are
        source, rows = self._rows[split]
        return self.dataset.examples(source, rows)

    @cached_property
    def _inputs(self) -> list[Any]:
        return list(self._load(self.original, 1).get_inputs())

    def _load(self, graph: bytes, threads: int) -> ort.InferenceSession:
        """As a gateway will load it."""
        return load(graph, threads, trusted=self.version.get("trusted", True))

    @property
    def _is_batchable(self) -> bool:
        return bool(self.version["signature"].get("batchable", True))

    @cache  # noqa: B019 - lives as long as the job
    def _feeds(self, rows: int) -> Feeds:
        """Inputs of so many rows: the first training rows, repeated where they are fewer; or random."""
        if self.dataset is None:
            size = self.version.get("trial", {}).get("size", 1)
            return random_feeds(self._inputs, rows=rows, size=size)
        train = self._examples("train")
        places = torch.arange(rows) % min(len(train), PARITY_BATCH_SIZES[-1])
        return {self._inputs[0].name: train.gather(places).inputs.numpy()}

    def _parity(self, variant: bytes) -> dict[str, Any]:
        """The largest difference of any two answers, and the largest answer to hold it against."""
        sizes = PARITY_BATCH_SIZES if self._is_batchable else (1,)
        ours, theirs = self._load(self.original, self.threads), self._load(variant, self.threads)
        difference = largest = 0.0
        for rows in sizes:
            self.obey()
            pairs = zip(ours.run(None, self._feeds(rows)), theirs.run(None, self._feeds(rows)), strict=True)
            for expected, answered in pairs:
                difference = max(difference, _difference(expected, answered))
                largest = max(largest, _largest(expected))
        return {"max_abs_difference": difference, "max_abs_answer": largest, "batch_sizes": list(sizes)}

    def _metrics(self, variant: bytes) -> dict[str, Any]:
        """The task's metrics on the held-out rows, those that are one number, and the main one's loss."""
        assert self.held_out is not None  # noqa: S101 - the caller looked
        ours, theirs = self._original_scores, self._scores(variant)
        main = TASKS[self.version["signature"]["task"]].main_metric
        known = ours[main] is not None and theirs[main] is not None
        return {
            "split": self.held_out.split,
            "rows": len(self.held_out.examples),
            "original": ours,
            "variant": theirs,
            "main": main,
            "loss": ours[main] - theirs[main] if known else None,
        }

    @cached_property
    def _original_scores(self) -> dict[str, Any]:
        return self._scores(self.original)

    def _scores(self, graph: bytes) -> dict[str, Any]:
        assert self.dataset is not None and self.held_out is not None  # noqa: S101, PT018 - the caller looked
        signature, examples = self.version["signature"], self.held_out.examples
        task, session = TASKS[signature["task"]], self._load(graph, self.threads)
        answers = []
        for batch in examples.batches(BATCH_SIZE):
            self.obey()
            outputs = session.run(None, {self._inputs[0].name: batch.inputs.numpy()})
            if not all(np.isfinite(each).all() for each in outputs):
                raise Refused("Some of its answers to the held-out rows are not finite numbers.")
            answers.append(task.read(outputs if len(outputs) > 1 else outputs[0], signature["output"]))
        scores = task.score(
            self.dataset.truth(examples),
            joined(answers, NO_TARGET),
            signature["labels"],
            self.dataset.num_inputs,
        )
        return {name: value for name, value in scores.items() if value is None or isinstance(value, float)}

    def _latency(self, variant: bytes) -> dict[str, Any]:
        """Milliseconds of a run with one thread, the median of runs made in turns, by batch size."""
        sessions = {"original": self._load(self.original, 1), "variant": self._load(variant, 1)}
        times: dict[str, Any] = {"threads": 1}
        for rows in TIMED_BATCH_SIZES if self._is_batchable else (1,):
            feeds = self._feeds(rows)
            taken: dict[str, list[float]] = {name: [] for name in sessions}
            ends_at = perf_counter() + TIMED_SECONDS
            while len(taken["variant"]) <= MAX_RUNS and (not taken["variant"] or perf_counter() < ends_at):
                for name, session in sessions.items():
                    self.obey()
                    started_at = perf_counter()
                    session.run(None, feeds)
                    taken[name].append((perf_counter() - started_at) * 1000)
            # The first run of each is for warming up, unless there was time for no other.
            times[f"batch_{rows}"] = {name: median(each[1:] or each) for name, each in taken.items()}
        return times


def _difference(expected: NDArray[Any], answered: NDArray[Any]) -> float:
    """The largest absolute difference of two answers; of text, 1 where they differ.

    Raises:
        Refused: they are of other shapes or types, or what is finite in one is not in the other.
    """
    if expected.shape != answered.shape or expected.dtype != answered.dtype:
        raise Refused(f"It answers {answered.dtype} {answered.shape} where the original does {_described(expected)}.")
    if expected.dtype.kind in "OUSb":
        return float((expected != answered).any())
    # What is infinite, or not a number, in both is the same.
    with np.errstate(invalid="ignore"):
        differences = np.abs(expected.astype(np.float64) - answered.astype(np.float64))
    same = (expected == answered) | (np.isnan(expected) & np.isnan(answered))
    largest = float(np.where(same, 0.0, differences).max(initial=0.0))
    if not isfinite(largest):
        raise Refused("Some of its answers are not finite numbers where the original's are.")
    return largest


def _largest(answers: NDArray[Any]) -> float:
    if answers.dtype.kind in "OUSb":
        return 1.0
    return float(np.abs(np.nan_to_num(answers.astype(np.float64), posinf=0.0, neginf=0.0)).max(initial=0.0))


def _described(answers: NDArray[Any]) -> str:
    return f"{answers.dtype} {answers.shape}"
