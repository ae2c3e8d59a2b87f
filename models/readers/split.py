"""Carving `validation` and `test` out of the training samples at ingest."""

import numpy as np
import numpy.typing as npt

from models.errors import JobError, UnsuitableData
from models.readers.writer import Array, DatasetWriter, chunks

SEED = 0


def carve(writer: DatasetWriter, fractions: dict[str, float], *, stratified: bool) -> None:
    """Move a seeded random share of the training samples into each split of `fractions`.

    Args:
        stratified: Take the share of each class, and leave at least one sample of it to train on.

    Raises:
        JobError: `options_invalid`: the upload has such a split already, or no training samples.
        UnsuitableData: too few samples for the shares.
    """
    if not fractions:
        return
    counts = writer.counts()
    for name in fractions:
        if name in counts or "train" not in counts:
            raise JobError("options_invalid", f"The upload brings its own splits; leave `split.{name}` out.")
    parts = writer.parts("train")
    count = counts["train"]
    classes = writer.read("train", "targets") if stratified else np.zeros(count, np.int8)
    assigned = _assign(classes, fractions)
    names = ["train", *fractions]
    for number, name in enumerate(names):
        if not np.any(assigned == number):
            raise UnsuitableData(f"{count} samples are too few for the shares in `split`: {name} would be empty.")
    writer.rename("train", "whole")
    for part in parts:
        whole = writer.read("whole", part)
        arrays = [writer.create(name, part, whole.dtype, whole.shape[1:]) for name in names]
        begin = 0
        for chunk in chunks(whole):
            here = assigned[begin : begin + len(chunk)]
            begin += len(chunk)
            for number, array in enumerate(arrays):
                array.append(chunk[here == number])
        writer.remove("whole", part)


def _assign(classes: Array, fractions: dict[str, float]) -> npt.NDArray[np.int8]:
    """The number of the split of every sample: 0 for train, then in the order of `fractions`."""
    order = np.random.default_rng(SEED).permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    assigned = np.zeros(len(classes), np.int8)
    _, begins = np.unique(classes[order], return_index=True)
    for members in np.split(order, begins[1:]):
        left = members
        for number, fraction in enumerate(fractions.values(), start=1):
            share = min(round(len(members) * fraction), len(left) - 1)
            assigned[left[:share]] = number
            left = left[share:]
    return assigned
