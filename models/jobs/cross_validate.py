"""The `cross_validate` job: how well a configuration does on rows that it has not learned from.

It divides the data set's training rows; a test split of the data set's own is left out, to be seen once, at the
end. Each fold is trained as the `train` job would train on the fold's own training rows: preprocessing is fitted
to them alone, and `training.split.validation` of them (or a validation split of the data set's own) choose the
epoch. `training.split.test` holds nothing out, since the fold does.
"""

from time import monotonic
from typing import Any

import torch

from models.data import DataSet
from models.errors import UnsuitableData
from models.fits import estimates
from models.fits.answers import PooledAnswers
from models.fits.fitting import Fit, Fitted, configuration, fit_all
from models.fits.folds import Folding, rolling_origins, training_parts
from models.fits.scoring import Numbers, announce, numbers_of, scores_of, targets_of
from models.metrics import bounds_of
from models.metrics.intervals import CONFIDENCE
from models.run import JobContext, Outcome, given, obey
from models.splits import Parts, Rows
from models.tasks import TASKS
from models.training.plan import presented
from models.training.settings import Split, training_settings

FOLD_BY_FOLD = ("k_fold", "stratified_k_fold", "rolling_origin")
"""Methods whose folds are large enough to be measured one by one; the answers of the others are pooled."""


def run(context: JobContext) -> Outcome:
    """Train on each fold's training rows, answer its test rows, and say what may be expected of new rows.

    A mean over folds comes with the interval of `estimates.over_fits`, a metric of pooled answers with that of
    `metrics.intervals`. No model version comes of it.

    Raises:
        JobError: the request or the data cannot be divided or trained with, or training diverged.
        Stopped: the user cancelled or paused. Finished folds are not trained again.
    """
    torch.set_num_threads(context.threads)
    dataset = presented(context.request, DataSet.open(given(context.dataset)))
    fits = _fits(context.request, dataset)
    each_measured = context.request["method"] in FOLD_BY_FOLD
    started_at = monotonic()
    folds, answers = [], []
    for number, (fit, fitted) in enumerate(zip(fits, fit_all(context, dataset, fits), strict=True), 1):
        answers.append(fitted.answers["test"])
        scores = scores_of(dataset, targets_of(dataset, fit.parts["test"]), answers[-1]) if each_measured else {}
        announce(context.report, number, fit, fitted, numbers_of(scores))
        folds.append(_fold(number, fit, fitted, numbers_of(scores)))
    pooled = PooledAnswers.of(dataset, [fit.parts["test"] for fit in fits], answers)
    result = {
        **{name: context.request[name] for name in ("architecture", "dataset", "method")},
        "fits": len(fits),
        "rows": pooled.num_rows,
        "parameters": folds[0]["parameters"],
        "confidence": CONFIDENCE,
        "metrics": _over_folds(folds) if each_measured else _over_rows(context, dataset, pooled),
        "seconds": monotonic() - started_at,
    }
    report = {**result, "folds": folds, "pooled": scores_of(dataset, pooled.targets, pooled.answers)}
    files = context.write_report(report), pooled.write(context.scratch / "predictions.csv", dataset)
    return Outcome({**result, "folds": folds} if each_measured else result, files)


def _fits(request: dict[str, Any], dataset: DataSet) -> list[Fit]:
    folding = Folding(**{name: request[name] for name in Folding._fields})
    split = training_settings(request["training"]).split
    parts = _in_time(dataset, folding, split) if dataset.windowing is not None else _at_random(dataset, folding, split)
    return [
        Fit(f"fold {number} of {len(parts)}", configuration(request), each, ("test",))
        for number, each in enumerate(parts, 1)
    ]


def _at_random(dataset: DataSet, folding: Folding, split: Split) -> list[Parts]:
    folds = folding.divide(dataset.manifest["splits"]["train"]["count"], dataset.row_classes("train"))
    return [{**training_parts(dataset, fold.train, split), "test": ("train", fold.test)} for fold in folds]


def _in_time(dataset: DataSet, folding: Folding, split: Split) -> list[Parts]:
    """Rows drawn at random would be forecast from what came after them."""
    if folding.method != "rolling_origin":
        raise UnsuitableData(f"{folding.method} divides at random, and series are divided by time: use rolling_origin.")
    return rolling_origins(dataset.windows("train"), folding.folds, split)


def _fold(number: int, fit: Fit, fitted: Fitted, numbers: Numbers) -> dict[str, Any]:
    return {
        "fold": number,
        "rows": {name: len(rows) for name, (_, rows) in fit.parts.items()},
        "epochs": fitted.epochs,
        "best_epoch": fitted.best_epoch,
        "parameters": fitted.parameters,
        "seconds": fitted.seconds,
        "metrics": numbers,
    }


def _over_folds(folds: list[dict[str, Any]]) -> dict[str, Any]:
    rows = folds[0]["rows"]
    test_to_train = rows["test"] / rows["train"]
    return {
        name: estimates.over_fits([fold["metrics"][name] for fold in folds], test_to_train, bounds_of(name))
        for name in folds[0]["metrics"]
    }


def _over_rows(context: JobContext, dataset: DataSet, pooled: PooledAnswers) -> dict[str, Any]:
    """Each metric of all answers together, with the interval of answers for as many independent rows.

    With leave_p_out a row has several answers, which are not independent: they are drawn together.
    """

    def numbers(places: Rows) -> Numbers:
        obey(context.report)
        return numbers_of(scores_of(dataset, pooled.targets[places], pooled.answers[places]))

    if pooled.num_rows < len(pooled.rows):
        return estimates.over_rows(pooled.rows, numbers)
    task = TASKS[dataset.manifest["task"]]
    scores = task.measure(pooled.targets, pooled.answers, dataset.labels, dataset.num_inputs)
    return {
        name: {"mean": value, "std": None, "interval": scores["intervals"].get(name)}
        for name, value in numbers_of(scores).items()
    }
