"""What a trial is trained with: by strategy, and seeded by the search's seed, the trial's number and what the search
began with."""

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from models.errors import JobError
from models.search.history import History, Record, attributes_of
from models.search.space import Parameters
from shapes.search import grid_point

MIN_SOURCE = 10


class Suggestion(NamedTuple):
    """A trial's values by path, and what the sampler has to find again with later trials."""

    parameters: Parameters
    attributes: dict[str, Any]


def suggest(request: Mapping[str, Any], history: History, number: int) -> Suggestion:
    """The suggestion for a trial, from what its search has come to so far.

    manual: the configuration of this number. grid: the point of this number. random: Bergstra and Bengio 2012.
    bayesian: tree-structured Parzen estimators, Bergstra et al. 2011. gaussian_process: expected improvement,
    Jones et al. 1998. evolution: CMA-ES, Hansen 2016, with choices and conditional values drawn at random.

    Raises:
        JobError: `no_such_trial`, the list or the grid has no configuration of this number.
    """
    try:
        if request["strategy"] == "manual":
            return Suggestion(dict(request["configurations"][number]), {})
        if request["strategy"] == "grid":
            return Suggestion(grid_point(history.space.dimensions, number), {})
    except IndexError as error:
        raise JobError("no_such_trial", f"The {request['strategy']} search has no configuration {number}.") from error
    seed = seed_of(request["seed"], number, history.warm)
    if request["strategy"] == "random":
        history = history.without_others(number)  # which chance does not look at
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study = history.study(sampler=_sampler(request["strategy"], history, seed), asking=number)
        trial = study.ask()
        parameters = history.space.suggest(trial)
    return Suggestion(parameters, attributes_of(trial))


def seed_of(seed: int, number: int, warm: Sequence[Record] = ()) -> int:
    """The seed of the sampler of a trial: below 2^32.

    The points of the earlier search are part of it: with its seed alone, chance would draw them all again.
    """
    points = (crc32(json.dumps(record.parameters, sort_keys=True).encode()) for record in warm)
    return int(np.random.SeedSequence([seed, number, *points]).generate_state(1)[0])


def _sampler(strategy: str, history: History, seed: int) -> BaseSampler:
    conditional = any(dimension.when for dimension in history.space.dimensions)
    if strategy == "bayesian":
        # In groups, values that only some configurations have are still chosen together with the others.
        return TPESampler(seed=seed, group=conditional and len(history.objectives) == 1)
    if strategy == "gaussian_process":
        return GPSampler(seed=seed, warn_independent_sampling=False)
    if strategy == "evolution":
        return CmaEsSampler(seed=seed, warn_independent_sampling=False, source_trials=_source(history))
    return RandomSampler(seed=seed)


def _source(history: History) -> list[FrozenTrial] | None:
    """The trials of an earlier search from whose best the evolution sets out (Nomura et al. 2021), if it can.

    Optuna can where all dimensions are numbers without conditions; the best tenth of the trials has to be one at least.
    """
    plain = all(dimension.kind != "choice" and not dimension.when for dimension in history.space.dimensions)
    trials = [trial for trial in history.warm_trials() if trial.state == TrialState.COMPLETE]
    return trials if plain and len(trials) >= MIN_SOURCE else None
