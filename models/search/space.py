"""A search space in Optuna's terms, and a point of it as something that can be trained."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial

from models import registry
from models.training.settings import TrainingSettings
from shapes.search import Dimension, in_order, put

MAX_LABEL = 40
Parameters = dict[str, Any]
"""A trial's values by path: `{"training.batch_size": 32}`."""


@dataclass(frozen=True)
class Space:
    """The dimensions of a search; conditions come after what they name."""

    dimensions: tuple[Dimension, ...]

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Space":
        """Of a search's request: its `dimensions`; of a manual search those in which its configurations differ."""
        dimensions = tuple(Dimension.model_validate(dimension) for dimension in request["dimensions"])
        return cls(dimensions or tuple(_spanned(request.get("configurations") or [])))

    @cached_property
    def distributions(self) -> dict[str, BaseDistribution]:
        """What Optuna chooses the value of each dimension from: of choices, from their labels."""
        return {dimension.path: _distribution(dimension) for dimension in self.dimensions}

    def suggest(self, trial: Trial) -> Parameters:
        """The values that a study's sampler chooses for a trial."""
        parameters: Parameters = {}
        for dimension in self.dimensions:
            if dimension.is_active(parameters):
                distribution = self.distributions[dimension.path]
                value = _suggest(trial, dimension.path, distribution)
                if isinstance(distribution, CategoricalDistribution):
                    value = dimension.choices[distribution.choices.index(value)]
                parameters[dimension.path] = value
        return parameters

    def inside(self, parameters: Parameters) -> Parameters:
        """The values of the dimensions as Optuna's studies have them."""
        known = [dimension for dimension in self.dimensions if dimension.path in parameters]
        return {dimension.path: self._inside(dimension, parameters[dimension.path]) for dimension in known}

    def contains(self, parameters: Parameters) -> bool:
        """Whether these are values of exactly the dimensions that such a configuration has, and within bounds."""
        active = {dimension.path: dimension for dimension in self.dimensions if dimension.is_active(parameters)}
        return active.keys() == parameters.keys() and all(
            _is_value(dimension, parameters[path]) and self._is_within(dimension, parameters[path])
            for path, dimension in active.items()
        )

    def _is_within(self, dimension: Dimension, value: Any) -> bool:
        distribution = self.distributions[dimension.path]
        return distribution._contains(distribution.to_internal_repr(self._inside(dimension, value)))

    def _inside(self, dimension: Dimension, value: Any) -> Any:
        distribution = self.distributions[dimension.path]
        if isinstance(distribution, CategoricalDistribution):
            return distribution.choices[dimension.choices.index(value)]
        return int(value) if dimension.kind == "int" else float(value)


def configured(request: Mapping[str, Any], parameters: Parameters) -> dict[str, Any]:
    """What a train request says of a trial: `architecture`, `task`, `hyperparameters` and `training`.

    `request` is the search's, whose hyperparameters and training settings are the same for all trials. Of several
    architectures each has those of the hyperparameters that it knows.
    """
    given = request["architecture"]
    architecture = parameters.get("architecture", given if isinstance(given, str) else given[0])
    hyperparameters = deepcopy(request["hyperparameters"])
    if not isinstance(given, str):
        known = registry.get(architecture).config.model_fields
        hyperparameters = {name: value for name, value in hyperparameters.items() if name in known}
    trained = {
        "architecture": architecture,
        "task": request.get("task"),
        "hyperparameters": hyperparameters,
        "training": deepcopy(request["training"]),
    }
    for path in in_order(parameters):
        root, *names = path.split(".")
        if path != "architecture":
            put(trained[root], names, parameters[path], partial(_default, architecture))
    return trained


def _default(architecture: str, setting: str) -> dict[str, Any]:
    """What a training setting with parts has where a request says nothing of it, as far as that must be said."""
    own = registry.get(architecture).training.get(setting)
    if own is not None:
        return dict(own.model_dump())
    name = getattr(getattr(TrainingSettings(), setting), "name", None)
    return {} if name is None else {"name": name}


def labels(dimension: Dimension) -> list[str]:
    """A text for each choice, short and different from the others'."""
    texts = [value if isinstance(value, str) else json.dumps(value) for value in dimension.choices]
    short = [text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 1]}…" for text in texts]
    return [text if short.count(text) == 1 else f"{place}: {text}" for place, text in enumerate(short)]


def _suggest(trial: Trial, path: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(path, distribution.choices)
    bounds = {name: getattr(distribution, name) for name in ("low", "high", "log", "step")}
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(path, **bounds)
    return trial.suggest_float(path, **bounds)


def _distribution(dimension: Dimension) -> BaseDistribution:
    if dimension.kind == "choice":
        return CategoricalDistribution(labels(dimension))
    low, high = dimension.low, dimension.high
    if low is None or high is None:
        raise TypeError("a number has bounds")
    if dimension.spacing is not None:
        high = dimension.value(dimension.num_values() - 1)  # Optuna wants the last of the raster
    if dimension.kind == "int":
        step = 1 if dimension.step is None else int(dimension.step)
        return IntDistribution(int(low), int(high), log=dimension.log, step=step)
    return FloatDistribution(low, high, log=dimension.log, step=dimension.step)


def _is_value(dimension: Dimension, value: Any) -> bool:
    """Whether the value is of the dimension's kind, whatever its bounds."""
    if dimension.kind == "choice":
        return value in dimension.choices
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and (dimension.kind == "float" or value % 1 == 0)


def _spanned(configurations: Sequence[Parameters]) -> list[Dimension]:
    """A dimension for each path that some configuration names, from the least of its values to the greatest."""
    paths = dict.fromkeys(path for configuration in configurations for path in configuration)
    dimensions = []
    for path in paths:
        values = [configuration[path] for configuration in configurations if path in configuration]
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
            different = [value for place, value in enumerate(values) if value not in values[:place]]
            dimensions.append(Dimension(path=path, kind="choice", choices=tuple(different)))
        else:
            kind: Any = "float" if any(isinstance(value, float) for value in values) else "int"
            dimensions.append(Dimension(path=path, kind=kind, low=min(values), high=max(values)))
    return dimensions
