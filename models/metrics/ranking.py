"""How well the probabilities of each class rank its rows above all others: areas under ROC and precision-recall curves.

An area is a function of the rows' weights, all 1 / N. Its derivatives by them, the influences of the rows, give its
variance; for the area under the ROC curve that is DeLong's. Shapes: N rows, K classes.
Source: DeLong, DeLong and Clarke-Pearson 1988; Efron 1982, The jackknife, chapter 6 (infinitesimal jackknife).
"""

from typing import NamedTuple

import numpy as np

from models.metrics import Array


class Ranking(NamedTuple):
    """The areas of each class (K,), NaN where no row, or every row, is of it, and all influences on their means."""

    roc_auc: Array
    average_precision: Array
    roc_auc_influences: Array
    """(N,): its standard deviation over the root of N is that of the mean over the classes that have an area."""
    average_precision_influences: Array

    @property
    def means(self) -> dict[str, float]:
        """Both areas' means over the classes that have one; empty if none has."""
        if np.isnan(self.roc_auc).all():
            return {}
        return {name: float(np.nanmean(getattr(self, name))) for name in ("roc_auc", "average_precision")}

    @property
    def influences(self) -> dict[str, Array]:
        """Those on both means, by the means' names."""
        return {"roc_auc": self.roc_auc_influences, "average_precision": self.average_precision_influences}


def rank_classes(targets_N: Array, probabilities_NK: Array) -> Ranking:
    """Each class against the rest, by its probability; ties count half in the ROC, and as one threshold."""
    count, num_classes = probabilities_NK.shape
    areas_2K = np.full((2, num_classes), np.nan)
    influences_2N = np.zeros((2, count))
    known = [k for k in np.unique(targets_N) if not (targets_N == k).all()]
    for k in known:
        areas_2K[:, k], influences = _ranked(np.ascontiguousarray(probabilities_NK[:, k]), targets_N == k)
        influences_2N += influences / len(known)
    return Ranking(*areas_2K, *influences_2N)


def _ranked(scores_N: Array, is_class_N: Array) -> tuple[Array, Array]:
    """The two areas (2,) of one class, and their influences (2, N).

    For the rows of the class, m of them in order: how many of theirs and of the n others have at least their score.
    """
    own, others = np.sort(scores_N[is_class_N]), scores_N[~is_class_N]
    m, n = len(own), len(others)
    first, last = np.searchsorted(own, own), np.searchsorted(own, own, "right")
    # Of each other row: how many of the class lie below it, and how many do not lie above it.
    below = np.searchsorted(own, others)
    next_own = np.minimum(below, m - 1)
    not_above = np.where(own[next_own] == others, last[next_own], below)
    others_below = np.bincount(not_above, minlength=m + 1).cumsum()[first]
    others_not_above = np.bincount(below, minlength=m + 1).cumsum()[first]
    own_above, others_above = m - first, n - others_below
    placement = (others_below + others_not_above) / (2 * n)
    precision = own_above / (own_above + others_above)
    area, average_precision = float(placement.mean()), float(precision.mean())

    # A row of the class more raises the precision at all scores up to its own, another row lowers it.
    raised = np.append(0.0, (others_above / (own_above + others_above) ** 2).cumsum())
    lowered = np.append(0.0, (own_above / (own_above + others_above) ** 2).cumsum())
    place = np.searchsorted(own, scores_N[is_class_N])
    influences_2N = np.empty((2, m + n))
    influences_2N[0, is_class_N] = (placement[place] - area) / m
    influences_2N[0, ~is_class_N] = (1 - (below + not_above) / (2 * m) - area) / n
    influences_2N[1, is_class_N] = (precision[place] - average_precision + raised[last[place]]) / m
    influences_2N[1, ~is_class_N] = -lowered[not_above] / m
    return np.array([area, average_precision]), influences_2N * (m + n)
