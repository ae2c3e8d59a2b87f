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
    Metric("balanced_accuracy", "Recall, the mean of the classes that have rows", "classification", True),
    *(
        Metric(f"{score}_{average}", f"{title}, {average} average", "classification", True)
        for score, title in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1 score"))
        for average in ("macro", "weighted")
    ),
    Metric("roc_auc", "Area under the ROC curve, one class against the rest", "classification", True),
    Metric("average_precision", "Average precision, one class against the rest", "classification", True),
    Metric("log_loss", "Cross-entropy of the probabilities", "classification", False),
    Metric("brier_score", "Brier score: squared error of the probabilities", "classification", False),
    Metric("confusion_matrix", "Confusion matrix, a row for each true class", "classification", None),
    Metric("per_class", "Precision, recall and F1 of each class", "classification", None),
    Metric("pixel_accuracy", "Share of the pixels that are of the right class", "segmentation", True),
    Metric("mean_iou", "Intersection over union, the mean of the classes", "segmentation", True),
    Metric("mean_dice", "Dice coefficient, the mean of the classes", "segmentation", True),
    Metric("iou", "Intersection over union, the mean of the images", "segmentation", True),
    Metric("class_overlap", "Intersection over union and Dice coefficient of each class", "segmentation", None),
    Metric("token_accuracy", "Share of the tokens with the right tag", "tagging", True),
    Metric("entity_precision", "Share of the predicted entities that are true", "tagging", True),
    Metric("entity_recall", "Share of the true entities that are predicted", "tagging", True),
    Metric("entity_f1", "F1 score of the entities, exactly as long", "tagging", True),
    Metric("entity_f1_macro", "F1 score of the entities, the mean of their types", "tagging", True),
    Metric("per_entity", "Precision, recall and F1 of each type of entity", "tagging", None),
    Metric("frechet_distance", "Fréchet distance in the features of a small classifier", "generation", False),
    Metric("diversity", "Distance between two samples, in that of two real examples", "generation", True),
    Metric("classes_found", "Classes of which samples are drawn", "generation", True),
    Metric("class_shares", "Share of the samples that is of each class", "generation", None),
    Metric("asked_class", "Share of the samples that is of the class asked for", "generation", True),
    Metric("exact_match", "Share of the texts that are as they should be", "translation", True),
    Metric("bleu", "BLEU of the corpus, from 0 to 100", "translation", True),
    Metric("token_accuracy", "Share of the tokens that are right, told those before", "translation", True),
    Metric("perplexity", "Exponential of the cross-entropy of a token, told those before", "translation", False),
    Metric("perplexity", "Perplexity: exp of a token's cross-entropy", "text_generation", False),
    Metric("bits_per_token", "Cross-entropy of a token, in bits", "text_generation", False),
    Metric("token_probability", "Geometric mean of the tokens' probabilities", "text_generation", True),
    Metric("mae", "Mean absolute error", "regression", False),
    Metric("mse", "Mean squared error", "regression", False),
    Metric("rmse", "Root of the mean squared error", "regression", False),
    Metric("r2", "Coefficient of determination", "regression", True),
    Metric("adjusted_r2", "Coefficient of determination, adjusted for the number of inputs", "regression", True),
    Metric("mae", "Mean absolute error", "forecasting", False),
    Metric("rmse", "Root of the mean squared error", "forecasting", False),
    Metric("smape", "Symmetric mean absolute percentage error", "forecasting", False),
    Metric("mase", "Mean absolute error in that of seasonal naive forecasts before", "forecasting", False),
    Metric("skill", "1 minus the mean absolute scaled error", "forecasting", True),
    Metric("pinball", "Pinball loss of the quantiles, the mean", "forecasting", False),
    Metric("coverage", "Share of the values from the lowest to the highest quantile", "forecasting", None),
    Metric("mae_by_step", "Mean absolute error at each step ahead", "forecasting", None),
    *(
        Metric(name, title, task, better)
        for task in ("reconstruction", "generation")
        for name, title, better in (
            ("mse", "Mean squared error", False),
            ("rmse", "Root of the mean squared error", False),
            ("fidelity", "1 minus the root of the mean squared error of reconstructions", True),
            ("anomaly_score", "Mean anomaly score", False),
        )
    ),
    Metric("code_sparsity", "Hoyer sparsity of the codes, from 0 to 1", "reconstruction", True),
    Metric("jacobian_norm", "Squared Frobenius norm of the encoder's Jacobian", "reconstruction", False),
    Metric("noisy_mse", "Mean squared error of inputs with noise", "reconstruction", False),
    Metric("denoised_mse", "Mean squared error of what is made of inputs with noise", "reconstruction", False),
    Metric("negative_elbo", "Negative evidence lower bound, nats an example", "generation", False),
    Metric("reconstruction", "Negative log-likelihood given a drawn code, nats an example", "generation", False),
    Metric("kl", "Divergence of the posterior from the prior, nats an example", "generation", False),
    Metric("negative_iwae", "Importance-weighted bound of the negative log-likelihood", "generation", False),
)


def is_greater_better(name: str) -> bool:
    """Whether more of this metric is better; a loss is none of them, and less of it is."""
    return any(metric.name == name and metric.greater_is_better for metric in METRICS)
