"""Metrics of tags. The worked example is that of `seqeval`'s README; its figures are quoted from there."""

import numpy as np
import pytest

from models.metrics.intervals import tagging_intervals
from models.metrics.tagging import entity_types, tagging_scores
from shapes.tokens import NO_TARGET

LABELS = ["B-MISC", "B-PER", "I-MISC", "I-PER", "O"]
TRUE = ["O O O B-MISC I-MISC I-MISC O", "B-PER I-PER O"]
PREDICTED = ["O O B-MISC I-MISC I-MISC I-MISC O", "B-PER I-PER O"]


def rows(texts: list[str], labels: list[str]) -> np.ndarray:
    coded = [[labels.index(tag) for tag in text.split()] for text in texts]
    width = max(map(len, coded))
    return np.array([row + [NO_TARGET] * (width - len(row)) for row in coded])


def test_the_example_of_seqeval_has_its_figures() -> None:
    scores = tagging_scores(rows(TRUE, LABELS), rows(PREDICTED, LABELS), LABELS)
    assert scores["token_accuracy"] == 0.8
    assert [scores[f"entity_{name}"] for name in ("precision", "recall", "f1", "f1_macro")] == [0.5, 0.5, 0.5, 0.5]
    assert scores["per_entity"] == [
        {"label": "MISC", "precision": 0.0, "recall": 0.0, "f1": 0.0, "entities": 1},
        {"label": "PER", "precision": 1.0, "recall": 1.0, "f1": 1.0, "entities": 1},
    ]


def test_micro_and_macro_averages_differ_where_types_do() -> None:
    true = rows(["B-PER B-PER B-PER B-MISC"], LABELS)
    predicted = rows(["B-PER B-PER O B-PER"], LABELS)
    scores = tagging_scores(true, predicted, LABELS)
    assert scores["entity_precision"] == pytest.approx(2 / 3)
    assert scores["entity_recall"] == pytest.approx(2 / 4)
    assert scores["entity_f1"] == pytest.approx(4 / 7)
    assert scores["entity_f1_macro"] == pytest.approx((4 / 6 + 0) / 2)


def test_a_type_that_is_nowhere_is_in_no_mean() -> None:
    same = rows(["B-PER O"], LABELS)
    assert tagging_scores(same, same, LABELS)["entity_f1_macro"] == 1


def test_tokens_that_were_not_read_are_wrong_and_outside_of_entities() -> None:
    true = rows(["B-PER I-PER I-PER"], LABELS)
    predicted = true.copy()
    predicted[0, 2] = NO_TARGET
    scores = tagging_scores(true, predicted, LABELS)
    assert scores["token_accuracy"] == pytest.approx(2 / 3)
    assert scores["entity_f1"] == 0


def test_of_tags_without_entities_each_token_is_judged() -> None:
    labels = ["NN", "VB", "O"]
    assert entity_types(labels) == labels
    scores = tagging_scores(rows(["NN VB NN O"], labels), rows(["NN NN NN O"], labels), labels)
    assert scores["token_accuracy"] == scores["entity_f1"] == scores["entity_precision"] == 0.75
    assert [row["recall"] for row in scores["per_entity"]] == [1, 0, 1]


def test_intervals_hold_the_figures_of_many_rows() -> None:
    true, predicted = rows(TRUE * 50, LABELS), rows(PREDICTED * 50, LABELS)
    scores, intervals = tagging_scores(true, predicted, LABELS), tagging_intervals(true, predicted, LABELS)
    for name in ("token_accuracy", "entity_precision", "entity_recall", "entity_f1"):
        low, high = intervals[name]
        assert low < scores[name] < high, name
