"""Metrics on training and validation rows along one axis: sizes of the training set, or values of a setting.

The validation rows are measured on and choose nothing: every fit ends with the weights of its last epoch, so that
over-fitting is seen where it happens. Each repeat divides the rows anew, unless the data set has a validation split
of its own, and begins with other weights.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from models.data import DataSet
from models.errors import JobError
from models.fits.figures import draw_curves
from models.fits.fitting import Fit, Fitted, fit_all, seed_of_fit
from models.fits.scoring import Numbers, announce, numbers_of, scores_of, targets_of
from models.run import JobContext, ProducedFile
from models.splits import Parts
from models.tasks import Task
from models.training.settings import training_settings

PARTS = {"train": "train", "held_out": "validation"}
"""What a fit is measured on, and its name in the result."""


def with_repeat(training: Mapping[str, Any], repeat: int) -> dict[str, Any]:
    """The settings of a repeat, counted from 0: other seeds for the division of the rows and for the weights."""
    settings = training_settings(dict(training))
    split = settings.split.model_copy(update={"seed": seed_of_fit(settings.split.seed, repeat)})
    return {**training, "seed": seed_of_fit(settings.seed, repeat), "split": split.model_dump()}


def division(dataset: DataSet, training: Mapping[str, Any]) -> Parts:
    """The rows to train on, `train`, and to be measured on, `held_out`, of these settings.

    Raises:
        UnsuitableData: there are too few rows to hold any out.
        JobError: `no_validation`, the settings hold none out.
    """
    parts = dataset.rows(training_settings(dict(training)).split)
    if "validation" not in parts:
        raise JobError("no_validation", "There are no rows to measure on: set `training.split.validation` above 0.")
    return {"train": parts["train"], "held_out": parts["validation"]}


def measure_all(
    context: JobContext, dataset: DataSet, fits: Sequence[Fit], *, keep_diverged: bool = False
) -> list[dict[str, Any]]:
    """Train every fit and measure it: a record each, with `metrics` by part, each part's None if it diverged.

    Raises:
        JobError, Stopped: see `fit_all`.
    """
    records = []
    trained = fit_all(context, dataset, fits, keep_diverged=keep_diverged)
    for number, (fit, fitted) in enumerate(zip(fits, trained, strict=True), 1):
        metrics = {
            name: numbers_of(scores_of(dataset, targets_of(dataset, fit.parts[part]), fitted.answers[part]))
            for part, name in PARTS.items()
            if part in fitted.answers
        }
        announced = {f"{part}_{name}": value for part, numbers in metrics.items() for name, value in numbers.items()}
        announce(context.report, number, fit, fitted, announced)
        records.append(_record(fit, fitted, metrics))
    return records


def _record(fit: Fit, fitted: Fitted, metrics: dict[str, Numbers]) -> dict[str, Any]:
    return {
        "fit": fit.name,
        "rows": {PARTS[part]: len(rows) for part, (_, rows) in fit.parts.items()},
        "epochs": fitted.epochs,
        "parameters": fitted.parameters,
        "seconds": fitted.seconds,
        "diverged": fitted.diverged,
        "metrics": metrics,
    }


def gather(records: Sequence[Mapping[str, Any]], repeats: int) -> dict[str, Any]:
    """For each metric, and `train` and `validation`, the `mean` and `std` (n - 1) over the repeats at each point.

    The records are those of the first point's repeats, then the second's. Null where no repeat has a value, or,
    for the deviation, only one has.
    """
    iterator = iter(records)
    points = [list(islice(iterator, repeats)) for _ in range(len(records) // repeats)]
    names = next((list(record["metrics"]["train"]) for record in records if record["metrics"]), [])
    return {
        name: {
            part: _spread([[_value(record, part, name) for record in point] for point in points])
            for part in PARTS.values()
        }
        for name in names
    }


def _value(record: Mapping[str, Any], part: str, name: str) -> float | None:
    value: float | None = record["metrics"].get(part, {}).get(name)
    return value


def _spread(points: list[list[float | None]]) -> dict[str, list[float | None]]:
    known = [[value for value in point if value is not None] for point in points]
    return {
        "mean": [float(np.mean(values)) if values else None for values in known],
        "std": [float(np.std(values, ddof=1)) if len(values) > 1 else None for values in known],
    }


def files(
    context: JobContext,
    task: type[Task],
    result: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    axis: tuple[str, Sequence[Any]],
) -> tuple[ProducedFile, ...]:
    """The report, with every fit, and a picture of the curves over the axis, which is a name and its points."""
    picture = context.scratch / "curves.png"
    title = f"{context.request['architecture']} on {context.request['dataset']}"
    drawn = {name: result["curves"][name] for name in task.curve_metrics if name in result["curves"]}
    draw_curves(picture, title, *axis, drawn)
    return (
        context.write_report({**result, "each": list(records)}),
        ProducedFile(picture.name, picture, "image/png"),
    )
