"""95 % confidence intervals of metrics: where the metric of all rows like these, ever so many, may lie.

Accuracy: Wilson's score interval. The area under the ROC curve: DeLong's variance, on the logarithm of the odds.
All others: percentiles of the metric over `RESAMPLES` bootstraps of the rows. All are functions of the arguments
alone. A metric that no resample changes, as of a model without a fault, has no interval from a bootstrap; and where
classes have but a few rows each, those of averages over the classes are biased towards 0.
Shapes: N rows, K classes, B resamples.
Source: Wilson 1927; DeLong, DeLong and Clarke-Pearson 1988; Efron 1979, Bootstrap methods.
"""

from statistics import NormalDist

import numpy as np

from models.metrics import Array
from models.metrics.segmentation import Overlaps, mean_iou_of_each, overlaps

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
RESAMPLES = 1000
MAX_GROUPS = 10_000
"""More rows than this are put at random into as many groups, which are resampled whole. A sum over independent
rows varies no less by groups than by rows, and the time stays bounded."""
_ROUNDING = 1e-9
_SEED = 0
_QUANTILES = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)

Intervals = dict[str, list[float]]


def classification_intervals(targets_N: Array, probabilities_NK: Array) -> Intervals:
    """Of accuracy, averaged precision, recall and F1, the mean ROC AUC and the log loss."""
    generator = np.random.default_rng(_SEED)
    predicted_N = probabilities_NK.argmax(axis=1)
    true_probability_N = probabilities_NK[np.arange(len(targets_N)), targets_N].astype(np.float64)
    losses_N1 = -np.log(true_probability_N.clip(np.finfo(np.float32).eps))[:, None]
    sums = _resampled_sums(np.hstack([losses_N1, np.ones_like(losses_N1)]), generator)
    return {
        "accuracy": wilson(int((predicted_N == targets_N).sum()), len(targets_N)),
        **_percentiles(_averages(targets_N, predicted_N, probabilities_NK.shape[1], generator)),
        **_roc_auc(targets_N, probabilities_NK),
        **_percentiles({"log_loss": sums[:, 0] / sums[:, 1]}),
    }


def regression_intervals(targets_N: Array, values_N: Array, num_inputs: int) -> Intervals:
    """Of the mean absolute and squared error, its root, R² and adjusted R²."""
    count = len(targets_N)
    truth_N = targets_N.astype(np.float64)
    errors_N = values_N.astype(np.float64) - truth_N
    centred_N = truth_N - truth_N.mean()
    columns_NC = np.stack([np.ones(count), np.abs(errors_N), errors_N**2, centred_N, centred_N**2], axis=1)
    ones, absolute, squared, truth, truth_squared = _resampled_sums(columns_NC, np.random.default_rng(_SEED)).T
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1 - squared / (truth_squared - truth**2 / ones)
    spare = count - num_inputs - 1
    return _percentiles(
        {
            "mae": absolute / ones,
            "mse": squared / ones,
            "rmse": np.sqrt(squared / ones),
            "r2": r2,
            **({"adjusted_r2": 1 - (1 - r2) * (count - 1) / spare} if spare > 0 else {}),
        }
    )


def segmentation_intervals(targets_NHW: Array, masks_NHW: Array, num_classes: int) -> Intervals:
    """Of pixel accuracy, mean IoU and Dice, and the IoU of an image, for masks of the targets' size.

    What is drawn are images: the pixels of one are not independent.
    """
    each = overlaps(targets_NHW, masks_NHW, num_classes)
    columns_NC = np.hstack([*each, mean_iou_of_each(each)[:, None], np.ones((len(targets_NHW), 1))])
    sums_BC = _resampled_sums(columns_NC, np.random.default_rng(_SEED))
    drawn = Overlaps(*np.split(sums_BC[:, : 3 * num_classes], 3, axis=1))
    return _percentiles(
        {
            "pixel_accuracy": drawn.both.sum(axis=1) / drawn.true.sum(axis=1),
            "mean_iou": np.nanmean(drawn.ious(), axis=1),
            "mean_dice": np.nanmean(drawn.dices(), axis=1),
            "iou": sums_BC[:, -2] / sums_BC[:, -1],
        }
    )


def wilson(successes: int, count: int) -> list[float]:
    """The score interval of a probability, of which `successes` of `count` were seen."""
    share = successes / count
    centre = share + Z**2 / (2 * count)
    margin = Z * (share * (1 - share) / count + Z**2 / (4 * count**2)) ** 0.5
    scale = 1 + Z**2 / count
    return [max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)]


