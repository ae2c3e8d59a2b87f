"""The training of a trial: on one division of the rows, or on several, which are its folds."""

from collections.abc import Mapping
from itertools import pairwise
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from models.data import DataSet
from models.fits.fitting import Fit, Fitted, fit_all
from models.fits.folds import Folding
from models.run import JobContext
from models.search.history import History
from models.search.objectives import measure
from models.search.pruning import Judge, Pruned, Watch
from models.training.plan import Plan, presented
from models.training.settings import Split, training_settings
from models.training.training import Training

Request = Mapping[str, Any]
"""`architecture`, `task`, `hyperparameters` and `training`, as a train request has them."""


class Trained(NamedTuple):
    """What the training of a trial came to."""

    values: dict[str, float]
    """By metric: those of the best epoch, or means over the folds; where it was given up, the last there were."""
    epochs: int
    """Of all folds."""
    best_epoch: int | None
    """Of several folds the mean, rounded; None where it was given up."""
    pruned: bool


def train_once(context: JobContext, request: Request, dataset: DataSet, history: History, judge: Judge) -> Trained:
    """Train as the `train` job does, so that the same settings come to the same weights.

    Raises:
        JobError: this cannot be trained or measured, or training diverged.
        Stopped: the user cancelled or paused. The checkpoint holds what the judge was told.
    """
    plan = Plan.of(dict(request), dataset)
    watch = Watch(judge, history.objectives[0].metric)
    training = Training.of(plan, context.report, context.checkpoints, context.checkpoint_interval_seconds, [watch])
    trainer = training.trainer
    if trainer.step:
        context.report.log(f"resumed after step {trainer.step}")
    try:
        training.fit()
    except Pruned:
        return Trained(trainer.validation, trainer.epoch, None, pruned=True)
    validation = training.best.validation or trainer.validation
    values = measure(history.objectives, validation, plan, training.network, context.scratch, context.threads)
    return Trained(values, trainer.epoch, training.best_epoch, pruned=False)


def train_folds(context: JobContext, request: Request, dataset: DataSet, history: History, judge: Judge) -> Trained:
    """Cross-validate on the rows that `train_once` learns from or chooses the epoch by; test rows are left out.

    Each fold chooses the epoch of the network that has not learned from it, as the validation rows do there.

    Raises:
        JobError: see `train_once`; or there are too few rows, or too few of a class.
        Stopped: the user cancelled or paused. Finished folds are not trained again.
    """
    metric = history.objectives[0].metric
    fits = folds(request, dataset, context.request["folds"])
    done: list[Fitted] = []
    means: dict[str, float] = {}
    for step, fitted in enumerate(fit_all(context, dataset, fits), 1):
        done.append(fitted)
        means = {name: fmean(each.validation[name] for each in done) for name in fitted.validation}
        if not fitted.restored:
            for name, value in fitted.validation.items():
                context.report.metric(name, step, value)
        if metric in means and judge.report(step, means[metric]) and step < len(fits):
            return Trained(means, sum(each.epochs for each in done), None, pruned=True)
    plan = Plan.of(dict(request), dataset)
    values = measure(history.objectives, means, plan, plan.network(), context.scratch, context.threads)
    best_epoch = round(fmean(each.best_epoch for each in done))
    return Trained(values, sum(each.epochs for each in done), best_epoch, pruned=False)


def folds(request: Request, dataset: DataSet, number: int) -> list[Fit]:
    """The trainings of a cross-validation, in which classes keep their proportions.

    Raises:
        UnsuitableData: there are too few rows, or too few of a class.
    """
    split = training_settings(dict(request["training"])).split
    dataset = presented(request, dataset)
    if dataset.windowing is not None:
        return _origins(request, dataset, number, split)
    parts = dataset.rows(split)
    rows = np.sort(np.concatenate([parts[name][1] for name in ("train", "validation") if _is_learned(parts, name)]))
    classes = dataset.row_classes("train")
    folding = Folding(
        "k_fold" if classes is None else "stratified_k_fold", number, p=0, test_size=0.0, shuffle=True, seed=split.seed
    )
    return [
        Fit(
            f"fold {place} of {number}",
            request,
            {"train": ("train", rows[fold.train]), "validation": ("train", rows[fold.test])},
            (),
        )
        for place, fold in enumerate(folding.divide(len(rows), None if classes is None else classes[rows]), 1)
    ]


def _origins(request: Request, dataset: DataSet, number: int, split: Split) -> list[Fit]:
    """Likewise in time, before what is held out for the test."""
    ends = [(1 - split.test) * place / (number + 1) for place in range(1, number + 2)]
    windows = dataset.windows("train")
    return [
        Fit(
            f"fold {place} of {number}",
            request,
            {"train": ("train", windows.between(0, begin)), "validation": ("train", windows.between(begin, end))},
            (),
        )
        for place, (begin, end) in enumerate(pairwise(ends), 1)
    ]


def _is_learned(parts: Mapping[str, tuple[str, Any]], name: str) -> bool:
    """Whether the part is there and is of the data set's training rows."""
    return name in parts and parts[name][0] == "train"
