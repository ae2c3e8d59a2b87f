"""Rows of a split, and batches of them by row number.

A data set that fits in memory is held there as tensors and a batch is one gather, which was measured at
1.2 to 1.5 times the speed of a DataLoader; a larger one is gathered from the mapped file.
Shapes: N rows; an input is uint8 (C, H, W) or float32 (F,), a target one number, uint8 (H, W) or a class for each of L
places. Inputs that vary in length, of text and of series, are `Ragged`, and padded in a batch: tokens with 0, steps of
series with NaN. Targets that do are padded too.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.errors import UnsuitableData
from models.ragged import Ragged
from models.splits import Rows
from models.windows import Windows
from shapes.tokens import NO_TARGET

MAX_BATCH_NUMBERS = 2**21
"""Numbers in the inputs of a batch of `Examples.batches`: a network's own maps are many times as large."""
BUCKET_BATCHES = 32
"""So many batches of random rows are put in order of length at a time."""


class Batch(NamedTuple):
    """Raw inputs (N, ...) and targets (N,), masks (N, H, W), classes (N, L) or numbers (N, L), on one device."""

    inputs: Tensor
    targets: Tensor
    parts: Tensor | None = None
    """Classes (N, T) of the steps of inputs that vary in length, padded, where they have any beside their targets."""

    def to(self, device: torch.device | str) -> "Batch":
        """The same on another device."""
        parts = None if self.parts is None else self.parts.to(device)
        return Batch(self.inputs.to(device), self.targets.to(device), parts)


class Examples:
    """The rows of one split: those of a split of the source, `source`, with the numbers `rows` (N,)."""

    def __init__(
        self,
        inputs: NDArray[Any] | Ragged | Windows,
        targets: NDArray[Any] | None,
        rows: Rows,
        *,
        parts: Ragged | None = None,
        device: torch.device | None = None,
        in_memory: bool = True,
        source: str = "train",
    ) -> None:
        self.device = device or torch.device("cpu")
        self.source, self.rows = source, rows
        self.targets = torch.from_numpy(np.zeros(len(rows)) if targets is None else targets[rows])
        self.targets = self.targets.to(self.device)
        self._inputs: Tensor | NDArray[Any] | Ragged | Windows = inputs
        self._parts = parts
        if in_memory and isinstance(inputs, np.ndarray):
            self._inputs = torch.from_numpy(inputs[rows]).to(self.device)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def known_targets(self) -> Tensor:
        """All numbers in the targets (V,), without the padding of those that vary in length."""
        targets = self.targets.flatten()
        return targets[targets != NO_TARGET] if _varies(self.targets) else targets

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of an input; of rows that vary in length, of the longest."""
        if isinstance(self._inputs, Ragged):
            return (int(self._lengths.max(initial=1)), *self._inputs.item_shape)
        return tuple(self._inputs.shape[1:])

    @cached_property
    def _lengths(self) -> NDArray[np.int64]:
        """(N,), of rows that vary in length."""
        if not isinstance(self._inputs, Ragged):
            raise TypeError("the rows are of one shape")
        return self._inputs.lengths[self.rows]

    def representatives(self, count: int) -> Tensor:
        """Places (N,) of at most `count` examples: the first, and the longest where they vary in length."""
        places = torch.arange(min(len(self), count))
        if isinstance(self._inputs, Ragged):
            places[-1] = int(self._lengths.argmax())
        return places

    def gather(self, index: Tensor) -> Batch:
        """The examples at these places (N,) of the split, which are int64 on the CPU.

        Rows of varying length are padded up to the longest of them, and to 1 where all are empty; targets of varying
        length with `NO_TARGET`.
        """
        index_on_device = index.to(self.device)
        targets = self.targets.index_select(0, index_on_device)
        if _varies(self.targets):
            targets = targets[:, : int((targets != NO_TARGET).sum(dim=1).max())].long()
        if isinstance(self._inputs, Tensor):
            return Batch(self._inputs.index_select(0, index_on_device), targets)
        if isinstance(self._inputs, Ragged):
            longest = max(1, int(self._lengths[index.numpy()].max(initial=0)))
            inputs = self._inputs.gather(self.rows[index.numpy()]).padded(longest)
        else:
            longest, inputs = 0, self._inputs[self.rows[index.numpy()]]
        parts = None
        if self._parts is not None:
            parts = torch.from_numpy(self._parts.gather(self.rows[index.numpy()]).padded(longest, NO_TARGET))
        return Batch(torch.from_numpy(inputs), targets, parts).to(self.device)

    def batches(self, size: int) -> Iterator[Batch]:
        """All examples in order, at most `size` at a time: fewer where they are large, and in the last batch."""
        for index in torch.split(torch.arange(len(self)), fitting(size, self.input_shape)):
            yield self.gather(index)

    def arranged(self, order: Tensor, batch_size: int) -> Tensor:
        """An epoch's order (N,), changed so that rows of near length meet in a batch and little is padded.

        Of each stretch of `BUCKET_BATCHES` batches the rows are sorted by length and cut into batches, whose order is
        random again but for that of the longest, which may be a part of one and comes last. Rows of one shape stay as
        they are.
        """
        if not isinstance(self._inputs, Ragged):
            return order
        lengths = torch.from_numpy(self._lengths)
        generator = torch.Generator().manual_seed(int(order[0]))
        arranged = []
        for stretch in torch.split(order, batch_size * BUCKET_BATCHES):
            *full, last = torch.split(stretch[lengths[stretch].argsort(stable=True)], batch_size)
            arranged += [full[place] for place in torch.randperm(len(full), generator=generator)]
            arranged.append(last)
        return torch.cat(arranged)


def _varies(targets: Tensor) -> bool:
    """Whether targets are rows of classes (N, L), each ended by `NO_TARGET`."""
    return targets.ndim == 2 and not targets.is_floating_point()


def fitting(size: int, input_shape: Sequence[int]) -> int:
    """How many inputs of this shape to take at a time where `size` is the most."""
    return max(1, min(size, MAX_BATCH_NUMBERS // prod(input_shape)))


def require_finite_targets(examples: Examples) -> None:
    """Refuse rows that cannot be scored.

    Raises:
        UnsuitableData: a target is missing or infinite.
    """
    missing = int((~examples.targets.isfinite()).sum())
    if missing:
        raise UnsuitableData(
            f"{missing} of {len(examples)} rows have a target that is missing or not finite: remove or complete them."
        )
