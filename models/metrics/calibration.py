"""Whether probabilities mean what they say, and the one temperature that mends them best.

    ECE = Σ_b (n_b / N) |accuracy_b - confidence_b|

over equal bins of the confidence, the probability of the predicted class. A temperature T answers p^(1/T) over its
sum, which is the softmax of logits / T; it changes no prediction. Shapes: N rows, K classes.
Source: Guo, Pleiss, Sun and Weinberger 2017, On calibration of modern neural networks.
"""

from typing import Any, NamedTuple

import numpy as np

from models.metrics import Array
from models.metrics.classification import brier_losses, log_losses

NUM_BINS = 15
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
MAX_FIT_ROWS = 10_000
"""A temperature is one number: more rows than this, drawn at random, would hardly make it better."""
_BLOCK_NUMBERS = 2**20


def reliability(confidence_N: Array, is_right_N: Array, num_bins: int = NUM_BINS) -> list[dict[str, Any]]:
    """The bins (low, high] of the confidence: rows in each, their mean confidence and their accuracy, None of none."""
    place_N = (np.ceil(confidence_N.astype(np.float64) * num_bins).astype(np.int64) - 1).clip(0, num_bins - 1)
    rows = np.bincount(place_N, minlength=num_bins)
    sums = [np.bincount(place_N, values, num_bins) for values in (confidence_N, is_right_N)]
    confidence, accuracy = (np.divide(each, rows, out=np.zeros(num_bins), where=rows > 0) for each in sums)
    return [
        {
            "low": place / num_bins,
            "high": (place + 1) / num_bins,
            "rows": int(rows[place]),
            "confidence": float(confidence[place]) if rows[place] else None,
            "accuracy": float(accuracy[place]) if rows[place] else None,
        }
        for place in range(num_bins)
    ]


def calibration_errors(bins: list[dict[str, Any]]) -> dict[str, float]:
    """`ece`, the mean over the rows of how far accuracy and confidence of their bin are apart, and `mce`, the most.

    Neither has an interval: chance alone parts accuracy and confidence, so that resampled rows always have more.
    """
    filled = [(each["rows"], abs(each["accuracy"] - each["confidence"])) for each in bins if each["rows"]]
    total = sum(rows for rows, _ in filled)
    return {"ece": sum(rows * gap for rows, gap in filled) / total, "mce": max(gap for _, gap in filled)}


def tempered(probabilities_NK: Array, temperature: float) -> Array:
    """The probabilities (N, K) at a temperature, in float64. One that is 0 is taken as float32's smallest."""
    logits_NK = np.log(probabilities_NK.astype(np.float64).clip(np.finfo(np.float32).tiny)) / temperature
    odds_NK = np.exp(logits_NK - logits_NK.max(axis=1, keepdims=True))
    scaled: Array = odds_NK / odds_NK.sum(axis=1, keepdims=True)
    return scaled


class Calibration(NamedTuple):
    """How far some probabilities can be believed."""

    scores: dict[str, float]
    """`ece`, `mce`, `log_loss` and `brier_score`."""
    bins: list[dict[str, Any]]
    """Those of `reliability`."""


def calibration(targets_N: Array, probabilities_NK: Array, temperature: float = 1.0) -> Calibration:
    """Of the probabilities at a temperature; at 1, as they are."""
    num_classes = probabilities_NK.shape[1]
    size = max(1, _BLOCK_NUMBERS // num_classes)
    parts = []
    for start in range(0, len(targets_N), size):
        block_NK, own_N = probabilities_NK[start : start + size], targets_N[start : start + size]
        scaled_NK = block_NK if temperature == 1 else tempered(block_NK, temperature)
        is_right_N = block_NK.argmax(axis=1) == own_N
        losses = (log_losses(own_N, scaled_NK), brier_losses(own_N, scaled_NK))
        parts.append(np.stack([scaled_NK.max(axis=1), is_right_N, *losses]))
    confidence_N, is_right_N, log_losses_N, brier_losses_N = np.concatenate(parts, axis=1)
    bins = reliability(confidence_N, is_right_N)
    means = {"log_loss": float(log_losses_N.mean()), "brier_score": float(brier_losses_N.mean())}
    return Calibration(calibration_errors(bins) | means, bins)


def fit_temperature(targets_N: Array, probabilities_NK: Array) -> float | None:
    """The temperature of the least log loss, from 0.05 to 20.

    None where there is none: while every row is right the loss falls for ever as the temperature does.
    """
    from scipy.optimize import minimize_scalar

    if len(targets_N) > MAX_FIT_ROWS:
        drawn = np.sort(np.random.default_rng(0).choice(len(targets_N), MAX_FIT_ROWS, replace=False))
        targets_N, probabilities_NK = targets_N[drawn], probabilities_NK[drawn]
    if (probabilities_NK.argmax(axis=1) == targets_N).all():
        return None

    def loss(log_temperature: float) -> float:
        return calibration(targets_N, probabilities_NK, float(np.exp(log_temperature))).scores["log_loss"]

    bounds = np.log([MIN_TEMPERATURE, MAX_TEMPERATURE])
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-4}).x))


def calibrate(targets_N: Array, probabilities_NK: Array) -> dict[str, Any] | None:
    """What is kept with a version: the `temperature` fitted to held-out rows, and what it does to these.

    None where no temperature is best.
    """
    temperature = fit_temperature(targets_N, probabilities_NK)
    if temperature is None:
        return None
    before, after = (calibration(targets_N, probabilities_NK, each).scores for each in (1.0, temperature))
    return {
        "temperature": temperature,
        "rows": len(targets_N),
        **{f"{name}_before": before[name] for name in ("ece", "log_loss")},
        **{f"{name}_after": after[name] for name in ("ece", "log_loss")},
    }
