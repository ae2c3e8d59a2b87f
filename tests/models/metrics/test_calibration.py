"""Calibration by hand, and temperatures that are known beforehand."""

import numpy as np
import pytest

from models.metrics import Array
from models.metrics.calibration import (
    calibrate,
    calibration,
    calibration_errors,
    fit_temperature,
    reliability,
    tempered,
)


def softmax(logits: Array) -> Array:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    scaled: Array = odds / odds.sum(axis=1, keepdims=True)
    return scaled


def calibrated(generator: np.random.Generator, count: int, num_classes: int = 5) -> tuple[Array, Array]:
    """Targets drawn by the softmax of the logits, which so are right."""
    logits = generator.normal(size=(count, num_classes)) * 2
    noise = generator.gumbel(size=logits.shape)
    return (logits + noise).argmax(axis=1), logits


def test_errors_are_those_of_the_bins_by_hand() -> None:
    """Two rows at 0.9, one of them right, and two at 0.6, both right, in ten bins."""
    confidence, is_right = np.array([0.9, 0.9, 0.6, 0.6]), np.array([True, False, True, True])
    bins = reliability(confidence, is_right, num_bins=10)
    filled = [(each["low"], each["high"], each["rows"], each["accuracy"]) for each in bins if each["rows"]]
    assert filled == [(0.5, 0.6, 2, 1.0), (0.8, 0.9, 2, 0.5)]
    errors = calibration_errors(bins)
    assert errors == {"ece": pytest.approx((2 * 0.4 + 2 * 0.4) / 4), "mce": pytest.approx(0.4)}


def test_the_ends_of_the_confidence_lie_in_the_outer_bins() -> None:
    bins = reliability(np.array([0.0, 1.0]), np.array([False, True]), num_bins=4)
    assert [each["rows"] for each in bins] == [1, 0, 0, 1]
    assert [each["confidence"] for each in bins] == [0.0, None, None, 1.0]


def test_a_temperature_divides_the_logits() -> None:
    logits = np.random.default_rng(0).normal(size=(20, 3)) * 3
    assert np.allclose(tempered(softmax(logits), 2.5), softmax(logits / 2.5))
    assert np.array_equal(tempered(softmax(logits), 0.3).argmax(axis=1), logits.argmax(axis=1))


def test_a_probability_of_nothing_stays_finite() -> None:
    assert np.isfinite(tempered(np.array([[0.0, 1.0]]), 5.0)).all()


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_spoilt_the_logits_is_found(temperature: float) -> None:
    targets, logits = calibrated(np.random.default_rng(1), 8000)
    found = fit_temperature(targets, softmax(logits * temperature).astype(np.float32))
    assert found == pytest.approx(temperature, rel=0.05)


def test_at_its_temperature_confidence_is_accuracy() -> None:
    targets, logits = calibrated(np.random.default_rng(2), 6000)
    kept = calibrate(targets, softmax(logits * 3))
    assert kept is not None
    assert kept["ece_before"] > 0.15
    assert kept["ece_after"] < 0.03
    assert kept["log_loss_after"] < kept["log_loss_before"]
    assert kept["rows"] == 6000
    after = calibration(targets, softmax(logits * 3), kept["temperature"])
    assert after.scores["ece"] == kept["ece_after"]


def test_where_every_row_is_right_no_temperature_is_best() -> None:
    targets = np.arange(30) % 3
    assert calibrate(targets, np.eye(3)[targets] * 0.4 + 0.2) is None


def test_blocks_do_not_show() -> None:
    """A thousand classes are taken a block of rows at a time."""
    generator = np.random.default_rng(3)
    targets, probabilities = generator.integers(0, 1000, 2500), softmax(generator.normal(size=(2500, 1000)))
    whole, half = calibration(targets, probabilities, 2.0), calibration(targets[:500], probabilities[:500], 2.0)
    assert sum(each["rows"] for each in whole.bins) == 2500
    expected = -np.log(tempered(probabilities, 2.0)[np.arange(2500), targets])
    assert whole.scores["log_loss"] == pytest.approx(expected.mean())
    assert half.scores["log_loss"] == pytest.approx(expected[:500].mean())
