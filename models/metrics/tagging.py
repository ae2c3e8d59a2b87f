"""Metrics of rows of tags: the share of the tokens with the right tag, and how many entities are found exactly.

    precision = |T ∩ P| / |P|,   recall = |T ∩ P| / |T|,   F1 = 2 |T ∩ P| / (|T| + |P|)

of the true entities T and the predicted ones P: an entity is its type and where it begins and ends, as in `seqeval`
(CoNLL-2000; Tjong Kim Sang and Buchholz 2000). Of tags that mark no entities, each token is one, so that all three are
the share of the tokens that are right. A ratio whose denominator is 0 counts as 0.
Shapes: N rows, L tokens, E types of entities, B resamples. What follows a row is `NO_TARGET`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.metrics.resampling import resampled_sums
from shapes.entities import entities, is_iob
from shapes.tokens import NO_TARGET

Array = NDArray[Any]


class Found(NamedTuple):
    """Of each row, or of all rows together: tokens, those with the right tag, and entities of each type (..., E)."""

    tokens: Array
    right: Array
    true: Array
    predicted: Array
    both: Array

    def summed(self) -> "Found":
        """Of all rows together."""
        return Found(*(counts.sum(axis=0) for counts in self))

    def scores(self) -> dict[str, Array]:
        """The metrics that are one number."""
        whole = [counts.sum(axis=-1) for counts in (self.true, self.predicted, self.both)]
        known = (self.true + self.predicted) > 0
        macro = np.where(known, _f1(self.true, self.predicted, self.both), 0).sum(axis=-1)
        return {
            "token_accuracy": _ratio(self.right, self.tokens),
            "entity_precision": _ratio(whole[2], whole[1]),
            "entity_recall": _ratio(whole[2], whole[0]),
            "entity_f1": _f1(*whole),
            "entity_f1_macro": _ratio(macro, known.sum(axis=-1)),
        }


def entity_types(labels: Sequence[str]) -> list[str]:
    """The types of entities that these tags mark; of tags that mark none, the tags themselves."""
    return sorted({label[2:] for label in labels if label[2:]}) if is_iob(labels) else list(labels)


def found(targets_NL: Array, tags_NL: Array, labels: Sequence[str]) -> Found:
    """What is found in each row (N,), and of each type (N, E). A token without a predicted tag is wrong."""
    types = {name: place for place, name in enumerate(entity_types(labels))}
    counts = np.zeros((3, len(targets_NL), len(types)), np.int64)
    tokens_NL = targets_NL != NO_TARGET
    right_NL = tokens_NL & (targets_NL == tags_NL)
    for row, (true, predicted, is_token) in enumerate(zip(targets_NL, tags_NL, tokens_NL, strict=True)):
        spans = [_spans(tags[is_token], labels) for tags in (true, predicted)]
        for place, some in enumerate((*spans, spans[0] & spans[1])):
            for label, _, _ in some:
                counts[place, row, types[label]] += 1
    return Found(tokens_NL.sum(axis=1), right_NL.sum(axis=1), *counts)


def tagging_scores(targets_NL: Array, tags_NL: Array, labels: Sequence[str]) -> dict[str, Any]:
    """Token accuracy, precision, recall and F1 of all entities together (micro), the types' mean F1, and each type's.

    The mean is over the types that have an entity, true or predicted, as in `seqeval`.
    """
    total = found(targets_NL, tags_NL, labels).summed()
    ratios = {
        "precision": _ratio(total.both, total.predicted),
        "recall": _ratio(total.both, total.true),
        "f1": _f1(total.true, total.predicted, total.both),
    }
    return {
        **{name: float(value) for name, value in total.scores().items()},
        "per_entity": [
            {
                "label": label,
                **{name: float(values[place]) for name, values in ratios.items()},
                "entities": int(total.true[place]),
            }
            for place, label in enumerate(entity_types(labels))
        ],
    }


def tagging_resamples(targets_NL: Array, tags_NL: Array, labels: Sequence[str]) -> dict[str, Array]:
    """All metrics that are one number (B,). What is drawn are rows: the tokens of one are not independent."""
    each = found(targets_NL, tags_NL, labels)
    num_types = each.true.shape[1]
    sums_BC = resampled_sums(np.column_stack([*each]).astype(np.float64))
    tokens, right, *counts = np.split(sums_BC, [1, 2, 2 + num_types, 2 + 2 * num_types], axis=1)
    return Found(tokens[:, 0], right[:, 0], *counts).scores()


def _spans(tags: Array, labels: Sequence[str]) -> set[tuple[str, int, int]]:
    names = ["" if tag == NO_TARGET else labels[tag] for tag in tags.tolist()]
    if is_iob(labels):
        return set(entities(names))
    return {(name, place, place + 1) for place, name in enumerate(names) if name}


def _f1(true: Array, predicted: Array, both: Array) -> Array:
    return _ratio(2 * both, true + predicted)


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)
