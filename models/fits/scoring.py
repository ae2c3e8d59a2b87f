"""The metrics of a fit's answers."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from models.data import DataSet
from models.fits.fitting import Fit, Fitted
from models.metrics import METRICS
from models.run import Reporter
from models.splits import Rows
from models.tasks import TASKS

Numbers = dict[str, float | None]


def targets_of(dataset: DataSet, part: tuple[str, Rows]) -> NDArray[Any]:
    """The targets (N, ...) of the rows of a part, as answers are held against them."""
    return dataset.truth(dataset.examples(*part))


def scores_of(dataset: DataSet, targets: NDArray[Any], answers: NDArray[Any]) -> dict[str, Any]:
    """All metrics of the data set's task."""
    task = TASKS[dataset.manifest["task"]]
    return task.score(targets, answers, dataset.labels, dataset.num_inputs)


def numbers_of(scores: Mapping[str, Any]) -> Numbers:
    """The metrics that are one number each, which can be averaged and drawn."""
    single = {metric.name for metric in METRICS if metric.greater_is_better is not None}
    return {name: value for name, value in scores.items() if name in single}


def announce(report: Reporter, number: int, fit: Fit, fitted: Fitted, numbers: Numbers) -> None:
    """Tell the user how a fit came out: a line in the log, and a point in the series of each metric.

    `number` counts from 1. Of a fit that an earlier attempt finished, the user has been told.
    """
    if fitted.restored:
        return
    known = {name: value for name, value in numbers.items() if value is not None}
    for name, value in known.items():
        report.metric(name, number, value)
    written = ", ".join(f"{name} {value:.4g}" for name, value in known.items())
    report.log(f"{fit.name}: {written or fitted.diverged or 'trained'}")
