"""Arrays that grow on disk: of one shape, and of rows of varying length."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ragged import Ragged
from models.readers.array_files import CHUNK_BYTES, ArrayWriter, RaggedWriter, pieces, row_bytes


@pytest.mark.parametrize("count", [0, 1, 12_345])
def test_an_array_of_unknown_length_is_a_plain_npy_file(count: int, tmp_path: Path) -> None:
    array = ArrayWriter(tmp_path / "array.npy", np.float32, (2,))
    expected = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    for part in np.array_split(expected, 3):
        array.append(part)
    array.close()
    assert np.array_equal(np.load(tmp_path / "array.npy"), expected)


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 5], [3, 0, 1], [1] * 5000, [2**20 + 1] * 9])
def test_rows_of_any_length_are_written_as_values_and_offsets(lengths: list[int], tmp_path: Path) -> None:
    writer = RaggedWriter(tmp_path / "rows.npy", np.uint8)
    rows = [np.full(length, place % 256, np.uint8) for place, length in enumerate(lengths)]
    for row in rows:
        writer.add(row)
    assert (writer.count, writer.total) == (len(lengths), sum(lengths))
    writer.close()
    assert writer.longest == max(lengths, default=0)
    written = Ragged.load(tmp_path / "rows.npy")
    assert written.lengths.tolist() == lengths
    assert all(np.array_equal(a, b) for a, b in zip(written, rows, strict=True))


def test_rows_can_be_added_one_by_one_and_together(tmp_path: Path) -> None:
    writer = RaggedWriter(tmp_path / "rows.npy", np.uint8)
    writer.add_text("é")
    writer.append(Ragged.of([np.frombuffer(b"ab", np.uint8), np.frombuffer(b"", np.uint8)]))
    writer.add_text("z")
    writer.move(tmp_path / "moved.npy")
    assert not (tmp_path / "rows.npy").exists()
    assert [row.tobytes().decode() for row in Ragged.load(tmp_path / "moved.npy")] == ["é", "ab", "", "z"]


@settings(deadline=None)
@given(st.lists(st.integers(0, 3 * CHUNK_BYTES), max_size=30))
def test_pieces_hold_all_rows_in_order_and_no_more_than_a_chunk_beyond_one_row(sizes: list[int]) -> None:
    rows = np.arange(len(sizes))
    cut = pieces(rows, np.array(sizes, np.int64))
    assert np.concatenate([*cut, np.zeros(0, np.int64)]).tolist() == rows.tolist()
    assert all(sum(sizes[row] for row in piece[:-1]) <= CHUNK_BYTES for piece in cut)


def test_the_bytes_of_a_row_are_those_of_its_values() -> None:
    series = Ragged.of([np.zeros((3, 2), np.float32), np.zeros((0, 2), np.float32)])
    assert row_bytes(series).tolist() == [24, 0]
    assert row_bytes(np.zeros((2, 5), np.int64)).tolist() == [40, 40]
