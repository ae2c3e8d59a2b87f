"""Series in JSON: however they are written, and what is wrong with them."""

from typing import Any

import numpy as np
import pytest

from services.errors import Invalid
from services.serving.series import MAX_STEPS, decode_series

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
