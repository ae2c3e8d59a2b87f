"""A data set on disk: `.npy` arrays that grow while an upload is read, and the manifest that describes them.

A directory holds `<split>.inputs.npy`, `<split>.targets.npy` (absent without targets) and `manifest.json`. Images
are uint8 (N, C, H, W); tables are float32 (N, F) with NaN for what is missing and the index of the category for
text. Targets are int64 class indices or float32 values, (N,), or masks of uint8 class indices, (N, H, W).

What varies in length from row to row has `<split>.inputs.offsets.npy`, or `targets`, beside its values (see `Ragged`):
text and trees as UTF-8, uint8; the words of a sentence likewise, one a line; series, float32 (T, F); and targets that
are text, or the int64 class of each word. The manifest's `shape` has null for an axis that varies, and the `dtype` of
text is `string`.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models import ragged
from models.errors import UnsuitableData
from models.ragged import Ragged
from models.readers.array_files import CHUNK_BYTES, ArrayWriter, RaggedWriter, pieces, row_bytes

Array = npt.NDArray[Any]
MAX_EXAMPLES = 10
SPLITS = ("train", "validation", "test")


@dataclass
class Skipped:
    """What an upload held that is not in the data set: how much, and a few examples with the reason."""

    count: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)

    def add(self, entry: str, reason: str) -> None:
        """Set one entry, or row, aside."""
        self.count += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append({"entry": entry[:200], "reason": reason[:300]})

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return {"count": self.count, "examples": self.examples}


@dataclass(frozen=True)
class Description:
    """What a data set is, besides its arrays. `input` and `target` stand in the manifest as they are."""

    modality: str
    task: str | None
    classes: list[str] | None
    input: dict[str, Any]
    target: dict[str, Any] | None

    @property
    def has_row_classes(self) -> bool:
        """Whether each sample is of one class."""
        return self.classes is not None and self.target is not None and self.target["shape"] == []

    @property
    def is_in_order_of_time(self) -> bool:
        """Whether what is held out is the end of each row, not some of the rows."""
        return self.task == "forecasting"


LABEL = {"name": "label", "dtype": "int64", "shape": []}


def image_input(channels: int, size: tuple[int, int], how: str = "crop", *, fitted: bool) -> dict[str, Any]:
    """The `input` of an image data set.

    `size` is (height, width), `fitted` says whether images of other sizes were brought to it, and `how`, if they were
    not cropped.
    """
    described = {"name": "image", "dtype": "uint8", "shape": [channels, *size]}
    return described | ({"fit": how} if how != "crop" else {}) | ({"fitted": True} if fitted else {})


class DatasetWriter:
    """Writes a data set into `<directory>.partial` and renames it when it is complete.

    As a context manager it leaves nothing behind unless `finish` came to its end.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._partial = directory.with_name(f"{directory.name}.partial")
        self._partial.mkdir(parents=True)
        self._arrays: dict[tuple[str, str], ArrayWriter | RaggedWriter] = {}
        self.skipped = Skipped()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for array in self._arrays.values():
            array.abandon()
        shutil.rmtree(self._partial, ignore_errors=True)

    def inputs(self, split: str, dtype: npt.DTypeLike, item_shape: tuple[int, ...]) -> ArrayWriter:
        """The inputs of a split, begun at the first call."""
        return self._array(split, "inputs", dtype, item_shape)

    def targets(self, split: str, dtype: npt.DTypeLike, item_shape: tuple[int, ...] = ()) -> ArrayWriter:
        """The targets of a split, begun at the first call."""
        return self._array(split, "targets", dtype, item_shape)

    def ragged(
        self, split: str, part: str, dtype: npt.DTypeLike = np.uint8, item_shape: tuple[int, ...] = ()
    ) -> RaggedWriter:
        """`inputs` or `targets` of varying length of a split, begun at the first call; text unless said otherwise."""
        array = self._arrays.get((split, part))
        if not isinstance(array, RaggedWriter):
            array = self._arrays[split, part] = RaggedWriter(self._path(split, part), dtype, item_shape)
        return array

    def copy(self, split: str, part: str, whole: Array | Ragged, rows: npt.NDArray[np.int64]) -> None:
        """Add these rows of an array to the `inputs` or `targets` of a split."""
        for some in pieces(rows, row_bytes(whole)):
            if isinstance(whole, Ragged):
                self.ragged(split, part, whole.dtype, whole.item_shape).append(whole[some])
            else:
                self._array(split, part, whole.dtype, whole.shape[1:]).append(whole[some])

    def remove(self, split: str, part: str) -> None:
        """Drop an array again."""
        array = self._arrays.pop((split, part))
        array.close()
        for path in array.paths:
            path.unlink()

    def read(self, split: str, part: str) -> Array | Ragged:
        """An array written so far, memory-mapped, its values open to change; it cannot grow any more."""
        self._arrays[split, part].close()
        return ragged.load(self._path(split, part), "r+")

    def read_values(self, split: str, part: str) -> Array:
        """Likewise, the values alone, whatever the rows they belong to."""
        array = self.read(split, part)
        return array.values if isinstance(array, Ragged) else array

    def rename(self, split: str, new: str) -> None:
        """Give a split another name."""
        for part in self.parts(split):
            self._arrays[split, part].move(self._path(new, part))
            self._arrays[new, part] = self._arrays.pop((split, part))

    def splits(self) -> set[str]:
        """The splits of which an array has been begun."""
        return {split for split, _ in self._arrays}

    def count(self, split: str, part: str) -> int:
        """The length of an array; 0 if it has not been begun."""
        array = self._arrays.get((split, part))
        return 0 if array is None else array.count

    def counts(self) -> dict[str, int]:
        """The number of samples, by split, in the order train, validation, test."""
        return {split: self.count(split, "inputs") for split in SPLITS if split in self.splits()}

    def parts(self, split: str) -> list[str]:
        """Which arrays a split has: `inputs`, and `targets` if it is labelled."""
        return [part for name, part in self._arrays if name == split]

    def finish(self, description: Description) -> dict[str, Any]:
        """Check the data set, write its manifest and put the directory in place.

        Returns:
            The manifest.

        Raises:
            UnsuitableData: nothing to learn from: no samples, one only, one class only, a class without samples.
        """
        for array in self._arrays.values():
            array.close()
        counts = self.counts()
        _check_samples(description, counts)
        class_counts = self._class_counts(description)
        _check_classes(description, class_counts)
        paths = [path for key in sorted(self._arrays) for path in self._arrays[key].paths]
        manifest: dict[str, Any] = {
            "modality": description.modality,
            "task": description.task,
            "splits": {split: {"count": count} | self._lengths(split) for split, count in counts.items()},
            "classes": description.classes,
            "class_counts": class_counts,
            "input": description.input,
            "target": description.target,
            "skipped": self.skipped.as_json(),
        }
        manifest["digest"] = _digest(paths, manifest)
        manifest["bytes"] = sum(path.stat().st_size for path in paths)
        with (self._partial / "manifest.json").open("w") as file:
            json.dump(manifest, file)
            file.flush()
            os.fsync(file.fileno())
        self._partial.rename(self.directory)
        return manifest

    def _class_counts(self, description: Description) -> dict[str, list[int]] | None:
        if description.classes is None:
            return None
        size = len(description.classes)
        counts = {}
        for split in self.counts():
            total = np.zeros(size, np.int64)
            for chunk in chunks(self.read_values(split, "targets")):
                total += np.bincount(chunk.reshape(-1), minlength=size)
            counts[split] = total.tolist()
        return counts

    def _lengths(self, split: str) -> dict[str, int]:
        """How long the longest input of a split is, and all together, where they vary: in bytes of text, or steps."""
        inputs = self._arrays[split, "inputs"]
        return {"longest": inputs.longest, "total": inputs.total} if isinstance(inputs, RaggedWriter) else {}

    def _array(self, split: str, part: str, dtype: npt.DTypeLike, item_shape: tuple[int, ...]) -> ArrayWriter:
        array = self._arrays.get((split, part))
        if not isinstance(array, ArrayWriter):
            array = self._arrays[split, part] = ArrayWriter(self._path(split, part), dtype, item_shape)
        return array

    def _path(self, split: str, part: str) -> Path:
        return self._partial / f"{split}.{part}.npy"


