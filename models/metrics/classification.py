"""Metrics of classes and their probabilities, by scikit-learn.

scikit-learn is imported when something is scored: it takes a second, which the catalogue need not spend.
Shapes: N rows, K classes.
"""

from collections.abc import Callable

import numpy as np

from models.metrics import Array, Scores
from models.metrics.ranking import Ranking, rank_classes

MAX_POINTS = 101
"""Of a curve."""


def classification_scores(
    targets_N: Array, probabilities_NK: Array, labels: list[str], ranking: Ranking | None = None
) -> Scores:
    """All of the catalogue's. `ranking` is that of the same rows, if it is known already.

    A class that is never predicted has precision 0, one without rows recall 0, and one that is neither has None of
    them and is left out of their means, as in scikit-learn. The areas of a class without rows, or with nothing but,
    are None, and their means are over the others.
    """
    from sklearn import metrics

    classes = np.arange(len(labels))
    predicted_N = probabilities_NK.argmax(axis=1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        targets_N, predicted_N, labels=classes, zero_division=0
    )
    ranking = ranking or rank_classes(targets_N, probabilities_NK)
    columns = {"precision": precision, "recall": recall, "f1": f1}
    is_there = (support > 0) | (np.bincount(predicted_N, minlength=len(labels)) > 0)
    return {
        "accuracy": float(np.mean(predicted_N == targets_N)),
        "balanced_accuracy": float(recall[support > 0].mean()),
        **{f"{name}_macro": float(values[is_there].mean()) for name, values in columns.items()},
        **{f"{name}_weighted": float(np.average(values, weights=support)) for name, values in columns.items()},
        "roc_auc": ranking.means.get("roc_auc"),
        "average_precision": ranking.means.get("average_precision"),
        "log_loss": float(log_losses(targets_N, probabilities_NK).mean()),
        "brier_score": float(brier_losses(targets_N, probabilities_NK).mean()),
        "confusion_matrix": metrics.confusion_matrix(targets_N, predicted_N, labels=classes).tolist(),
        "per_class": [
            {
                "label": labels[k],
                **{name: float(values[k]) if is_there[k] else None for name, values in columns.items()},
                "support": int(support[k]),
                "roc_auc": _number(ranking.roc_auc[k]),
                "average_precision": _number(ranking.average_precision[k]),
            }
            for k in classes
        ],
    }


def log_losses(targets_N: Array, probabilities_NK: Array) -> Array:
    """-log p of each row's class (N,), where no p is taken for less than float32 tells from 0 beside 1."""
    true_probability_N = probabilities_NK[np.arange(len(targets_N)), targets_N].astype(np.float64)
    losses_N: Array = -np.log(true_probability_N.clip(np.finfo(np.float32).eps))
    return losses_N


def brier_losses(targets_N: Array, probabilities_NK: Array) -> Array:
    """Σ_k (p_k - t_k)² of each row (N,), t being 1 for its class; of two classes half of it, as is the custom."""
    squares_N = np.einsum("nk,nk->n", probabilities_NK, probabilities_NK, dtype=np.float64)
    true_probability_N = probabilities_NK[np.arange(len(targets_N)), targets_N].astype(np.float64)
    losses_N: Array = (squares_N - 2 * true_probability_N + 1) / (2 if probabilities_NK.shape[1] == 2 else 1)
    return losses_N


def roc_curves(targets_N: Array, probabilities_NK: Array, labels: list[str], max_points: int = MAX_POINTS) -> Scores:
    """For each class against the rest, points of its ROC curve: label to `fpr`, `tpr` and `threshold`.

    At most `max_points` of them, evenly spread over the curve's own. A class without rows, or with
    nothing but, has no curve. The first threshold, infinity in theory, is given as 1.
    """
    from sklearn import metrics

    return _curves(metrics.roc_curve, ("fpr", "tpr", "threshold"), targets_N, probabilities_NK, labels, max_points)


def precision_recall_curves(
    targets_N: Array, probabilities_NK: Array, labels: list[str], max_points: int = MAX_POINTS
) -> Scores:
    """Likewise of the precision-recall curve: label to `precision`, `recall` and `threshold`.

    The last point, of no row, has precision 1 by convention; its threshold is given as 1.
    """
    from sklearn import metrics

    def points(is_class_N: Array, scores_N: Array) -> tuple[Array, ...]:
        precision, recall, thresholds = metrics.precision_recall_curve(is_class_N, scores_N)
        return precision, recall, np.append(thresholds, 1.0)

    return _curves(points, ("precision", "recall", "threshold"), targets_N, probabilities_NK, labels, max_points)


def class_frequencies(targets_N: Array, num_classes: int) -> Array:
    """The share of each class among the targets, (K,)."""
    return np.bincount(targets_N, minlength=num_classes) / len(targets_N)


def _curves(
    points_of: Callable[[Array, Array], tuple[Array, ...]],
    names: tuple[str, ...],
    targets_N: Array,
    probabilities_NK: Array,
    labels: list[str],
    max_points: int,
) -> Scores:
    curves: Scores = {}
    for k, label in enumerate(labels):
        is_class_N = targets_N == k
        if is_class_N.all() or not is_class_N.any():
            continue
        points = points_of(is_class_N, probabilities_NK[:, k])
        kept = np.unique(np.linspace(0, len(points[0]) - 1, max_points).round().astype(int))
        curves[label] = {
            name: values[kept].clip(max=1.0).astype(float).tolist() for name, values in zip(names, points, strict=True)
        }
    return curves


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
