"""Rows of varying length in two plain arrays: all values one after the other, and where each row begins.

Text, sequences and series are kept so, on disk and in memory; nothing is padded before a batch is made.
Imports no torch.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
from numpy.typing import NDArray

from shapes.tokens import PADDING

Array = NDArray[Any]
Mode = Literal["r", "r+"]
"""Mapped to be read, or open to change."""


def padding_of(dtype: np.dtype[Any]) -> float:
    """What a row is filled up with behind its end: the number of no token, and NaN where 0 is a value."""
    return float("nan") if dtype.kind == "f" else PADDING


@dataclass(frozen=True)
class Ragged:
    """N rows. Row i is `values[offsets[i]:offsets[i + 1]]`."""

    values: Array
    """(V, ...), all rows one after the other."""
    offsets: NDArray[np.int64]
    """(N + 1,), from 0 to V."""

    @classmethod
    def of(cls, rows: Iterable[Array], dtype: np.dtype[Any] | type | None = None) -> Self:
        """Rows (T, ...) that differ in T alone. Without rows the values are (0,)."""
        arrays = [np.asarray(row, dtype) for row in rows]
        offsets = np.zeros(len(arrays) + 1, np.int64)
        np.cumsum([len(row) for row in arrays], out=offsets[1:])
        return cls(np.concatenate(arrays) if arrays else np.zeros(0, dtype), offsets)

    @classmethod
    def load(cls, values: Path, mode: Mode = "r") -> Self:
        """The rows in `NAME.npy` and `NAME.offsets.npy`: the values mapped from the file."""
        offsets = np.load(offsets_beside(values), allow_pickle=False)
        # An empty file cannot be mapped.
        return cls(np.load(values, mmap_mode=mode if offsets[-1] else None, allow_pickle=False), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[Array]:
        return (self[row] for row in range(len(self)))

    @overload
    def __getitem__(self, rows: int) -> Array: ...
    @overload
    def __getitem__(self, rows: slice | NDArray[np.integer[Any]] | Sequence[int]) -> "Ragged": ...
    def __getitem__(self, rows: Any) -> "Array | Ragged":
        """One row (T, ...), as a view; or several rows, in the order given, as a copy."""
        if isinstance(rows, int | np.integer):
            row = range(len(self))[rows]
            return self.values[self.offsets[row] : self.offsets[row + 1]]
        return self.gather(np.arange(len(self))[rows])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(N,), the T of each row."""
        return np.diff(self.offsets)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""
        return self.values.dtype

    @property
    def item_shape(self) -> tuple[int, ...]:
        """The shape of one value."""
        return self.values.shape[1:]

    def gather(self, rows: NDArray[np.int64]) -> "Ragged":
        """The rows of these numbers (M,), none of them negative."""
        begins = self.offsets[rows]
        lengths = self.offsets[rows + 1] - begins
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        # The j-th value of a row lies as far behind the row's beginning here as there.
        places = np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], lengths)
        return Ragged(self.values[places], offsets)

    def padded(self, length: int | None = None, value: float | None = None) -> Array:
        """(N, length, ...), each row followed by `value`; the length is that of the longest row unless given.

        The value is that of `padding_of` unless given.

        Raises:
            ValueError: a row is longer than `length`.
        """
        lengths = self.lengths
        longest = int(lengths.max(initial=0))
        length = longest if length is None else length
        if longest > length:
            raise ValueError(f"a row of {longest} values does not fit into {length}")
        value = padding_of(self.dtype) if value is None else value
        padded = np.full((len(self), length, *self.item_shape), value, self.dtype)
        padded[np.arange(length) < lengths[:, None]] = self.values[self.offsets[0] : self.offsets[-1]]
        return padded


def joined(arrays: Sequence[Array], value: float) -> Array:
    """(N, T, ...) of arrays (n, t, ...) one after the other: along their second axis each is followed by `value`.

    Arrays that have no second axis, or have it alike, are joined as they are.
    """
    longest = max((array.shape[1] for array in arrays if array.ndim > 1), default=0)
    return np.concatenate([widened(array, longest, value) if array.ndim > 1 else array for array in arrays])


def widened(array: Array, length: int, value: float) -> Array:
    """(N, length, ...) of an array (N, T, ...), followed by `value` along its second axis."""
    missing = length - array.shape[1]
    return np.pad(array, [(0, 0), (0, missing)] + [(0, 0)] * (array.ndim - 2), constant_values=value)


def offsets_beside(values: Path) -> Path:
    """`NAME.offsets.npy` of `NAME.npy`; where it exists, the rows are ragged."""
    return values.with_suffix(".offsets.npy")


def load(values: Path, mode: Mode = "r") -> Array | Ragged:
    """The rows of a file, mapped, whose length varies if there are offsets beside it."""
    if offsets_beside(values).exists():
        return Ragged.load(values, mode)
    array: Array = np.load(values, mmap_mode=mode, allow_pickle=False)
    return array
