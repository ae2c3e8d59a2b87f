"""Searches run in this process: every trial by its job function, with the history that the service would give it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.errors import JobError
from models.run import Outcome, run
from models.search.history import History
from tests.models.running import Recorder, context_of

Json = dict[str, Any]
LEARNING_RATE: Json = {
    "path": "training.optimizer.learning_rate",
    "kind": "float",
    "low": 1e-4,
    "high": 1e-1,
    "log": True,
    "step": None,
    "when": None,
}
DROPOUT: Json = {"path": "hyperparameters.dropout", "kind": "choice", "choices": [0.0, 0.25, 0.5], "when": None}
BATCH_SIZE: Json = {
    "path": "training.batch_size",
    "kind": "int",
    "low": 10,
    "high": 100,
    "log": False,
    "step": 20,
    "when": None,
}


def request_of(**given: Any) -> Json:
    """A search's request as the service stores it."""
    return {
        "kind": "search",
        "architecture": "mlp",
        "dataset": "iris",
        "model": "best",
        "strategy": "random",
        "trials": 20,
        "parallelism": 1,
        "objectives": [{"metric": "val_accuracy", "direction": "maximize"}],
        "dimensions": [LEARNING_RATE, DROPOUT],
        "configurations": None,
        "pruner": "none",
        "folds": 0,
        "hyperparameters": {},
        "training": {"epochs": 2},
        "seed": 0,
        "refit": "best",
        "warm_start": None,
        **given,
    }


def record_of(number: int, state: str = "complete", **given: Any) -> Json:
    """What the service keeps of a trial."""
    return {
        "number": number,
        "state": state,
        "parameters": None,
        "values": None,
        "intermediate": [],
        "attributes": {},
        "warm": False,
        "error": None,
        "seconds": None,
        **given,
    }


def history_of(request: Json, records: Sequence[Json] = (), id: str = "a-search") -> History:
    """The history that a trial's process sees."""
    return History.of(request, {"id": id, "number": None, "trials": list(records)})


def run_trial(
    directory: Path, dataset: Path, request: Json, records: Sequence[Json], number: int, **given: Any
) -> Outcome:
    """One trial after these; its own record is added unless an earlier attempt of it is among them."""
    own = (
        []
        if any(record["number"] == number and not record["warm"] for record in records)
        else [record_of(number, "running")]
    )
    study = {"id": "a-search", "number": number, "trials": [*records, *own]}
    trial = {**request, "kind": "trial", "number": number}
    return run(context_of(directory, "trial", trial, dataset=dataset, study=study, **given))


def run_trials(
    directory: Path, dataset: Path, request: Json, records: Sequence[Json] = (), trials: int | None = None
) -> list[Json]:
    """All trials of a search, one after another: the records of those that were there and of the new ones."""
    known = list(records)
    for number in range(request["trials"] if trials is None else trials):
        recorder = Recorder()
        try:
            outcome = run_trial(directory / str(number), dataset, request, known, number, report=recorder)
        except JobError as error:
            parameters = recorder.suggestions[0][0]
            cause = {"code": error.code, "detail": error.detail}
            known.append(record_of(number, "failed", parameters=parameters, error=cause))
        else:
            assert outcome.trial is not None
            trial = json.loads(json.dumps(outcome.trial, allow_nan=False))
            state = "pruned" if trial.pop("pruned") else "complete"
            known.append(record_of(number, state, parameters=outcome.result["parameters"], **trial, seconds=1.0))
    return known


def conclude(directory: Path, dataset: Path, request: Json, records: Sequence[Json], **given: Any) -> Outcome:
    """The search's end, when its trials are over."""
    study = {"id": "a-search", "number": None, "trials": list(records)}
    return run(context_of(directory, "search", request, dataset=dataset, study=study, **given))