def _resampled_sums(columns_NC: Array, generator: np.random.Generator) -> Array:
    """Sums of the columns (B, C), each over as many rows as there are, drawn with replacement."""
    if len(columns_NC) > MAX_GROUPS:
        starts = np.linspace(0, len(columns_NC), MAX_GROUPS, endpoint=False).astype(np.int64)
        columns_NC = np.add.reduceat(columns_NC[generator.permutation(len(columns_NC))], starts)
    size = len(columns_NC)
    drawn = (np.bincount(generator.integers(0, size, size), minlength=size) for _ in range(RESAMPLES))
    return np.stack([times_N @ columns_NC for times_N in drawn])


def _averages(
    targets_N: Array, predicted_N: Array, num_classes: int, generator: np.random.Generator
) -> dict[str, Array]:
    """Averaged precision, recall and F1 of each resample (B,).

    To draw rows is to draw how many fall into each cell of the confusion matrix.
    """
    cells, counts = np.unique(targets_N * num_classes + predicted_N, return_counts=True)
    drawn_BM = generator.multinomial(len(targets_N), counts / len(targets_N), RESAMPLES).astype(np.float64)
    true_M, predicted_M = np.divmod(cells, num_classes)
    actual_BK = _summed(drawn_BM, true_M, num_classes)
    answered_BK = _summed(drawn_BM, predicted_M, num_classes)
    is_hit_M = true_M == predicted_M
    hits_BK = _summed(drawn_BM[:, is_hit_M], true_M[is_hit_M], num_classes)
    columns = {
        "precision": hits_BK / answered_BK.clip(1),
        "recall": hits_BK / actual_BK.clip(1),
        "f1": 2 * hits_BK / (answered_BK + actual_BK).clip(1),
    }
    return {
        **{f"{name}_macro": values.mean(axis=1) for name, values in columns.items()},
        **{f"{name}_weighted": (values * actual_BK).sum(axis=1) / len(targets_N) for name, values in columns.items()},
    }


def _summed(drawn_BM: Array, class_M: Array, num_classes: int) -> Array:
    """Sums over the cells of each class (B, K)."""
    sums_BK = np.zeros((len(drawn_BM), num_classes))
    for cell, k in enumerate(class_M):
        sums_BK[:, k] += drawn_BM[:, cell]
    return sums_BK


def _roc_auc(targets_N: Array, probabilities_NK: Array) -> Intervals:
    """Of the mean over the classes that have rows and others; nothing where no class has, or all areas are 0 or 1."""
    influences_KN, areas_K = [], []
    for k in np.unique(targets_N):
        is_class_N = targets_N == k
        if not is_class_N.all():
            placements_N = _placements(probabilities_NK[:, k], is_class_N)
            area = float(placements_N[is_class_N].mean())
            share = is_class_N.mean()
            influences_KN.append((placements_N - area) / np.where(is_class_N, share, 1 - share))
            areas_K.append(area)
    if not areas_K:
        return {}
    area = float(np.mean(areas_K))
    deviation = float(np.mean(influences_KN, axis=0).std() / len(targets_N) ** 0.5)
    if deviation == 0 or not 0 < area < 1:
        return {}
    odds = np.log(area / (1 - area)) + np.array([-Z, Z]) * deviation / (area * (1 - area))
    return {"roc_auc": (1 / (1 + np.exp(-odds))).tolist()}


def _placements(scores_N: Array, is_class_N: Array) -> Array:
    """For each row the share of the rows of the other side that it is on the right side of; a tie counts half."""
    from scipy.stats import rankdata

    ranks_N = rankdata(scores_N)
    placements_N = np.empty(len(scores_N))
    for side in (True, False):
        own = is_class_N == side
        below = (ranks_N[own] - rankdata(scores_N[own])) / (~own).sum()
        placements_N[own] = below if side else 1 - below
    return placements_N


def _percentiles(values: dict[str, Array]) -> Intervals:
    """The middle 95 % of each metric's resamples, those left out in which it is not defined or nothing varies."""
    intervals = {}
    for name, value_B in values.items():
        finite = value_B[np.isfinite(value_B)]
        if len(finite) and np.ptp(finite) > _ROUNDING * np.abs(finite).max():
            intervals[name] = np.quantile(finite, _QUANTILES).tolist()
    return intervals
