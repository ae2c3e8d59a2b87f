"""Carving `validation` and `test` out of the training samples at ingest."""

import numpy as np

from models.errors import JobError, UnsuitableData
from models.ragged import Ragged
from models.readers.writer import DatasetWriter
from models.splits import Rows, hold_out
from models.training.settings import Split

SEED = 0
MIN_STEPS = 2


def carve(writer: DatasetWriter, fractions: dict[str, float], *, stratified: bool) -> None:
    """Move a share of the training samples into each split of `fractions`, chosen as a train job would.

    Args:
        stratified: Keep the proportions of the classes.

    Raises:
        JobError: `options_invalid`: the upload has such a split already, or no training samples.
        UnsuitableData: too few samples for the shares.
    """
    if not fractions:
        return
    _check_own_splits(writer, fractions)
    parts = writer.parts("train")
    divided = _divide(writer, fractions, stratified=stratified)
    writer.rename("train", "whole")
    for part in parts:
        whole = writer.read("whole", part)
        for name, rows in divided.items():
            writer.copy(name, part, whole, rows)
        writer.remove("whole", part)


def cut(writer: DatasetWriter, fractions: dict[str, float]) -> None:
    """Move a share of the steps of every training series into each split of `fractions`: the last ones into `test`,
    those before them into `validation`. Row i of each split goes on where row i of the split before it ends.

    Raises:
        JobError: `options_invalid`: the upload has such a split already, or no training samples.
        UnsuitableData: a series is too short for the shares.
    """
    if not fractions:
        return
    _check_own_splits(writer, fractions)
    writer.rename("train", "whole")
    whole = writer.read("whole", "inputs")
    if not isinstance(whole, Ragged):
        raise TypeError("only rows of varying length can be cut")
    for row in whole:
        end = len(row)
        for name in ("test", "validation", "train"):
            size = end if name == "train" else round(len(row) * fractions.get(name, 0))
            if size < MIN_STEPS and (name == "train" or name in fractions):
                raise UnsuitableData(
                    f"A series of {len(row)} steps is too short for the shares in the option `split`: {name} would"
                    f" have {size}; add steps, or leave it out."
                )
            if size:
                writer.ragged(name, "inputs", whole.dtype, whole.item_shape).add(np.array(row[end - size : end]))
            end -= size
    writer.remove("whole", "inputs")


def _check_own_splits(writer: DatasetWriter, fractions: dict[str, float]) -> None:
    for name in fractions if writer.splits() else ():  # that there are no samples at all is said later
        if name in writer.splits() or "train" not in writer.splits():
            raise JobError("options_invalid", f"The upload brings its own splits; leave `split.{name}` out.")


def _divide(writer: DatasetWriter, fractions: dict[str, float], *, stratified: bool) -> dict[str, Rows]:
    count = writer.count("train", "inputs")
    classes = np.asarray(writer.read_values("train", "targets")) if stratified and count else None
    split = Split(**({"validation": 0.0, "test": 0.0} | fractions), seed=SEED)
    try:
        return hold_out(count, classes, split, set(fractions))
    except UnsuitableData:
        raise UnsuitableData(
            f"{count} samples are too few for the shares in the option `split`; add samples or leave it out."
        ) from None
