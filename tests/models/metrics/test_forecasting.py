"""Metrics of forecasts, by hand."""

import numpy as np
import pytest

from models.metrics.forecasting import forecasting_scores

TARGETS = np.array([[1.0, 3.0, 2.0], [0.0, 0.0, 0.0], [-4.0, 4.0, 0.5]])
"""Two steps, and the scale of the errors."""


def test_a_perfect_forecast_has_no_error_and_a_skill_of_1() -> None:
    scores = forecasting_scores(TARGETS, TARGETS[:, :2], None)
    assert (scores["mae"], scores["rmse"], scores["smape"], scores["mase"], scores["skill"]) == (0, 0, 0, 0, 1)
    assert scores["mae_by_step"] == [0, 0]


def test_errors_are_scaled_by_the_naive_ones_of_their_own_series() -> None:
    scores = forecasting_scores(TARGETS, np.array([[2.0, 3.0], [1.0, 0.0], [-4.0, 3.0]]), None)
    assert scores["mae"] == pytest.approx(3 / 6)
    assert scores["mae_by_step"] == pytest.approx([2 / 3, 1 / 3])
    assert scores["mase"] == pytest.approx((0.5 / 2 + 0.5 / 0.5) / 2), "a series that never changes has no scale"
    assert scores["skill"] == pytest.approx(1 - scores["mase"])
    assert scores["smape"] == pytest.approx(100 * (2 * 1 / 3 + 2 * 1 / 1 + 2 * 1 / 7) / 6)
    assert forecasting_scores(TARGETS[1:2], np.zeros((1, 2)), None)["mase"] is None


def test_quantiles_have_a_loss_and_a_coverage_and_the_median_is_the_forecast() -> None:
    quantiles = np.array([[[0.0, 2.0, 3.0], [0.0, 1.0, 2.0]]])
    scores = forecasting_scores(TARGETS[:1], quantiles, ["0.1", "0.5", "0.9"])
    assert scores["mae"] == pytest.approx((1 + 2) / 2)
    assert scores["coverage"] == 0.5
    lost = [0.1 * 1, 0.5 * 1, 0.1 * 2, 0.1 * 3, 0.5 * 2, 0.9 * 1]
    assert scores["pinball"] == pytest.approx(np.mean(lost))
    assert "pinball" not in forecasting_scores(TARGETS[:1], quantiles, None)
