"""Windows of series: what they see, what they are to forecast, and which part of time they belong to."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import Mismatch, UnsuitableData
from models.ragged import Ragged
from models.training.settings import Split
from models.windows import Windowing, Windows
from shapes.division import season_of

VALUE = {"name": "value", "kind": "numeric", "role": "target"}
PROMOTION = {"name": "promotion", "kind": "numeric", "role": "known_ahead"}


def windows(lengths: tuple[int, ...], *, context: int = 3, horizon: int = 2, season: int = 1) -> Windows:
    """Of series that count on, each from the next hundred."""
    series = Ragged.of([100 * number + np.arange(length)[:, None] for number, length in enumerate(lengths)], np.float32)
    return Windows(series, Windowing(context, horizon, season, [VALUE]), ["value"])


def test_a_window_is_steps_of_one_series_and_those_that_follow() -> None:
    laid = windows((6, 5))
    assert laid.shape == (7, 3, 1)
    rows = np.arange(len(laid))
    assert laid[rows][:, :, 0].tolist() == [
        [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5],
        [100, 101, 102], [101, 102, 103], [102, 103, 104],
    ]  # fmt: skip
    np.testing.assert_array_equal(
        laid.targets(rows)[:, :2],
        [[3, 4], [4, 5], [5, np.nan], [np.nan, np.nan], [103, 104], [104, np.nan], [np.nan, np.nan]],
    )
    assert laid.complete.tolist() == [0, 1, 4]
    assert [laid.place(row) for row in (0, 3, 4, 6)] == [(0, 3), (0, 6), (1, 3), (1, 5)]


def test_a_series_that_is_too_short_has_no_window() -> None:
    assert windows((2, 5)).complete.tolist() == [0]
    with pytest.raises(UnsuitableData, match="No 2 steps lie between 0% and 100% of a series with 3 before them"):
        assert windows((4, 3)).complete


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(20, 60), min_size=1, max_size=4),
    context=st.integers(1, 5),
    horizon=st.integers(1, 3),
    season=st.integers(1, 4),
)
def test_no_step_to_forecast_is_in_two_parts_and_time_goes_on(
    lengths: list[int], context: int, horizon: int, season: int
) -> None:
    laid = windows(tuple(lengths), context=context, horizon=horizon, season=season)
    parts = laid.divided(Split(validation=0.25, test=0.25))
    last: dict[int, float] = {}
    for name in ("train", "validation", "test"):
        targets = laid.targets(parts[name])[:, :-1]
        assert np.isfinite(targets).all()
        for number in range(len(lengths)):
            ours = targets[targets[:, 0] // 100 == number]
            assert ours.size == 0 or ours.min() > last.get(number, -1)
            last[number] = float(ours.max(initial=last.get(number, -1)))
    assert np.intersect1d(parts["train"], parts["validation"]).size == 0


def test_the_naive_forecast_is_the_last_season_and_the_scale_its_error_before_the_origin() -> None:
    values = np.array([0, 10, 1, 13, 5, 11, 2, 12], np.float32)
    laid = Windows(Ragged.of([values[:, None]]), Windowing(2, 3, 2, [VALUE]), ["value"])
    (row,) = laid.complete[-1:]
    assert laid.place(row) == (0, 5)
    assert laid.naive(np.array([row])).tolist() == [[13, 5, 13]]
    before = np.abs(values[2:5] - values[:3]).mean()
    assert laid.targets(np.array([row])).tolist() == [[11, 2, 12, pytest.approx(before)]]


def test_what_is_known_ahead_is_seen_and_nothing_else_of_what_comes() -> None:
    series = Ragged.of([np.stack([np.arange(8), 10 + np.arange(8)], axis=1)], np.float32)
    laid = Windows(series, Windowing(3, 2, 1, [VALUE, PROMOTION]), ["value", "promotion"])
    assert laid.shape == (4, 5, 2)
    first = laid[np.array([0])][0]
    np.testing.assert_array_equal(first, [[0, 10], [1, 11], [2, 12], [np.nan, 13], [np.nan, 14]])
    with pytest.raises(Mismatch, match="'promotion'"):
        Windows(series, laid.windowing, ["value", "other"])


@pytest.mark.parametrize(
    ("unit", "step", "season"),
    [("month", 1, 12), ("month", 3, 4), ("month", 5, 1), ("day", 1, 7), ("hour", 6, 4), ("index", 1, 1)],
)
def test_the_season_follows_from_the_unit_of_time(unit: str, step: int, season: int) -> None:
    time: dict[str, Any] = {"name": "t", "unit": unit, "step": step}
    assert season_of(time) == season
