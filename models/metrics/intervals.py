"""95 % confidence intervals of metrics: where the metric of all rows like these, ever so many, may lie.

Accuracy: Wilson's score interval. The areas under curves: the variance of their influences, which is DeLong's of the
one under the ROC curve, on the logarithm of the odds. All others: percentiles of the metric over bootstraps of the
rows. All are functions of the arguments alone. A metric that no resample changes, as of a model without a fault, has
no interval from a bootstrap; and where classes have but a few rows each, those of averages over the classes are
biased towards 0.
Shapes: N rows, K classes, B resamples.
Source: Wilson 1927; DeLong, DeLong and Clarke-Pearson 1988; Efron 1979, Bootstrap methods.
"""

from statistics import NormalDist

import numpy as np

from models.metrics import Array
from models.metrics.classification import brier_losses, log_losses
from models.metrics.language import MAX_EXPONENT
from models.metrics.ranking import Ranking, rank_classes
from models.metrics.resampling import resampled_sums
from models.metrics.segmentation import Overlaps, mean_iou_of_each, overlaps
from models.metrics.tagging import tagging_resamples

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
QUANTILES = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
_ROUNDING = 1e-9

Intervals = dict[str, list[float]]
Resamples = dict[str, Array]
"""By metric its values (B,), the same rows drawn for all."""


def classification_intervals(targets_N: Array, probabilities_NK: Array, ranking: Ranking | None = None) -> Intervals:
    """Of accuracy, averaged precision, recall and F1, the mean areas under curves, log loss and Brier score.

    `ranking` is that of the same rows, if it is known already.
    """
    right = int((probabilities_NK.argmax(axis=1) == targets_N).sum())
    return {
        **percentiles(classification_resamples(targets_N, probabilities_NK)),
        "accuracy": wilson(right, len(targets_N)),
        **area_intervals(ranking or rank_classes(targets_N, probabilities_NK)),
    }


def classification_resamples(targets_N: Array, probabilities_NK: Array) -> Resamples:
    """Of all metrics that are one number but the areas under curves."""
    from scipy.sparse import csr_array

    count, num_classes = probabilities_NK.shape
    predicted_N, every = probabilities_NK.argmax(axis=1), np.arange(count)
    losses_2N = np.stack([log_losses(targets_N, probabilities_NK), brier_losses(targets_N, probabilities_NK)])
    # A row has its losses, and a 1 for its class, for the predicted one and, if they are the same, for that again.
    places = [np.zeros(count), np.ones(count), 2 + targets_N, 2 + num_classes + predicted_N]
    places.append(2 + 2 * num_classes + targets_N)
    values = [*losses_2N, np.ones(count), np.ones(count), predicted_N == targets_N]
    columns_NC = csr_array(
        (np.concatenate(values), (np.tile(every, 5), np.concatenate(places).astype(np.int64))),
        shape=(count, 2 + 3 * num_classes),
    )
    sums_BC = resampled_sums(columns_NC)
    actual_BK, answered_BK, hits_BK = np.split(sums_BC[:, 2:], 3, axis=1)
    rows_B, is_there_BK = actual_BK.sum(axis=1), actual_BK + answered_BK > 0
    recall_BK = hits_BK / actual_BK.clip(1)
    averaged = {
        "precision": hits_BK / answered_BK.clip(1),
        "recall": recall_BK,
        "f1": 2 * hits_BK / (answered_BK + actual_BK).clip(1),
    }
    return {
        "accuracy": hits_BK.sum(axis=1) / rows_B,
        "balanced_accuracy": recall_BK.sum(axis=1) / (actual_BK > 0).sum(axis=1),
        **{f"{name}_macro": values.mean(axis=1, where=is_there_BK) for name, values in averaged.items()},
        **{f"{name}_weighted": (values * actual_BK).sum(axis=1) / rows_B for name, values in averaged.items()},
        "log_loss": sums_BC[:, 0] / rows_B,
        "brier_score": sums_BC[:, 1] / rows_B,
    }


def regression_intervals(targets_N: Array, values_N: Array, num_inputs: int) -> Intervals:
    """Of the mean absolute and squared error, its root, R² and adjusted R²."""
    return percentiles(regression_resamples(targets_N, values_N, num_inputs))


def regression_resamples(targets_N: Array, values_N: Array, num_inputs: int) -> Resamples:
    """Of all metrics; adjusted R² where there are more rows than inputs and one."""
    count = len(targets_N)
    truth_N = targets_N.astype(np.float64)
    errors_N = values_N.astype(np.float64) - truth_N
    centred_N = truth_N - truth_N.mean()
    columns_NC = np.stack([np.ones(count), np.abs(errors_N), errors_N**2, centred_N, centred_N**2], axis=1)
    ones, absolute, squared, truth, truth_squared = resampled_sums(columns_NC).T
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1 - squared / (truth_squared - truth**2 / ones)
    spare = count - num_inputs - 1
    return {
        "mae": absolute / ones,
        "mse": squared / ones,
        "rmse": np.sqrt(squared / ones),
        "r2": r2,
        **({"adjusted_r2": 1 - (1 - r2) * (count - 1) / spare} if spare > 0 else {}),
    }


