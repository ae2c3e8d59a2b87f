"""Data sets as directories of memory-mapped arrays, and batches of them by row number.

A data set that fits in memory is held there as tensors and a batch is one gather, which was measured at
1.2 to 1.5 times the speed of a DataLoader; a larger one is gathered from the mapped file.
Shapes: N rows; an input is uint8 (C, H, W) or float32 (F,), a target one number, uint8 (H, W) or a class for each of L
places. Inputs that vary in length, of text and of series, are `Ragged`, and padded in a batch: tokens with 0, steps of
series with NaN. Targets that do are padded too.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import ragged
from models.errors import Mismatch, UnsuitableData
from models.ragged import Ragged
from models.splits import Rows, hold_out
from models.training.settings import Split
from models.treebank import node_classes
from models.windows import Windowing, Windows
from shapes.tokens import NO_TARGET, Given, Tokenizer, composed

IN_MEMORY_BYTES = 2 * 1024**3
"""Data sets up to this size are held in memory."""
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


@dataclass(frozen=True)
class DataSet:
    """A data set's directory and manifest."""

    directory: Path
    manifest: dict[str, Any]
    tokenizer: Tokenizer | None = None
    """What makes tokens of the inputs, which are text."""
    target_tokenizer: Tokenizer | None = None
    """What makes tokens of the targets, if they are text."""
    windowing: Windowing | None = None
    """What makes windows of the inputs, which are series to be forecast; the rows are then the windows."""

    @classmethod
    def open(cls, directory: Path) -> "DataSet":
        """Read the manifest; no array is read yet."""
        return cls(directory, json.loads((directory / "manifest.json").read_text()))

    @property
    def modality(self) -> str:
        """`image`, `tabular`, `text`, `tree` or `series`."""
        return str(self.manifest["modality"])

    @property
    def input(self) -> dict[str, Any]:
        """What one input is: as the manifest has it, or tokens, or a window."""
        description: dict[str, Any] = self.manifest["input"]
        if self.windowing is not None:
            return self.windowing.described(description)
        if self.tokenizer is None:
            return description
        shape = [None, *self.tokenizer.item_shape]
        return {"name": "tokens", "dtype": "int64", "shape": shape, "tokenizer": self.tokenizer.as_json()}

    @property
    def labels(self) -> list[str] | None:
        """Names of the classes by index, if the targets are classes."""
        labels: list[str] | None = self.manifest["classes"]
        return labels

    @property
    def num_inputs(self) -> int:
        """Numbers in one raw input; of rows that vary in length, in the longest of the training rows."""
        inputs = self.stored("train")
        if isinstance(inputs, Ragged):
            return int(inputs.lengths.max(initial=1)) * prod(inputs.item_shape)
        return prod(inputs.shape[1:])

    @cached_property
    def in_memory(self) -> bool:
        """Whether the data set is small enough to be held in memory."""
        return int(self.manifest["bytes"]) <= IN_MEMORY_BYTES

    def inputs(self, split: str) -> NDArray[Any]:
        """The inputs (N, ...) of a split of the source, mapped from the file, if they are of one shape."""
        return self._array(split, "inputs")

    def targets(self, split: str) -> NDArray[Any] | None:
        """The targets (N,), masks (N, H, W) or classes (N, L) of a split of the source; None where there are none.

        Classes that vary in number are padded with `NO_TARGET`, in as few bytes as hold them; texts are their tokens,
        if there is a tokeniser for them; those of windows are what `Windows.targets` says.
        """
        if self.windowing is not None:
            windows = self.windows(split)
            return windows.targets(np.arange(len(windows)))
        if self.manifest["target"] is None or (self._writes and self.target_tokenizer is None):
            return None
        if self.target_tokenizer is not None:
            return padded_targets(_encoded(self.target_tokenizer, self._texts(split, "targets")))
        stored = ragged.load(self._path(split, "targets"))
        return padded_targets(stored) if isinstance(stored, Ragged) else stored

    def truth(self, examples: Examples) -> NDArray[Any]:
        """What answers are held against (N, ...): the targets; where they are texts, these themselves (N,)."""
        if not self._writes:
            return examples.targets.cpu().numpy()
        return _as_array(self._texts(examples.source, "targets", examples.rows))

    def asked(self, examples: Examples) -> NDArray[Any]:
        """The inputs (N,) of examples, which are texts, as `truth` has its texts."""
        return _as_array(self._texts(examples.source, "inputs", examples.rows))

    @property
    def _writes(self) -> bool:
        """Whether the targets are texts."""
        target = self.manifest["target"]
        return target is not None and target["dtype"] == "string"

    def classes_of_parts(self, split: str) -> Ragged | None:
        """The classes of the steps of a split's inputs, which trees have: those of their nodes."""
        if self.modality != "tree" or self.labels is None:
            return None
        return node_classes(self.texts(split), self.labels)

    def stored(self, split: str) -> NDArray[Any] | Ragged | Windows:
        """The inputs of a split of the source: mapped from the file, the tokens of texts, or the windows of series."""
        if self.windowing is not None:
            return self.windows(split)
        return ragged.load(self._path(split, "inputs")) if self.tokenizer is None else self._tokens[split]

    def texts(self, split: str, rows: Rows | None = None) -> Iterator[str]:
        """The inputs of a split of the source, or those of these rows, if they are text."""
        return self._texts(split, "inputs", rows)

    def target_texts(self, split: str, rows: Rows | None = None) -> Iterator[str]:
        """Likewise the targets."""
        return self._texts(split, "targets", rows)

    def _texts(self, split: str, which: str, rows: Rows | None = None) -> Iterator[str]:
        encoded = Ragged.load(self._path(split, which))
        return (encoded[int(row)].tobytes().decode() for row in (range(len(encoded)) if rows is None else rows))

    @property
    def given(self) -> Given | None:
        """What its inputs are if they are text in which no units are to be found."""
        if self.modality == "tree":
            return "tree"
        return "given" if self.manifest["input"]["shape"] == [None] and self.modality == "text" else None

    def tokenized(self, tokenizer: Tokenizer, target_tokenizer: Tokenizer | None = None) -> "DataSet":
        """The same data with tokens (T,) of int64 for inputs, or (T, 1 + S) with S characters of each, and for targets
        that are text."""
        return replace(self, tokenizer=tokenizer, target_tokenizer=target_tokenizer)

    def windowed(self, windowing: Windowing) -> "DataSet":
        """The same data with windows (T, F) for rows."""
        return replace(self, windowing=windowing)

    def windows(self, split: str) -> Windows:
        """The windows of the series in a split of the source.

        Raises:
            Mismatch: the series lack a column.
        """
        return self._windows[split]

    def place(self, split: str, row: int) -> dict[str, Any]:
        """Where a row comes from, if that is more than its number: of a window its `series`, and its first `step`."""
        if self.windowing is None:
            return {}
        series, step = self.windows(split).place(row)
        return {"series": self.manifest["input"]["series"][series]["id"], "step": step}

    def as_taken(self, signature: Mapping[str, Any]) -> "DataSet":
        """The same data with the inputs that a version of this signature takes: its tokens of texts, or windows.

        Raises:
            Mismatch: it takes texts, or series to forecast, and these are none.
        """
        if "horizon" in signature["input"]:
            if self.manifest["task"] != "forecasting":
                raise Mismatch(f"The model forecasts series; the data set holds {self.modality} data.")
            return self.windowed(Windowing.of(signature["input"]))
        tokenizer = signature["input"].get("tokenizer")
        if tokenizer is None:
            return self
        if self.modality != signature["modality"]:
            raise Mismatch(f"The model takes {signature['modality']}; the data set holds {self.modality} data.")
        return self.tokenized(Tokenizer.of(tokenizer))

    def row_classes(self, split: str) -> NDArray[Any] | None:
        """The class of each row (N,) of a split of the source; None where a row is not of one class."""
        return self.targets(split) if self.has_row_classes else None

    @property
    def has_row_classes(self) -> bool:
        """Whether each row is of one class."""
        return self.labels is not None and self.manifest["target"]["shape"] == []

    def rows(self, split: Split) -> dict[str, tuple[str, Rows]]:
        """For each split, the source's split and the rows of it that make it up.

        What the source has is taken as it is; what it lacks is held out of its training rows. Windows are divided by
        time.

        Raises:
            UnsuitableData: there are too few rows to hold any out.
        """
        if self.windowing is not None:
            return {name: ("train", rows) for name, rows in self.windows("train").divided(split).items()}
        own = self.manifest["splits"]
        missing = {"validation", "test"} - own.keys()
        derived = hold_out(own["train"]["count"], self.row_classes("train"), split, missing)
        whole = {name: np.arange(own[name]["count"]) for name in own if name != "train"}
        return {
            **{name: ("train", rows) for name, rows in derived.items()},
            **{name: (name, rows) for name, rows in whole.items()},
        }

    def examples(self, split: str, rows: Rows | None = None, device: torch.device | None = None) -> Examples:
        """The given rows of a split of the source, or all that have a target."""
        inputs = self.stored(split)
        if rows is None:
            rows = inputs.complete if isinstance(inputs, Windows) else np.arange(len(inputs))
        return Examples(
            inputs,
            self.targets(split),
            rows,
            parts=self.classes_of_parts(split),
            device=device,
            in_memory=self.in_memory,
            source=split,
        )

    def divided(self, split: Split, device: torch.device | None = None) -> dict[str, Examples]:
        """Training examples, and those of validation and test, as `rows` divides them."""
        return {name: self.examples(source, rows, device) for name, (source, rows) in self.rows(split).items()}

    @cached_property
    def _tokens(self) -> "_Tokens":
        return _Tokens(self)

    @cached_property
    def _windows(self) -> "_Windows":
        return _Windows(self)

    def _array(self, split: str, which: str) -> NDArray[Any]:
        array: NDArray[Any] = np.load(self._path(split, which), mmap_mode="r")
        return array

    def _path(self, split: str, which: str) -> Path:
        return self.directory / f"{split}.{which}.npy"


