"""`.npy` files that grow while an upload is read: rows of one shape, and rows of varying length."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models import ragged
from models.ragged import Array, Ragged

CHUNK_BYTES = 8 * 2**20
BUFFERED_ROWS = 4096


class ArrayWriter:
    """One `.npy` file of unknown length. The header is written again, in place, when the length is known.

    Source: NumPy reserves room in the header for the first axis to grow (`numpy.lib.format`).
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike, item_shape: tuple[int, ...]) -> None:
        self.count = 0
        self._path = path
        self._dtype = np.dtype(dtype)
        self._item_shape = item_shape
        self._file = path.open("wb")
        self._write_header()

    @property
    def paths(self) -> list[Path]:
        """The files that are written."""
        return [self._path]

    def append(self, batch: Array) -> None:
        """Add (n, *item_shape) items."""
        if batch.shape[1:] != self._item_shape:
            raise ValueError(f"items of shape {batch.shape[1:]} in an array of {self._item_shape}")
        self._file.write(np.ascontiguousarray(batch, self._dtype).data)
        self.count += len(batch)

    def close(self) -> None:
        """Write the length and flush to the disk."""
        if not self._file.closed:
            self._file.seek(0)
            self._write_header()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def abandon(self) -> None:
        """Let go of the file, whatever state it is in."""
        with suppress(OSError):  # A full disk fails here once more.
            self._file.close()

    def move(self, path: Path) -> None:
        """Close the file and give it another path."""
        self.close()
        self._path = self._path.rename(path)

    def _write_header(self) -> None:
        shape = (self.count, *self._item_shape)
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)


class RaggedWriter:
    """Rows of varying length: their values in `NAME.npy`, where each begins in `NAME.offsets.npy`."""

    def __init__(self, path: Path, dtype: npt.DTypeLike, item_shape: tuple[int, ...] = ()) -> None:
        self._dtype = np.dtype(dtype)
        self._values = ArrayWriter(path, dtype, item_shape)
        self._offsets = ArrayWriter(ragged.offsets_beside(path), np.int64, ())
        self._offsets.append(np.zeros(1, np.int64))
        self._buffer: list[Array] = []
        self._buffered_bytes = 0
        self.longest = 0

    @property
    def count(self) -> int:
        """The number of rows."""
        return self._offsets.count - 1 + len(self._buffer)

    @property
    def total(self) -> int:
        """The number of values in all rows."""
        return self._values.count + sum(map(len, self._buffer))

    @property
    def paths(self) -> list[Path]:
        """The files that are written."""
        return self._values.paths + self._offsets.paths

    def add(self, row: Array) -> None:
        """Add one row (T, *item_shape)."""
        self._buffer.append(row)
        self._buffered_bytes += row.nbytes
        if len(self._buffer) == BUFFERED_ROWS or self._buffered_bytes >= CHUNK_BYTES:
            self._flush()

    def add_text(self, text: str) -> None:
        """Add one row, the text's UTF-8 bytes."""
        self.add(np.frombuffer(text.encode(), np.uint8))

    def append(self, rows: Ragged) -> None:
        """Add several rows."""
        self._flush()
        if len(rows):
            self._values.append(rows.values)
            self._offsets.append(rows.offsets[1:] + (self._values.count - len(rows.values)))
            self.longest = max(self.longest, int(rows.lengths.max()))

    def close(self) -> None:
        """Write the lengths and flush to the disk."""
        self._flush()
        self._values.close()
        self._offsets.close()

    def abandon(self) -> None:
        """Let go of the files, whatever state they are in."""
        self._values.abandon()
        self._offsets.abandon()

    def move(self, path: Path) -> None:
        """Close the files and give them another path."""
        self.close()
        self._values.move(path)
        self._offsets.move(ragged.offsets_beside(path))

    def _flush(self) -> None:
        rows, self._buffer, self._buffered_bytes = self._buffer, [], 0
        if rows:
            self.append(Ragged.of(rows, self._dtype))


def row_bytes(rows: Array | Ragged) -> npt.NDArray[np.int64]:
    """(N,), how many bytes each row takes."""
    if isinstance(rows, Ragged):
        return rows.lengths * (rows.values.itemsize * int(np.prod(rows.item_shape)))
    return np.full(len(rows), rows[:1].nbytes)


def pieces(rows: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> list[npt.NDArray[Any]]:
    """Row numbers in pieces whose rows, of these sizes in bytes, take a few megabytes in all."""
    before = np.cumsum(sizes[rows]) - sizes[rows]
    return np.split(rows, np.flatnonzero(np.diff(before // CHUNK_BYTES)) + 1)
