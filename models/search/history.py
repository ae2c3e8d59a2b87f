"""What a search's trials have come to so far, and the Optuna study that it makes.

A study is rebuilt in memory for every trial. The trials of an earlier search stand before its own, so that the number
of a trial in its study is always the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import optuna
from optuna.pruners import BasePruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from models.search.space import Parameters, Space

Direction = Literal["minimize", "maximize"]
KEPT = ("cma:", "completed_rung_")
"""How the attributes begin by which CMA-ES and successive halving know again what they did."""

STATES = {
    "running": TrialState.RUNNING,
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
optuna.logging.set_verbosity(optuna.logging.WARNING)


class Objective(NamedTuple):
    """What a search looks for: `val_accuracy`, `latency_ms`, `parameters`, and whether more of it is better."""

    metric: str
    direction: Direction


@dataclass(frozen=True)
class Record:
    """One trial of a study."""

    number: int
    state: Literal["running", "complete", "pruned", "failed"]
    parameters: Parameters | None
    """None until its sampler has been asked."""
    values: Mapping[str, float] | None
    intermediate: Sequence[Sequence[float]]
    """Steps and values, by which it may be pruned."""
    attributes: Mapping[str, Any]
    warm: bool
    """Whether it is of the earlier search that this one begins with."""
    error: Mapping[str, str] | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class History:
    """A search's trials, as seen when a job of it begins."""

    id: str
    """The search's."""
    space: Space
    objectives: tuple[Objective, ...]
    records: tuple[Record, ...]
    """By number."""
    warm: tuple[Record, ...]
    """Finished trials of an earlier search that lie in this one's space."""
    warm_start: str | None = None
    """In words, how many there are of which search, and how many were left out; None without one."""

    @classmethod
    def of(cls, request: Mapping[str, Any], study: Mapping[str, Any]) -> "History":
        """Of a search's request and the study of its job's assignment."""
        space = Space.of(request)
        objectives = tuple(Objective(**objective) for objective in request["objectives"])
        records = sorted((Record(**record) for record in study["trials"]), key=lambda record: record.number)
        earlier = [record for record in records if record.warm]
        warm = tuple(record for record in earlier if _is_of_use(record, space, objectives))
        own = tuple(record for record in records if not record.warm)
        return cls(study["id"], space, objectives, own, warm, _told(request["warm_start"], len(warm), len(earlier)))

    def of_first_objective(self) -> "History":
        """The same with nothing but the first objective, which is all that pictures and importances look at."""
        return replace(self, objectives=self.objectives[:1])

    def without_others(self, number: int) -> "History":
        """The same with one of its own trials alone."""
        return replace(self, records=(self.record(number),), warm=())

    def record(self, number: int) -> Record:
        """The record of one of its own trials."""
        return next(record for record in self.records if record.number == number)

    def study(
        self,
        *,
        sampler: BaseSampler | None = None,
        pruner: BasePruner | None = None,
        warm: bool = True,
        asking: int | None = None,
    ) -> optuna.Study:
        """The study. The next to be asked of it is the trial of the number `asking`, which is one of its own."""
        study = optuna.create_study(
            study_name=self.id,
            directions=[objective.direction for objective in self.objectives],
            sampler=sampler or RandomSampler(seed=0),
            pruner=pruner or NopPruner(),
        )
        study.add_trials(self._trials(warm, asking))
        return study

    def warm_trials(self) -> list[FrozenTrial]:
        """The trials of the earlier search."""
        return [self._frozen(record) for record in self.warm]

    def _trials(self, warm: bool, asking: int | None) -> Iterator[FrozenTrial]:
        if warm:
            yield from self.warm_trials()
        for record in self.records:
            if record.number == asking:
                yield create_trial(state=TrialState.WAITING, system_attrs=_kept(record.attributes))
            else:
                yield self._frozen(record)

    def _frozen(self, record: Record) -> FrozenTrial:
        inside = self.space.inside(record.parameters or {})
        return create_trial(
            state=self._state(record),
            values=self._values(record),
            params=inside,
            distributions={path: self.space.distributions[path] for path in inside},
            system_attrs={} if record.warm else _kept(record.attributes),
            intermediate_values={int(step): value for step, value in record.intermediate},
        )

    def _state(self, record: Record) -> TrialState:
        """Failed is also what holds a number's place only: a trial of which nothing is known yet, or, among several
        objectives, one that was given up and has a value of the first alone."""
        if record.parameters is None or (record.state == "pruned" and len(self.objectives) > 1):
            return TrialState.FAIL
        return STATES[record.state]

    def _values(self, record: Record) -> list[float] | None:
        state = self._state(record)
        if state == TrialState.COMPLETE:
            return [(record.values or {})[objective.metric] for objective in self.objectives]
        if state == TrialState.PRUNED and record.intermediate:
            return [record.intermediate[-1][1]]
        return None


def attributes_of(trial: optuna.Trial) -> dict[str, Any]:
    """What later trials have to be given of one that was asked of its study."""
    return _kept(trial.study.get_trials(deepcopy=False)[trial.number].system_attrs)


def _kept(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name.startswith(KEPT)}


def _told(search: str | None, taken: int, known: int) -> str | None:
    if search is None:
        return None
    left_out = (
        f", {known - taken} left out: unfinished, not in this space, or without its metrics" if known > taken else ""
    )
    return f"{taken} of {known} trials of search {search} taken over{left_out}"


def _is_of_use(record: Record, space: Space, objectives: Sequence[Objective]) -> bool:
    if record.parameters is None or record.state not in ("complete", "pruned") or not space.contains(record.parameters):
        return False
    return all(objective.metric in (record.values or {}) for objective in objectives)
