"""Metrics of held-out rows: those that there are, by task. How they are computed is in a module for each task."""

from typing import Any, NamedTuple

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
    Metric("pixel_accuracy", "Share of the pixels that are of the right class", "segmentation", True),
    Metric("mean_iou", "Intersection over union, the mean of the classes", "segmentation", True),
    Metric("mean_dice", "Dice coefficient, the mean of the classes", "segmentation", True),
    Metric("iou", "Intersection over union, the mean of the images", "segmentation", True),
    Metric("class_overlap", "Intersection over union and Dice coefficient of each class", "segmentation", None),
    Metric("mae", "Mean absolute error", "regression", False),
    Metric("mse", "Mean squared error", "regression", False),
    Metric("rmse", "Root of the mean squared error", "regression", False),
    Metric("r2", "Coefficient of determination", "regression", True),
    Metric("adjusted_r2", "Coefficient of determination, adjusted for the number of inputs", "regression", True),
)


def is_greater_better(name: str) -> bool:
    """Whether more of this metric is better; a loss is none of them, and less of it is."""
    return any(metric.name == name and metric.greater_is_better for metric in METRICS)
