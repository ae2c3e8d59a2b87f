"""Metrics of numbers, by scikit-learn, which is imported when something is scored. Shapes: N rows."""

import numpy as np

from models.metrics import Array, Scores


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
