"""The rows of a data set that are explained, with what the served graph answers to them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.data import DataSet
from models.errors import JobError
from models.examples import Examples
from models.inference import Session
from models.run import FitImage
from models.versions.alignment import align_inputs


@dataclass(frozen=True)
class Sample:
    """One row: its number in the split and in the data set's file, its raw input and the model's answer to it."""

    row: int
    source_row: int
    truth: str | float | None
    input: NDArray[Any]
    """As the model takes it: uint8 (C, H, W) or float32 (F,)."""
    answer: NDArray[Any]
    """Probabilities (K,), or one value ()."""

    def described(self, labels: list[str] | None) -> dict[str, Any]:
        """What the report says of it."""
        described = {"row": self.row, "source_row": self.source_row, "true": self.truth}
        if labels is None:
            return {**described, "value": float(self.answer)}
        index = int(self.answer.argmax())
        return {**described, "predicted": labels[index], "probability": float(self.answer[index])}


def rows_of(wanted: int | list[int], count: int) -> list[int]:
    """The rows that a request's `samples` means: those it lists, or so many spread over all.

    Raises:
        JobError: `row_out_of_range`, naming the first that there is not.
    """
    if isinstance(wanted, int):
        places = np.linspace(0, count - 1, min(wanted, count)).round()
        return [int(place) for place in places]
    beyond = [row for row in wanted if row >= count]
    if beyond:
        raise JobError(
            "row_out_of_range", f"`samples`: there is no row {beyond[0]}; the split has rows 0 to {count - 1}."
        )
    return list(dict.fromkeys(wanted))


def take(
    dataset: DataSet,
    examples: Examples,
    rows: list[int],
    signature: dict[str, Any],
    graph: tuple[Path, int],
    fit_image: FitImage,
) -> list[Sample]:
    """These rows of a split of a data set as it is taken, brought into the form that the model of this signature takes.

    `graph` is the served file and the threads to run it with.

    Raises:
        JobError: the model's file cannot be loaded.
    """
    batch = examples.gather(torch.tensor(rows))
    inputs = align_inputs(dataset, signature["input"], fit_image)(batch.inputs.numpy())
    answers = Session(*graph).run(inputs)
    return [
        Sample(row, int(examples.rows[row]), _truth(dataset, signature["task"], target), raw, answer)
        for row, target, raw, answer in zip(rows, batch.targets.tolist(), inputs, answers, strict=True)
    ]


def _truth(dataset: DataSet, task: str, target: float) -> str | float | None:
    """The data set's label or number; None of one that is unlabelled or for another task, such as one of masks."""
    if dataset.manifest["task"] != task:
        return None
    return target if dataset.labels is None else dataset.labels[int(target)]
