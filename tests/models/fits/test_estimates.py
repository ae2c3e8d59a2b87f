import numpy as np
import pytest
from numpy.typing import NDArray

from models.fits.estimates import over_fits, over_rows
from models.metrics import bounds_of
from models.splits import Rows


def test_the_interval_of_a_mean_is_students_with_the_correction_for_shared_rows() -> None:
    """By hand: s = 0.02, t(0.975; 4) = 2.776, √(1/5 + 1/4) = 0.6708."""
    estimate = over_fits([0.88, 0.90, 0.90, 0.90, 0.92], 1 / 4)
    assert estimate["mean"] == pytest.approx(0.90)
    assert estimate["std"] == pytest.approx(0.0141421, abs=1e-6)
    half = 2.776445 * 0.0141421 * 0.6708204
    assert estimate["interval"] == pytest.approx([0.90 - half, 0.90 + half], abs=1e-6)


def test_an_interval_ends_where_the_metric_does() -> None:
    assert over_fits([0.2, 0.4], 1.0, bounds_of("token_accuracy"))["interval"] == [0, 1]
    low, high = over_fits([0.2, 0.4], 1.0, bounds_of("r2"))["interval"]
    assert (low < -1, high) == (True, 1)
    low, high = over_fits([0.2, 0.4], 1.0, bounds_of("mae"))["interval"]
    assert (low, high > 1) == (0, True)


def test_a_fit_without_a_value_is_left_out() -> None:
    assert over_fits([1.0, None, 3.0], 0.5)["mean"] == 2.0
    assert over_fits([1.0, None], 0.5) == {"mean": 1.0, "std": None, "interval": None}
    assert over_fits([None], 0.5) == {"mean": None, "std": None, "interval": None}


def test_the_bootstrap_covers_the_truth_as_often_as_it_says() -> None:
    """200 samples of 60 rows from a population whose mean is 0.7."""
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        values = generator.random(60) < 0.7

        def mean(places: Rows, values: NDArray[np.bool_] = values) -> dict[str, float | None]:
            return {"mean": float(values[places].mean())}

        low, high = over_rows(np.arange(60), mean)["mean"]["interval"]
        covered += low <= 0.7 <= high
    assert 180 <= covered <= 198


def test_answers_for_one_row_stand_or_fall_together() -> None:
    """Ten times the same answers tell no more than once."""
    values = np.random.default_rng(0).normal(size=50)

    def interval(rows: Rows) -> float:
        of = {"mean": lambda places: float(values[rows[places]].mean())}
        low, high = over_rows(rows, lambda places: {"mean": of["mean"](places)})["mean"]["interval"]
        return float(high - low)

    assert interval(np.tile(np.arange(50), 10)) == pytest.approx(interval(np.arange(50)))


def test_a_metric_that_does_not_exist_has_no_interval() -> None:
    estimate = over_rows(np.arange(3), lambda places: {"r2": None})
    assert estimate == {"r2": {"mean": None, "std": None, "interval": None}}