class _Tokens(dict[str, Ragged]):
    """The tokens of each split of the source, made at the first look."""

    def __init__(self, dataset: DataSet) -> None:
        super().__init__()
        self._dataset = dataset

    def __missing__(self, split: str) -> Ragged:
        tokenizer = self._dataset.tokenizer
        if tokenizer is None:
            raise TypeError("the inputs are not text")
        self[split] = _encoded(tokenizer, self._dataset.texts(split))
        return self[split]


def _encoded(tokenizer: Tokenizer, texts: Iterable[str]) -> Ragged:
    return Ragged.of((np.array(tokenizer.encode(text), np.int64) for text in texts), np.int64)


def _as_array(texts: Iterable[str]) -> NDArray[Any]:
    """Texts (N,) in composed form."""
    return np.array([composed(text).strip() for text in texts], object)


class _Windows(dict[str, Windows]):
    """The windows of each split of the source, laid at the first look."""

    def __init__(self, dataset: DataSet) -> None:
        super().__init__()
        self._dataset = dataset

    def __missing__(self, split: str) -> Windows:
        dataset = self._dataset
        if dataset.windowing is None:
            raise TypeError("the inputs are no windows")
        names = [column["name"] for column in dataset.manifest["input"]["columns"]]
        self[split] = Windows(Ragged.load(dataset._path(split, "inputs")), dataset.windowing, names)
        return self[split]


def padded_targets(rows: Ragged) -> NDArray[Any]:
    """Whole numbers of 0 and more as (N, L), each row followed by `NO_TARGET`, in as few bytes as hold them."""
    small = np.min_scalar_type(-1 - int(rows.values.max(initial=0)))
    return Ragged(rows.values.astype(small), rows.offsets).padded(value=NO_TARGET)


def require_learnable(dataset: DataSet, train: Examples) -> None:
    """Refuse training rows that nothing can be learned from, before any time is spent on them.

    Raises:
        UnsuitableData: targets are missing, not finite, all the same, or of a single class.
    """
    require_finite_targets(train)
    known = train.known_targets
    if bool((known == known[0]).all()):
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
