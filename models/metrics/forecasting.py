"""Metrics of forecasts. Shapes: N windows, H steps, Q quantiles in ascending order, the median in the middle."""

from typing import Any

import numpy as np

from models.metrics import Array, Scores

PERCENT = 100


def points(answers: Any) -> Any:
    """The forecast (N, H): of quantiles (N, H, Q), the median."""
    return answers if answers.ndim == 2 else answers[..., answers.shape[2] // 2]


def forecasting_scores(targets: Array, answers: Array, levels: list[str] | None) -> Scores:
    """Of targets (N, H + 1), values and the scale of `Windows.targets`, and of answers (N, H) or (N, H, Q).

    `smape` is in percent, from 0 to 200 (Makridakis 1993), and 0 where both are 0; `mase` and `skill`, 1 less it, are
    of the windows whose scale is not 0, and None without any (Hyndman and Koehler 2006). Of quantiles at these levels
    also `pinball`, their mean loss (Koenker and Bassett 1978), and `coverage`, the share of values from the lowest to
    the highest.
    """
    values, scale = targets[:, :-1].astype(np.float64), targets[:, -1].astype(np.float64)
    forecast = points(answers).astype(np.float64)
    absolute = np.abs(forecast - values)
    sizes = np.abs(forecast) + np.abs(values)
    scaled = absolute[scale > 0].mean(axis=1) / scale[scale > 0]
    mase = float(scaled.mean()) if len(scaled) else None
    scores: Scores = {
        "mae": float(absolute.mean()),
        "rmse": float(((forecast - values) ** 2).mean() ** 0.5),
        "smape": PERCENT * float(np.where(sizes > 0, 2 * absolute / np.where(sizes > 0, sizes, 1), 0).mean()),
        "mase": mase,
        "skill": None if mase is None else 1 - mase,
        "mae_by_step": absolute.mean(axis=0).tolist(),
    }
    return scores if answers.ndim == 2 or levels is None else scores | _of_quantiles(values, answers, levels)


def _of_quantiles(values: Array, answers: Array, levels: list[str]) -> Scores:
    errors = values[..., None] - answers.astype(np.float64)
    shares = np.array([float(level) for level in levels])
    inside = (errors[..., 0] >= 0) & (errors[..., -1] <= 0)
    return {
        "pinball": float(np.maximum(shares * errors, (shares - 1) * errors).mean()),
        "coverage": float(inside.mean()),
    }
