"""Rows of a table in the table's words."""

import numpy as np

from services.serving.rows import named
from tests.generative_models import COLUMNS

ROWS = np.array([[1.5, 0.4], [2, 0.6], [-3, 9], [0, -9]], np.float32)


def test_categories_are_the_nearest_ones() -> None:
    rows = named(ROWS, {"input": {"columns": COLUMNS}, "output": {}})
    assert [row["city"] for row in rows if isinstance(row, dict)] == ["aachen", "berlin", "berlin", "aachen"]
    assert rows == named(ROWS, {"input": {}, "output": {"columns": COLUMNS}})


def test_without_columns_rows_are_numbers() -> None:
    assert named(ROWS[:1], {"input": {}, "output": {}}) == [ROWS[0].tolist()]