def segmentation_intervals(targets_NHW: Array, masks_NHW: Array, num_classes: int) -> Intervals:
    """Of pixel accuracy, mean IoU and Dice, and the IoU of an image, for masks of the targets' size."""
    return percentiles(segmentation_resamples(targets_NHW, masks_NHW, num_classes))


def segmentation_resamples(targets_NHW: Array, masks_NHW: Array, num_classes: int) -> Resamples:
    """Of all metrics. What is drawn are images: the pixels of one are not independent."""
    each = overlaps(targets_NHW, masks_NHW, num_classes)
    columns_NC = np.hstack([*each, mean_iou_of_each(each)[:, None], np.ones((len(targets_NHW), 1))])
    sums_BC = resampled_sums(columns_NC)
    drawn = Overlaps(*np.split(sums_BC[:, : 3 * num_classes], 3, axis=1))
    return {
        "pixel_accuracy": drawn.both.sum(axis=1) / drawn.true.sum(axis=1),
        "mean_iou": np.nanmean(drawn.ious(), axis=1),
        "mean_dice": np.nanmean(drawn.dices(), axis=1),
        "iou": sums_BC[:, -2] / sums_BC[:, -1],
    }


def tagging_intervals(targets_NL: Array, tags_NL: Array, labels: list[str]) -> Intervals:
    """Of token accuracy, and of precision, recall and F1 of entities."""
    return percentiles(tagging_resamples(targets_NL, tags_NL, labels))


def reconstruction_intervals(answers_N2: Array) -> Intervals:
    """Of the mean squared error, its root, fidelity and the anomaly score."""
    return percentiles(reconstruction_resamples(answers_N2))


def reconstruction_resamples(answers_N2: Array) -> Resamples:
    """Of all metrics, from the error and the score of each row."""
    ones_N1 = np.ones((len(answers_N2), 1))
    error_B, score_B, count_B = resampled_sums(np.hstack([answers_N2.astype(np.float64), ones_N1])).T
    rmse_B = np.sqrt(error_B / count_B)
    return {"mse": error_B / count_B, "rmse": rmse_B, "fidelity": 1 - rmse_B, "anomaly_score": score_B / count_B}


def language_intervals(answers_N2: Array) -> Intervals:
    """Of all metrics of a language model."""
    return percentiles(language_resamples(answers_N2))


def language_resamples(answers_N2: Array) -> Resamples:
    """The same, from the logarithm of probability and the number of tokens of each row."""
    total_B, count_B = resampled_sums(answers_N2.astype(np.float64)).T
    entropy_B = np.minimum(-total_B / count_B, MAX_EXPONENT)
    probability_B = np.exp(-entropy_B)
    return {
        "perplexity": np.exp(entropy_B),
        "bits_per_token": entropy_B / np.log(2),
        "token_probability": probability_B,
    }


def wilson(successes: int, count: int) -> list[float]:
    """The score interval of a probability, of which `successes` of `count` were seen."""
    share = successes / count
    centre = share + Z**2 / (2 * count)
    margin = Z * (share * (1 - share) / count + Z**2 / (4 * count**2)) ** 0.5
    scale = 1 + Z**2 / count
    return [max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)]


def deviation_of(influences_N: Array) -> float:
    """The standard deviation of what the rows have these influences on."""
    return float(influences_N.std() / len(influences_N) ** 0.5)


def area_intervals(ranking: Ranking) -> Intervals:
    """Of both means over the classes; nothing where no class has an area, or all areas are 0 or 1."""
    intervals = {}
    for name, area in ranking.means.items():
        deviation = deviation_of(ranking.influences[name])
        if deviation > 0 and 0 < area < 1:
            odds = np.log(area / (1 - area)) + np.array([-Z, Z]) * deviation / (area * (1 - area))
            intervals[name] = (1 / (1 + np.exp(-odds))).tolist()
    return intervals


def percentiles(values: Resamples) -> Intervals:
    """The middle 95 % of each metric's resamples, those left out in which it is not defined or nothing varies."""
    intervals = {}
    for name, value_B in values.items():
        finite = value_B[np.isfinite(value_B)]
        if len(finite) and np.ptp(finite) > _ROUNDING * np.abs(finite).max():
            intervals[name] = np.quantile(finite, QUANTILES).tolist()
    return intervals
