"""`Ragged`: rows of varying length behave as a list of arrays does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models import ragged
from models.ragged import Ragged, joined

Rows = list[np.ndarray]
SEQUENCES = st.lists(st.integers(0, 9).flatmap(lambda length: arrays.arrays(np.int64, (length,))), max_size=12)


def equal(left: object, right: Rows) -> bool:
    return len(left) == len(right) and all(map(np.array_equal, left, right))  # type: ignore[arg-type, call-overload]


@settings(deadline=None)
@given(SEQUENCES)
def test_rows_come_back_as_they_were(rows: Rows) -> None:
    made = Ragged.of(rows, np.int64)
    assert equal(made, rows)
    assert made.lengths.tolist() == [len(row) for row in rows]
    assert made.dtype == np.int64


@settings(deadline=None)
@given(SEQUENCES.filter(bool), st.data())
def test_gathering_is_indexing_of_each(rows: Rows, data: st.DataObject) -> None:
    index = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=20))
    made = Ragged.of(rows, np.int64)
    assert equal(made[np.array(index, np.int64)], [rows[place] for place in index])
    assert equal(made[1:4], rows[1:4])
    assert np.array_equal(made[-1], rows[-1])


@settings(deadline=None)
@given(SEQUENCES, st.integers(0, 3))
def test_padding_comes_behind_and_nothing_is_lost(rows: Rows, more: int) -> None:
    made = Ragged.of(rows, np.int64)
    length = max(map(len, rows), default=0) + more
    padded = made.padded(length, value=-1)
    assert padded.shape == (len(rows), length)
    for row, wide in zip(rows, padded, strict=True):
        assert np.array_equal(wide[: len(row)], row)
        assert (wide[len(row) :] == -1).all()


def test_a_part_that_does_not_begin_at_0_is_padded_alike() -> None:
    whole = Ragged(np.arange(6), np.array([2, 3, 6]))
    assert whole.padded(value=9).tolist() == [[2, 9, 9], [3, 4, 5]]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1))
def test_arrays_of_differing_width_are_joined_row_by_row(shapes: list[tuple[int, int]]) -> None:
    arrays = [np.arange(1, count * width + 1).reshape(count, width) for count, width in shapes]
    whole = joined(arrays, -1)
    assert whole.shape == (sum(count for count, _ in shapes), max(width for _, width in shapes))
    rows = [row for array in arrays for row in array]
    assert [row[row != -1].tolist() for row in whole] == [row.tolist() for row in rows]


def test_arrays_without_a_second_axis_are_joined_as_they_are() -> None:
    assert joined([np.array([1, 2]), np.array([3])], -1).tolist() == [1, 2, 3]
    wide = joined([np.ones((1, 2, 3)), np.zeros((1, 1, 3))], -1)
    assert wide.tolist() == [[[1, 1, 1], [1, 1, 1]], [[0, 0, 0], [-1, -1, -1]]]


def test_rows_of_vectors_are_padded_with_vectors() -> None:
    made = Ragged.of([np.ones((2, 3)), np.ones((1, 3))])
    assert made.item_shape == (3,)
    assert made.padded(value=0).sum(axis=(1, 2)).tolist() == [6, 3]
    with pytest.raises(ValueError, match="does not fit"):
        made.padded(1)


@settings(deadline=None)
@given(SEQUENCES)
def test_offsets_beside_the_values_tell_ragged_rows_on_disk(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows
) -> None:
    path = tmp_path_factory.mktemp("ragged") / "train.inputs.npy"
    made = Ragged.of(rows, np.int64)
    np.save(path, made.values)
    if len(made.values):  # An empty file cannot be mapped.
        assert isinstance(ragged.load(path), np.ndarray)
    np.save(ragged.offsets_beside(path), made.offsets)
    assert equal(ragged.load(path), rows)
