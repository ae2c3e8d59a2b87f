"""Metrics of reconstructions, from the mean squared error and the anomaly score of each row. Shapes: N rows."""

import numpy as np

from models.metrics import Array, Scores


def reconstruction_scores(answers_N2: Array) -> Scores:
    """The mean squared error, its root, 1 minus that as `fidelity`, and the mean anomaly score.

    Errors are on pixels from 0 to 1, or columns of standard deviation 1, so that fidelity is 1 where all is
    reconstructed and guessing has the spread of the data. The score is None where rows have none.
    """
    mse, anomaly_score = (float(mean) for mean in answers_N2.mean(axis=0, dtype=np.float64))
    rmse = mse**0.5
    return {
        "mse": mse,
        "rmse": rmse,
        "fidelity": 1 - rmse,
        "anomaly_score": anomaly_score if np.isfinite(anomaly_score) else None,
    }
