"""The `learning_curve` job: would more rows help? Metrics against the number of training rows."""

from math import floor
from time import monotonic
from typing import Any

import numpy as np
import torch

from models.data import DataSet
from models.errors import UnsuitableData
from models.fits.curves import division, files, gather, measure_all, with_repeat
from models.fits.fitting import Fit, configuration
from models.run import JobContext, Outcome, given
from models.splits import spread
from models.tasks import TASKS
from models.training.settings import training_settings


def run(context: JobContext) -> Outcome:
    """Train on more and more of the training rows and measure on those and on the validation rows.

    The rows of a smaller size are among those of a larger one, and classes keep their proportions.

    Raises:
        JobError: the request or the data cannot be trained with, or training diverged.
        Stopped: the user cancelled or paused. Finished fits are not trained again.
    """
    torch.set_num_threads(context.threads)
    started_at = monotonic()
    dataset = DataSet.open(given(context.dataset))
    request = context.request
    sizes, fits = _fits(request, dataset)
    records = measure_all(context, dataset, fits)
    result = {
        **{name: request[name] for name in ("architecture", "dataset", "repeats")},
        "fits": len(fits),
        "sizes": sizes,
        "curves": gather(records, request["repeats"]),
        "seconds": monotonic() - started_at,
    }
    return Outcome(result, files(context, TASKS[dataset.manifest["task"]], result, records, ("training rows", sizes)))


def _fits(request: dict[str, Any], dataset: DataSet) -> tuple[list[int], list[Fit]]:
    """The sizes in rows, in ascending order, and the fits of the first with all its repeats, then of the second."""
    repeats = [with_repeat(request["training"], repeat) for repeat in range(request["repeats"])]
    divisions = [division(dataset, training) for training in repeats]
    count = len(divisions[0]["train"][1])
    sizes = sorted({_size(size, count) for size in request["sizes"]})
    classes = dataset.row_classes("train")
    fits = []
    for size in sizes:
        for repeat, (training, parts) in enumerate(zip(repeats, divisions, strict=True), 1):
            source, rows = parts["train"]
            seed = training_settings(training).seed
            order = spread(len(rows), None if classes is None else classes[rows], seed)
            chosen = np.sort(rows[order[:size]])
            trained = configuration(request, training=training)
            name = f"{size:,} rows, repeat {repeat} of {len(repeats)}"
            fits.append(Fit(name, trained, {**parts, "train": (source, chosen)}, ("train", "held_out")))
    return sizes, fits


def _size(size: float, count: int) -> int:
    """Rows of a size: up to 1 it is a share of all training rows, above that their number."""
    rows = floor(size * count) if size <= 1 else int(size)
    if not 2 <= rows <= count:
        raise UnsuitableData(
            f"`sizes` {size:g} is {rows} rows: use 2 to {count}, the training rows that `training.split` leaves, "
            "or shares of them up to 1."
        )
    return rows
