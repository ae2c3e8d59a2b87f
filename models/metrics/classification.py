"""Metrics of classes and their probabilities, by scikit-learn.

scikit-learn is imported when something is scored: it takes a second, which the catalogue need not spend.
Shapes: N rows, K classes.
"""

import numpy as np

from models.metrics import Array, Scores


def classification_scores(targets_N: Array, probabilities_NK: Array, labels: list[str]) -> Scores:
    """Accuracy, averaged and per-class precision, recall and F1, confusion matrix, ROC AUC, log loss.

    A class that is never predicted has precision 0, one without rows recall 0. The ROC AUC of a class
    without rows, or with nothing but, is None, and the mean is over the others.
    """
    from sklearn import metrics

    classes = np.arange(len(labels))
    predicted_N = probabilities_NK.argmax(axis=1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        targets_N, predicted_N, labels=classes, zero_division=0
    )
    areas = _roc_aucs(targets_N, probabilities_NK)
    known_areas = [area for area in areas if area is not None]
    columns = {"precision": precision, "recall": recall, "f1": f1}
    true_probability = probabilities_NK[np.arange(len(targets_N)), targets_N].astype(np.float64)
    return {
        "accuracy": float(np.mean(predicted_N == targets_N)),
        **{f"{name}_macro": float(values.mean()) for name, values in columns.items()},
        **{f"{name}_weighted": float(np.average(values, weights=support)) for name, values in columns.items()},
        "roc_auc": float(np.mean(known_areas)) if known_areas else None,
        "log_loss": float(-np.log(true_probability.clip(np.finfo(np.float32).eps)).mean()),
        "confusion_matrix": metrics.confusion_matrix(targets_N, predicted_N, labels=classes).tolist(),
        "per_class": [
            {
                "label": labels[k],
                **{name: float(values[k]) for name, values in columns.items()},
                "support": int(support[k]),
                "roc_auc": areas[k],
            }
            for k in classes
        ],
    }


def roc_curves(targets_N: Array, probabilities_NK: Array, labels: list[str], max_points: int = 101) -> Scores:
    """For each class against the rest, points of its ROC curve: label to `fpr`, `tpr` and `threshold`.

    At most `max_points` of them, evenly spread over the curve's own. A class without rows, or with
    nothing but, has no curve. The first threshold, infinity in theory, is given as 1.
    """
    from sklearn import metrics

    curves: Scores = {}
    for k, label in enumerate(labels):
        is_class_N = targets_N == k
        if is_class_N.all() or not is_class_N.any():
            continue
        points = metrics.roc_curve(is_class_N, probabilities_NK[:, k])
        kept = np.unique(np.linspace(0, len(points[0]) - 1, max_points).round().astype(int))
        curves[label] = {
            name: values[kept].clip(max=1.0).astype(float).tolist()
            for name, values in zip(("fpr", "tpr", "threshold"), points, strict=True)
        }
    return curves


def class_frequencies(targets_N: Array, num_classes: int) -> Array:
    """The share of each class among the targets, (K,)."""
    return np.bincount(targets_N, minlength=num_classes) / len(targets_N)


def _roc_aucs(targets_N: Array, probabilities_NK: Array) -> list[float | None]:
    """For each class, the area under its ROC curve; None where no row, or every row, is of the class."""
    from sklearn import metrics

    num_classes = probabilities_NK.shape[1]
    present = np.unique(targets_N)
    areas: list[float | None] = [None] * num_classes
    if len(present) > 1:
        is_class_NP = targets_N[:, None] == present
        known = metrics.roc_auc_score(is_class_NP, probabilities_NK[:, present], average=None)
        for k, area in zip(present, known, strict=True):
            areas[k] = float(area)
    return areas
