"""Data sets as directories of memory-mapped arrays, and batches of them by row number.

A data set that fits in memory is held there as tensors and a batch is one gather, which was measured at
1.2 to 1.5 times the speed of a DataLoader; a larger one is gathered from the mapped file.
Shapes: N rows; an input is uint8 (C, H, W) or float32 (F,), a target one number or uint8 (H, W).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.errors import UnsuitableData
from models.splits import Rows, hold_out
from models.training.settings import Split

IN_MEMORY_BYTES = 2 * 1024**3
"""Data sets up to this size are held in memory."""
MAX_BATCH_NUMBERS = 2**21
"""Numbers in the inputs of a batch of `Examples.batches`: a network's own maps are many times as large."""


class Batch(NamedTuple):
    """Raw inputs (N, ...) and targets (N,), or masks (N, H, W), on one device."""

    inputs: Tensor
    targets: Tensor


class Examples:
    """The rows of one split."""

    def __init__(
        self,
        inputs: NDArray[Any],
        targets: NDArray[Any] | None,
        rows: Rows,
        *,
        device: torch.device | None = None,
        in_memory: bool = True,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.rows = rows
        self.targets = torch.from_numpy(np.zeros(len(rows)) if targets is None else targets[rows])
        self.targets = self.targets.to(self.device)
        self._inputs = torch.from_numpy(inputs[rows]).to(self.device) if in_memory else inputs

    def __len__(self) -> int:
        return len(self.rows)

    def gather(self, index: Tensor) -> Batch:
        """The examples at these places (N,) of the split, which are int64 on the CPU."""
        index_on_device = index.to(self.device)
        targets = self.targets.index_select(0, index_on_device)
        if isinstance(self._inputs, Tensor):
            return Batch(self._inputs.index_select(0, index_on_device), targets)
        return Batch(torch.from_numpy(self._inputs[self.rows[index.numpy()]]).to(self.device), targets)

    def batches(self, size: int) -> Iterator[Batch]:
        """All examples in order, at most `size` at a time: fewer where they are large, and in the last batch."""
        for index in torch.split(torch.arange(len(self)), fitting(size, self._inputs.shape[1:])):
            yield self.gather(index)


def fitting(size: int, input_shape: Sequence[int]) -> int:
    """How many inputs of this shape to take at a time where `size` is the most."""
    return max(1, min(size, MAX_BATCH_NUMBERS // prod(input_shape)))


@dataclass(frozen=True)
class DataSet:
    """A data set's directory and manifest."""

    directory: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, directory: Path) -> "DataSet":
        """Read the manifest; no array is read yet."""
        return cls(directory, json.loads((directory / "manifest.json").read_text()))

    @property
    def modality(self) -> str:
        """`image` or `tabular`."""
        return str(self.manifest["modality"])

    @property
    def input(self) -> dict[str, Any]:
        """The manifest's description of one input."""
        description: dict[str, Any] = self.manifest["input"]
        return description

    @property
    def labels(self) -> list[str] | None:
        """Names of the classes by index, if the targets are classes."""
        labels: list[str] | None = self.manifest["classes"]
        return labels

    @cached_property
    def in_memory(self) -> bool:
        """Whether the data set is small enough to be held in memory."""
        return int(self.manifest["bytes"]) <= IN_MEMORY_BYTES

    def inputs(self, split: str) -> NDArray[Any]:
        """The inputs (N, ...) of a split of the source, mapped from the file."""
        return self._array(split, "inputs")

    def targets(self, split: str) -> NDArray[Any] | None:
        """The targets (N,), or masks (N, H, W), of a split of the source; None when unlabelled."""
        return None if self.manifest["target"] is None else self._array(split, "targets")

    def row_classes(self, split: str) -> NDArray[Any] | None:
        """The class of each row (N,) of a split of the source; None where a row is not of one class."""
        is_one_class = self.labels is not None and self.manifest["target"]["shape"] == []
        return self.targets(split) if is_one_class else None

    def rows(self, split: Split) -> dict[str, tuple[str, Rows]]:
        """For each split, the source's split and the rows of it that make it up.

        What the source has is taken as it is; what it lacks is held out of its training rows.

        Raises:
            UnsuitableData: there are too few rows to hold any out.
        """
        own = self.manifest["splits"]
        missing = {"validation", "test"} - own.keys()
        derived = hold_out(own["train"]["count"], self.row_classes("train"), split, missing)
        whole = {name: np.arange(own[name]["count"]) for name in own if name != "train"}
        return {
            **{name: ("train", rows) for name, rows in derived.items()},
            **{name: (name, rows) for name, rows in whole.items()},
        }

    def examples(self, split: str, rows: Rows | None = None, device: torch.device | None = None) -> Examples:
        """The given rows, or all, of a split of the source."""
        inputs = self.inputs(split)
        rows = np.arange(len(inputs)) if rows is None else rows
        return Examples(inputs, self.targets(split), rows, device=device, in_memory=self.in_memory)

    def divided(self, split: Split, device: torch.device | None = None) -> dict[str, Examples]:
        """Training examples, and those of validation and test, as `rows` divides them."""
        return {name: self.examples(source, rows, device) for name, (source, rows) in self.rows(split).items()}

    def _array(self, split: str, which: str) -> NDArray[Any]:
        array: NDArray[Any] = np.load(self.directory / f"{split}.{which}.npy", mmap_mode="r")
        return array


def require_learnable(dataset: DataSet, train: Examples) -> None:
    """Refuse training rows that nothing can be learned from, before any time is spent on them.

    Raises:
        UnsuitableData: targets are missing, not finite, all the same, or of a single class.
    """
    require_finite_targets(train)
    if bool((train.targets == train.targets.flatten()[0]).all()):
        raise UnsuitableData(
            "All training rows have the same target, which leaves nothing to learn; choose another `target` column."
            if dataset.labels is None
            else "All that is to be learned from is of one class; at least two are needed."
        )


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
