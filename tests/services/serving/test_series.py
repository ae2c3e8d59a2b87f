"""Series in JSON: however they are written, and what is wrong with them."""

from typing import Any

import numpy as np
import pytest

from services.errors import Invalid, TooLarge
from services.serving.answers import name_answers
from services.serving.inputs import MAX_BATCH
from services.serving.series import MAX_STEPS, decode_series, decode_windows

ONE = [{"name": "sales", "kind": "numeric"}]
TWO = [*ONE, {"name": "price", "kind": "numeric"}]


@pytest.mark.parametrize(
    "series",
    [
        [[1, 2.5], [3, 4]],
        [{"sales": 1, "price": 2.5}, {"price": 4, "sales": 3}],
        {"sales": [1, 3], "price": [2.5, 4]},
    ],
    ids=["rows", "objects", "columns"],
)
def test_steps_are_rows_objects_or_columns(series: Any) -> None:
    assert decode_series([series], TWO)[0, :2].tolist() == [[1, 2.5], [3, 4]]


def test_one_column_is_a_list_of_numbers_and_shorter_series_are_followed_by_nan() -> None:
    batch = decode_series([[1, 2, 3], [4], list(range(9))], ONE)
    assert batch.shape == (3, 16, 1)
    assert batch.dtype == np.float32
    assert batch[0, :3, 0].tolist() == [1, 2, 3]
    assert np.isnan(batch[0, 3:]).all()
    assert np.isnan(batch[1, 1:]).all()


def test_one_long_series_does_not_make_many_short_ones_take_the_memory() -> None:
    columns = [{"name": f"c{number}", "kind": "numeric"} for number in range(9)]
    with pytest.raises(TooLarge, match="padded to the longest") as raised:
        decode_series([[[0] * 9] * 5000, *[[[0] * 9]] * (MAX_BATCH - 1)], columns)
    assert raised.value.code == "batch_too_large"


@pytest.mark.parametrize(
    ("columns", "series", "place", "msg"),
    [
        (ONE, "1,2", (), "a series is a list of steps"),
        (ONE, [], (), "0 steps; send 1 to"),
        (ONE, [0] * (MAX_STEPS + 1), (), "10,001 steps"),
        (ONE, [1, None], (1,), "expected a number"),
        (ONE, [1, float("nan")], (1,), "expected a number"),
        (ONE, [1, True], (1,), "expected a number"),
        (ONE, [1, 1e39], (1,), "too large for float32"),
        (TWO, [[1, 2], [3]], (1,), "1 values; expected 2: sales, price"),
        (TWO, [[1, 2], [3, None]], (1, 1), "expected a number"),
        (TWO, [1, 2], (0,), "a step is a list of 2 numbers"),
        (TWO, [{"sales": 1}], (0,), "the column 'price' is missing"),
        (TWO, {"sales": [1], "prize": [2]}, ("prize",), "unknown column; the columns are sales, price"),
        (TWO, {"sales": [1, 2], "price": [2]}, ("price",), "1 steps, and sales has 2"),
        (TWO, {"sales": [1, "x"], "price": [2, 3]}, (1, 0), "expected a number"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    columns: list[dict[str, Any]], series: Any, place: tuple[Any, ...], msg: str
) -> None:
    with pytest.raises(Invalid) as raised:
        decode_series([[[1] * len(columns)], series], columns)
    (error,) = raised.value.errors
    assert error["loc"] == ["body", "inputs", 1, *place]
    assert msg in error["msg"]


PRICE_AHEAD: dict[str, Any] = {
    "columns": [{"name": "sales", "role": "target"}, {"name": "price", "role": "known_ahead"}],
    "shape": [5, 2],
    "context": 3,
    "horizon": 2,
}
SALES_ALONE: dict[str, Any] = {
    "columns": [{"name": "sales", "role": "target"}],
    "shape": [3, 1],
    "context": 3,
    "horizon": 2,
}


def test_a_forecast_sees_the_last_steps_and_what_is_known_ahead() -> None:
    series = [[1, 10], [2, 20], [3, 30], [4, 40]]
    for ahead in ([[50], [60]], [50, 60], {"price": [50, 60]}):
        (window,) = decode_windows([{"series": series, "known_ahead": ahead}], PRICE_AHEAD)
        np.testing.assert_array_equal(window, [[2, 20], [3, 30], [4, 40], [np.nan, 50], [np.nan, 60]])
    for plain in ([1, 2, 3, 4], {"series": [1, 2, 3, 4]}, {"sales": [1, 2, 3, 4]}):
        assert decode_windows([plain], SALES_ALONE)[0, :, 0].tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("described", "value", "place", "msg"),
    [
        (SALES_ALONE, [1, 2], (), "the series has 2 steps; the model sees 3"),
        (SALES_ALONE, {"series": [1, 2, 3], "known_ahead": [1, 2]}, ("known_ahead",), "knows no column ahead"),
        (SALES_ALONE, {"series": [1, None, 3]}, ("series", 1), "expected a number"),
        (SALES_ALONE, {"series": [1, 2, 3], "ahead": [1]}, ("ahead",), "unknown; beside `series`"),
        (PRICE_AHEAD, [[1, 2]] * 3, ("known_ahead",), "is missing: price for each of the 2 steps"),
        (PRICE_AHEAD, {"series": [[1, 2]] * 3, "known_ahead": [1]}, ("known_ahead",), "1 steps; the model forecasts 2"),
        (PRICE_AHEAD, {"series": [[1, 2]] * 3, "known_ahead": [1, "x"]}, ("known_ahead", 1), "expected a number"),
        (PRICE_AHEAD, {"series": [[1, 2]] * 3, "known_ahead": {"sales": [1, 2]}}, ("known_ahead", "sales"), "unknown"),
    ],
)  # fmt: skip
def test_what_no_forecast_can_be_made_of_is_named(
    described: dict[str, Any], value: Any, place: tuple[Any, ...], msg: str
) -> None:
    with pytest.raises(Invalid) as raised:
        decode_windows([value], described)
    (error,) = raised.value.errors
    assert error["loc"] == ["body", "inputs", 0, *place]
    assert msg in error["msg"]


def test_a_forecast_is_a_number_a_step_and_its_quantiles_by_level() -> None:
    signature: dict[str, Any] = {"task": "forecasting", "labels": None}
    assert name_answers(signature, ["forecast"], [np.array([[1.0, 2.0]])], 5) == [{"forecast": [1, 2]}]
    signature["labels"] = ["0.1", "0.5", "0.9"]
    quantiles = np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    (made,) = name_answers(signature, ["forecast"], [quantiles], 5)
    assert made == {"forecast": [2, 5], "quantiles": {"0.1": [1, 4], "0.5": [2, 5], "0.9": [3, 6]}}
    with pytest.raises(Invalid, match="not a finite number"):
        name_answers(signature, ["forecast"], [quantiles * np.nan], 5)
