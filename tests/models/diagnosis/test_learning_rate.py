import numpy as np
import pytest

from models.diagnosis.learning_rate import read

RATES = np.geomspace(1e-4, 1.0, 41)


def test_the_rate_of_the_steepest_fall_is_suggested() -> None:
    fall = 1 / (1 + np.exp(-6 * (np.log10(RATES) + 2)))
    rise = np.where(RATES > 0.3, 50 * (RATES - 0.3), 0)
    found = read(RATES, (2 - fall + rise).tolist(), ended=False)
    assert found.suggested == pytest.approx(1e-2, rel=0.3)
    assert 0.1 <= found.least_loss_at <= 0.35
    assert found.rises_from is not None
    assert 0.3 < found.rises_from < 0.4


def test_nothing_is_suggested_where_the_loss_only_rises() -> None:
    assert read(RATES, (1 + RATES).tolist(), ended=True).suggested is None


def test_where_training_diverged_the_last_rate_was_too_high() -> None:
    assert read(RATES, np.linspace(2, 1, 41).tolist(), ended=True).rises_from == pytest.approx(1.0)
