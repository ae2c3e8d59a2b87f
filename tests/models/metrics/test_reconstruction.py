import numpy as np
import pytest

from models.metrics.intervals import reconstruction_intervals
from models.metrics.reconstruction import reconstruction_scores

ANSWERS = np.array([[0.01, 3.0], [0.03, 5.0], [0.02, 1.0]], np.float32)


def test_means_of_errors_and_scores() -> None:
    scores = reconstruction_scores(ANSWERS)
    assert scores == pytest.approx({"mse": 0.02, "rmse": 0.02**0.5, "fidelity": 1 - 0.02**0.5, "anomaly_score": 3.0})


def test_guesses_have_no_anomaly_score() -> None:
    assert reconstruction_scores(np.array([[0.5, np.nan]]))["anomaly_score"] is None


def test_intervals_surround_their_metrics() -> None:
    scores = reconstruction_scores(ANSWERS)
    intervals = reconstruction_intervals(ANSWERS)
    assert set(intervals) == set(scores)
    for name, (low, high) in intervals.items():
        assert low <= scores[name] <= high