def chunks(array: Array) -> Iterator[Array]:
    """An array in pieces along its first axis, each of a few megabytes."""
    if len(array):
        step = max(1, CHUNK_BYTES // max(1, array.nbytes // len(array)))
        for begin in range(0, len(array), step):
            yield array[begin : begin + step]


def _check_samples(description: Description, counts: dict[str, int]) -> None:
    total = sum(counts.values())
    if not total or not all(counts.values()):
        raise UnsuitableData("The data set, or one of its splits, holds no samples; add some.")
    if description.target is not None and total < 2:
        raise UnsuitableData("The data set holds a single sample, and one cannot be learned from; add more.")


def _check_classes(description: Description, class_counts: dict[str, list[int]] | None) -> None:
    classes = description.classes
    if classes is None or class_counts is None:
        return
    if len(classes) < 2:
        name = classes[0][:100] if classes else ""
        raise UnsuitableData(
            f"All samples are of one class, {name!r}; classification needs at least two. Add another class,"
            ' or set the option `target` to "" for data without labels.'
        )
    if description.modality == "tree" or (description.target is not None and None in description.target["shape"]):
        return  # A class of single words, or of nodes below the roots, may well be rare, and is scored where it occurs.
    split = "train" if "train" in class_counts else next(iter(class_counts))
    for name, count in zip(classes, class_counts[split], strict=True):
        if not count:
            raise UnsuitableData(
                f"The class {name[:100]!r} has no samples in the split {split}; add some or remove it."
            )


def _digest(paths: list[Path], manifest: dict[str, Any]) -> str:
    """SHA-256 over the arrays and the rest of the manifest: the same data gives the same digest."""
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode())
    for path in paths:
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"
