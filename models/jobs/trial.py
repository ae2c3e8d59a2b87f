"""The `trial` job: one configuration of a search, suggested by its sampler, trained and measured."""

from time import monotonic

import torch

from models.data import DataSet
from models.run import JobContext, Outcome, given
from models.search.history import History
from models.search.pruning import Judge
from models.search.samplers import Suggestion, suggest
from models.search.space import configured
from models.search.training import train_folds, train_once


def run(context: JobContext) -> Outcome:
    """Ask the sampler, unless an earlier attempt of the trial has; train; measure what the search looks for.

    A trial that its pruner gives up succeeds as well, with its last values.

    Raises:
        JobError: this configuration or the data cannot be trained with, or training diverged.
        Stopped: the user cancelled or paused.
    """
    torch.set_num_threads(context.threads)
    started_at = monotonic()
    study = given(context.study)
    history, number = History.of(context.request, study), int(study["number"])
    suggestion = _suggestion(context, history, number)
    judge = Judge(context.request, history, number)
    train = train_folds if context.request["folds"] else train_once
    request = configured(context.request, suggestion.parameters)
    trained = train(context, request, DataSet.open(given(context.dataset)), history, judge)
    values = ", ".join(f"{name} {value:.4g}" for name, value in trained.values.items())
    context.report.log(f"{'given up' if trained.pruned else 'ended'} after {trained.epochs} epochs: {values}")
    epochs = {"epochs": trained.epochs, "best_epoch": trained.best_epoch}
    measured = {"values": trained.values, "pruned": trained.pruned}
    return Outcome(
        {
            "number": number,
            "parameters": suggestion.parameters,
            **measured,
            **epochs,
            "seconds": monotonic() - started_at,
        },
        trial={
            **measured,
            "intermediate": judge.reported,
            "attributes": {**suggestion.attributes, **judge.attributes, **epochs},
        },
    )


def _suggestion(context: JobContext, history: History, number: int) -> Suggestion:
    """The trial's own, told to its search before anything is trained, so that a later attempt is the same trial."""
    own = history.record(number)
    if own.parameters is not None:
        return Suggestion(own.parameters, dict(own.attributes))
    if history.warm_start is not None:
        context.report.log(history.warm_start)
    suggestion = suggest(context.request, history, number)
    context.report.suggested(suggestion.parameters, suggestion.attributes)
    return suggestion
