"""Metrics of held-out rows: those that there are, by task. How they are computed is in a module for each task."""

from math import inf
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
    bounds: tuple[float, float] = (0, inf)
    """The least and the greatest that it can be."""


_SHARE = (0, 1)
_UP_TO_1 = (-inf, 1)
_ANY = (-inf, inf)

METRICS = (
    Metric("accuracy", "Accuracy", "classification", True, _SHARE),
    Metric("balanced_accuracy", "Recall, the mean of the classes that have rows", "classification", True, _SHARE),
    *(
        Metric(f"{score}_{average}", f"{title}, {average} average", "classification", True, _SHARE)
        for score, title in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1 score"))
        for average in ("macro", "weighted")
    ),
    Metric("roc_auc", "Area under the ROC curve, one class against the rest", "classification", True, _SHARE),
    Metric("average_precision", "Average precision, one class against the rest", "classification", True, _SHARE),
    Metric("log_loss", "Cross-entropy of the probabilities", "classification", False),
    Metric("brier_score", "Brier score: squared error of the probabilities", "classification", False, (0, 2)),
    Metric("confusion_matrix", "Confusion matrix, a row for each true class", "classification", None),
    Metric("per_class", "Precision, recall and F1 of each class", "classification", None),
    Metric("pixel_accuracy", "Share of the pixels that are of the right class", "segmentation", True, _SHARE),
    Metric("mean_iou", "Intersection over union, the mean of the classes", "segmentation", True, _SHARE),
    Metric("mean_dice", "Dice coefficient, the mean of the classes", "segmentation", True, _SHARE),
    Metric("iou", "Intersection over union, the mean of the images", "segmentation", True, _SHARE),
    Metric("class_overlap", "Intersection over union and Dice coefficient of each class", "segmentation", None),
    Metric("token_accuracy", "Share of the tokens with the right tag", "tagging", True, _SHARE),
    Metric("entity_precision", "Share of the predicted entities that are true", "tagging", True, _SHARE),
    Metric("entity_recall", "Share of the true entities that are predicted", "tagging", True, _SHARE),
    Metric("entity_f1", "F1 score of the entities, exactly as long", "tagging", True, _SHARE),
    Metric("entity_f1_macro", "F1 score of the entities, the mean of their types", "tagging", True, _SHARE),
    Metric("per_entity", "Precision, recall and F1 of each type of entity", "tagging", None),
    Metric("frechet_distance", "Fréchet distance in the features of a small classifier", "generation", False),
    Metric("diversity", "Distance between two samples, in that of two real examples", "generation", True),
    Metric("classes_found", "Classes of which samples are drawn", "generation", True),
    Metric("class_shares", "Share of the samples that is of each class", "generation", None),
    Metric("asked_class", "Share of the samples that is of the class asked for", "generation", True, _SHARE),
    Metric("exact_match", "Share of the texts that are as they should be", "translation", True, _SHARE),
    Metric("bleu", "BLEU of the corpus, from 0 to 100", "translation", True, (0, 100)),
    Metric("token_accuracy", "Share of the tokens that are right, told those before", "translation", True, _SHARE),
    Metric(
        "perplexity", "Exponential of the cross-entropy of a token, told those before", "translation", False, (1, inf)
    ),
    Metric("perplexity", "Perplexity: exp of a token's cross-entropy", "text_generation", False, (1, inf)),
    Metric("bits_per_token", "Cross-entropy of a token, in bits", "text_generation", False),
    Metric("token_probability", "Geometric mean of the tokens' probabilities", "text_generation", True, _SHARE),
    Metric("mae", "Mean absolute error", "regression", False),
    Metric("mse", "Mean squared error", "regression", False),
    Metric("rmse", "Root of the mean squared error", "regression", False),
    Metric("r2", "Coefficient of determination", "regression", True, _UP_TO_1),
    Metric(
        "adjusted_r2", "Coefficient of determination, adjusted for the number of inputs", "regression", True, _UP_TO_1
    ),
    Metric("mae", "Mean absolute error", "forecasting", False),
    Metric("rmse", "Root of the mean squared error", "forecasting", False),
    Metric("smape", "Symmetric mean absolute percentage error", "forecasting", False, (0, 200)),
    Metric("mase", "Mean absolute error in that of seasonal naive forecasts before", "forecasting", False),
    Metric("skill", "1 minus the mean absolute scaled error", "forecasting", True, _UP_TO_1),
    Metric("pinball", "Pinball loss of the quantiles, the mean", "forecasting", False),
    Metric("coverage", "Share of the values from the lowest to the highest quantile", "forecasting", None),
    Metric("mae_by_step", "Mean absolute error at each step ahead", "forecasting", None),
    *(
        Metric(name, title, task, better, bounds)
        for task in ("reconstruction", "generation")
        for name, title, better, bounds in (
            ("mse", "Mean squared error", False, (0, inf)),
            ("rmse", "Root of the mean squared error", False, (0, inf)),
            ("fidelity", "1 minus the root of the mean squared error of reconstructions", True, _UP_TO_1),
            ("anomaly_score", "Mean anomaly score", False, _ANY),
        )
    ),
    Metric("code_sparsity", "Hoyer sparsity of the codes, from 0 to 1", "reconstruction", True, _SHARE),
    Metric("jacobian_norm", "Squared Frobenius norm of the encoder's Jacobian", "reconstruction", False),
    Metric("noisy_mse", "Mean squared error of inputs with noise", "reconstruction", False),
    Metric("denoised_mse", "Mean squared error of what is made of inputs with noise", "reconstruction", False),
    Metric("negative_elbo", "Negative evidence lower bound, nats an example", "generation", False, _ANY),
    Metric("reconstruction", "Negative log-likelihood given a drawn code, nats an example", "generation", False, _ANY),
    Metric("kl", "Divergence of the posterior from the prior, nats an example", "generation", False),
    Metric("negative_iwae", "Importance-weighted bound of the negative log-likelihood", "generation", False, _ANY),
)


def is_greater_better(name: str) -> bool:
    """Whether more of this metric is better; a loss is none of them, and less of it is."""
    return any(metric.name == name and metric.greater_is_better for metric in METRICS)


def bounds_of(name: str) -> tuple[float, float]:
    """The least and the greatest that a metric can be."""
    return next(metric.bounds for metric in METRICS if metric.name == name)
