"""Data sets as directories of memory-mapped arrays and a manifest."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models import ragged
from models.errors import Mismatch, UnsuitableData
from models.examples import Examples, require_finite_targets
from models.ragged import Ragged
from models.splits import BySplit, Rows, hold_out
from models.training.settings import Split
from models.treebank import node_classes
from models.windows import Windowing, Windows
from shapes.matching import unlike
from shapes.tokens import NO_TARGET, Given, Tokenizer, composed

IN_MEMORY_BYTES = 2 * 1024**3
"""Data sets up to this size are held in memory."""


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
        """Numbers in one raw input; of rows that vary in length, in the longest of the first split."""
        inputs = self.stored(next(iter(self.manifest["splits"])))
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
        return self._targets[split]

    def _read_targets(self, split: str) -> NDArray[Any] | None:
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
        return self._classes_of_parts[split]

    def _read_classes_of_parts(self, split: str) -> Ragged | None:
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
            Mismatch: these inputs are not what it takes.
        """
        fault = unlike(signature, self.manifest)
        if fault is not None:
            raise Mismatch(f"The data set {fault}.")
        if "horizon" in signature["input"]:
            return self.windowed(Windowing.of(signature["input"]))
        tokenizer = signature["input"].get("tokenizer")
        return self if tokenizer is None else self.tokenized(Tokenizer.of(tokenizer))

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
    def _tokens(self) -> "BySplit[Ragged]":
        return BySplit(self._read_tokens)

    @cached_property
    def _windows(self) -> "BySplit[Windows]":
        return BySplit(self._lay_windows)

    @cached_property
    def _targets(self) -> "BySplit[NDArray[Any] | None]":
        return BySplit(self._read_targets)

    @cached_property
    def _classes_of_parts(self) -> "BySplit[Ragged | None]":
        return BySplit(self._read_classes_of_parts)

    def _read_tokens(self, split: str) -> Ragged:
        if self.tokenizer is None:
            raise TypeError("the inputs are not text")
        return _encoded(self.tokenizer, self.texts(split))

    def _lay_windows(self, split: str) -> Windows:
        if self.windowing is None:
            raise TypeError("the inputs are no windows")
        names = [column["name"] for column in self.manifest["input"]["columns"]]
        return Windows(Ragged.load(self._path(split, "inputs")), self.windowing, names)

    def _array(self, split: str, which: str) -> NDArray[Any]:
        array: NDArray[Any] = np.load(self._path(split, which), mmap_mode="r")
        return array

    def _path(self, split: str, which: str) -> Path:
        return self.directory / f"{split}.{which}.npy"


def _encoded(tokenizer: Tokenizer, texts: Iterable[str]) -> Ragged:
    return Ragged.of((np.array(tokenizer.encode(text), np.int64) for text in texts), np.int64)


def _as_array(texts: Iterable[str]) -> NDArray[Any]:
    """Texts (N,) in composed form."""
    return np.array([composed(text).strip() for text in texts], object)


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
