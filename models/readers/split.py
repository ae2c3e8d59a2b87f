"""Carving `validation` and `test` out of the training samples at ingest."""

import numpy as np

from models.errors import JobError, UnsuitableData
from models.readers.writer import DatasetWriter, chunks
from models.splits import Rows, hold_out
from models.training.settings import Split

SEED = 0


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
    for name in fractions:
        if name in writer.splits() or "train" not in writer.splits():
            raise JobError("options_invalid", f"The upload brings its own splits; leave `split.{name}` out.")
    parts = writer.parts("train")
    divided = _divide(writer, fractions, stratified=stratified)
    writer.rename("train", "whole")
    for part in parts:
        whole = writer.read("whole", part)
        for name, rows in divided.items():
            array = writer.create(name, part, whole.dtype, whole.shape[1:])
            for some in chunks(rows, item_bytes=whole[0].nbytes):
                array.append(whole[some])
        writer.remove("whole", part)


def _divide(writer: DatasetWriter, fractions: dict[str, float], *, stratified: bool) -> dict[str, Rows]:
    count = writer.count("train", "inputs")
    classes = np.asarray(writer.read("train", "targets")) if stratified and count else None
    split = Split(**({"validation": 0.0, "test": 0.0} | fractions), seed=SEED)
    try:
        return hold_out(count, classes, split, set(fractions))
    except UnsuitableData:
        raise UnsuitableData(
            f"{count} samples are too few for the shares in the option `split`; add samples or leave it out."
        ) from None
