"""How drawn examples compare with real ones: their distribution, their classes and how they differ from each other.

Fréchet distance of two normal distributions (Dowson and Landau 1982), as Heusel et al. 2017 (GANs trained by a two
time-scale update rule) apply it to a classifier's features:

    d² = ‖μ_a - μ_b‖² + tr(Σ_a + Σ_b - 2 (Σ_a Σ_b)^½)

There the features are an Inception network's; figures of other features cannot be compared with those.
"""

from collections.abc import Iterable
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

Array = NDArray[Any]
FOUND_SHARE = 0.1
"""A class is found if it is drawn at least at so much of its rate among real examples."""


def frechet_distance(a_NF: Array, b_MF: Array) -> float:
    """d² between the normal distributions fitted to two sets of features, of two rows or more each.

    tr (Σ_a Σ_b)^½ is the sum of the roots of the eigenvalues of Σ_a^½ Σ_b Σ_a^½, which is symmetric.
    """
    a_NF, b_MF = a_NF.astype(np.float64), b_MF.astype(np.float64)
    cov_a, cov_b = (np.atleast_2d(np.cov(features, rowvar=False)) for features in (a_NF, b_MF))
    values, vectors = np.linalg.eigh(cov_a)
    root_a = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    joint = np.linalg.eigvalsh(root_a @ cov_b @ root_a).clip(min=0)
    shift = a_NF.mean(axis=0) - b_MF.mean(axis=0)
    return max(0.0, float(shift @ shift + np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(joint).sum()))


def classes_found(drawn_K: Array, real_K: Array) -> int:
    """How many of the classes are drawn at a tenth or more of their share of the real examples."""
    return int(((drawn_K >= FOUND_SHARE * real_K) & (real_K > 0)).sum())


def diversity(drawn: Array, real: Array, labels: tuple[Array, Array] | None = None) -> float:
    """The mean distance between two drawn examples in that of two real ones: about 1, and 0 if all are the same.

    NaN if the real ones are all the same.
    With the labels of both, pairs are of one label, so that a generator that obeys a label and nothing else has 0.
    """
    drawn_labels, real_labels = labels or (np.zeros(len(drawn)), np.zeros(len(real)))
    distance = _mean_distance(real, real_labels)
    return _mean_distance(drawn, drawn_labels) / distance if distance else nan


def _mean_distance(examples: Array, labels_N: Array) -> float:
    """The mean Euclidean distance of the pairs of examples of one label; 0 without a pair."""
    distances: Iterable[Array] = (
        pdist(examples[labels_N == label].reshape(int((labels_N == label).sum()), -1)) for label in np.unique(labels_N)
    )
    joined = np.concatenate(list(distances))
    return float(joined.mean()) if len(joined) else 0.0
