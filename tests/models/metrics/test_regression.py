import numpy as np
import pytest

from models.metrics.regression import regression_scores


def test_regression_scores_are_their_formulas() -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
    scores = regression_scores(truth, np.array([1.0, 2.0, 3.0, 6.0], np.float32), num_inputs=1)
    assert scores == pytest.approx({"mae": 0.5, "mse": 1.0, "rmse": 1.0, "r2": 0.2, "adjusted_r2": 1 - 0.8 * 3 / 2})


def test_r2_is_left_out_where_it_means_nothing() -> None:
    assert regression_scores(np.ones(3), np.zeros(3), num_inputs=1)["r2"] is None
    assert regression_scores(np.array([1.0, 2.0]), np.zeros(2), num_inputs=5)["adjusted_r2"] is None
