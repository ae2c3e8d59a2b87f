"""Metrics of held-out rows, by scikit-learn, and those of guessing, to hold them against.

scikit-learn is imported when something is scored: it takes a second, which the catalogue need not spend.
Shapes: N rows, K classes.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Scores = dict[str, Any]


class Metric(NamedTuple):
    """What the catalogue says of a metric."""

    name: str
    title: str
    task: str
    greater_is_better: bool | None
    """None where it is not one number."""


METRICS = (
    Metric("accuracy", "Accuracy", "classification", True),
    *(
        Metric(f"{score}_{average}", f"{title}, {average} average", "classification", True)
        for score, title in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1 score"))
        for average in ("macro", "weighted")
    ),
    Metric("roc_auc", "Area under the ROC curve, one class against the rest", "classification", True),
    Metric("log_loss", "Cross-entropy of the probabilities", "classification", False),
    Metric("confusion_matrix", "Confusion matrix, a row for each true class", "classification", None),
    Metric("per_class", "Precision, recall and F1 of each class", "classification", None),
    Metric("mae", "Mean absolute error", "regression", False),
    Metric("mse", "Mean squared error", "regression", False),
    Metric("rmse", "Root of the mean squared error", "regression", False),
    Metric("r2", "Coefficient of determination", "regression", True),
    Metric("adjusted_r2", "Coefficient of determination, adjusted for the number of inputs", "regression", True),
)


def score(task: str, targets_N: Array, outputs: Array, labels: list[str] | None, num_inputs: int) -> Scores:
    """The metrics of a task's answers: probabilities (N, K) with `labels`, or values (N,)."""
    if task == "classification":
        return classification_scores(targets_N, outputs, labels or [])
    return regression_scores(targets_N, outputs, num_inputs)


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


def regression_scores(targets_N: Array, values_N: Array, num_inputs: int) -> Scores:
    """Mean absolute and squared error, its root, R² and R² adjusted for the number of inputs.

    R² is None for less than two rows or constant targets, adjusted R² also where there are not more
    rows than inputs and one.
    """
    from sklearn import metrics

    truth = targets_N.astype(np.float64)
    values = values_N.astype(np.float64)
    mse = float(metrics.mean_squared_error(truth, values))
    count = len(truth)
    r2 = float(metrics.r2_score(truth, values)) if count > 1 and np.ptp(truth) > 0 else None
    spare = count - num_inputs - 1
    return {
        "mae": float(metrics.mean_absolute_error(truth, values)),
        "mse": mse,
        "rmse": mse**0.5,
        "r2": r2,
        "adjusted_r2": 1 - (1 - r2) * (count - 1) / spare if r2 is not None and spare > 0 else None,
    }


def guess(task: str, train_targets_N: Array, count: int, num_classes: int) -> Array:
    """The baseline's answers for `count` rows, which look at no input.

    Classification: the classes' frequencies in training as probabilities (count, K), so that the most
    frequent class is predicted and the log loss is their entropy; no guess without the input is more
    often right. Regression: the mean of the training targets (count,), whose R² is at most 0.
    """
    if task == "regression":
        return np.full(count, train_targets_N.mean(dtype=np.float64))
    frequencies = np.bincount(train_targets_N, minlength=num_classes) / len(train_targets_N)
    return np.tile(frequencies, (count, 1))


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
