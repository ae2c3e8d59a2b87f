"""The rows that are evaluated beside those that the version was trained on."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from models.data import DataSet
from models.evaluation import drift
from models.evaluation.answering import Answering
from models.evaluation.evaluator import Column, Evaluator
from models.evaluation.features import Features
from models.examples import Examples
from models.metrics import Array
from models.training.settings import Split

MAX_ROWS = 2000
"""Of either kind, drawn at random: more would show smaller differences than matter."""


def sample_of(count: int) -> Array:
    """The places of at most so many rows, in order."""
    drawn: Array = np.random.default_rng(0).permutation(count)[:MAX_ROWS]
    return np.sort(drawn)


def training_rows(dataset: DataSet, version: dict[str, Any]) -> Examples:
    """A sample of the rows that the version was trained on, of its own data set."""
    source, rows = dataset.rows(Split.model_validate(version["split"]))["train"]
    return dataset.examples(source, rows[sample_of(len(rows))])


def compare(
    known: tuple[Answering, Examples],
    new: tuple[Answering, Examples],
    answers: Array,
    evaluator: Evaluator,
    threads: int,
) -> dict[str, Any]:
    """Training rows and new ones, with the version's `answers` to all of the new: columns, origins and a verdict."""
    features = Features.of(known[0].candidate.version["signature"])
    places = sample_of(len(new[1]))
    seen, learned = [], []
    for inputs, feed in known[0].asked(known[1]):
        seen.append(features.measure(inputs))
        learned.append(known[0].answer([feed]))
    reference = _columns(features, seen, np.concatenate(learned), evaluator)
    numbers = [features.measure(batch) for batch in new[0].inputs(new[1], places)]
    entries = drift.compare_columns(reference, _columns(features, numbers, answers[places], evaluator))
    origins = drift.told_apart(np.concatenate(seen), np.concatenate(numbers), threads)
    return {
        "verdict": drift.verdict(entries, origins),
        "rows": {"reference": len(known[1]), "new": len(places)},
        "columns": entries,
        "classifier": origins,
    }


def _columns(features: Features, numbers: Iterable[Array], answers: Array, evaluator: Evaluator) -> list[Column]:
    return [*features.columns(np.concatenate(list(numbers))), *evaluator.outputs(answers)]
