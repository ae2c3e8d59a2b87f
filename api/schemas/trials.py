"""The trials of a search."""

import csv
import io
from collections.abc import Iterator, Sequence

import orjson

from api.schemas.base import ErrorOut, Json, Schema
from services.studies.history import seconds
from services.tables import Trial
from shapes.spreadsheet import cell


class TrialOut(Schema):
    """One trial: what it was given, what came of it, and whether it is the best so far."""

    number: int
    id: str
    state: str
    pruned: bool
    best: bool
    parameters: Json | None
    values: dict[str, float] | None
    last: list[float] | None
    """The last step and value of the first objective."""
    epochs: int | None
    seconds: float | None
    error: ErrorOut | None
    links: dict[str, str]

    @classmethod
    def of(cls, trial: Trial, best: set[int]) -> "TrialOut":
        """The answer for a row."""
        job = trial.job
        return cls(
            number=trial.number,
            id=job.id,
            state=job.state,
            pruned=trial.pruned,
            best=trial.number in best,
            parameters=trial.parameters,
            values=trial.values,
            last=trial.intermediate[-1] if trial.intermediate else None,
            epochs=trial.attributes.get("epochs", job.epoch),
            seconds=seconds(job),
            error=None if job.error is None else ErrorOut(**job.error),
            links={"job": f"/v1/jobs/{job.id}"},
        )


def as_csv(trials: Sequence[TrialOut]) -> str:
    """A line for each trial. A parameter that a trial does not have is empty; lists and objects are JSON."""
    metrics = list(dict.fromkeys(name for trial in trials for name in trial.values or {}))
    paths = list(dict.fromkeys(path for trial in trials for path in trial.parameters or {}))
    text = io.StringIO()
    table = csv.writer(text)
    header = ["number", "id", "state", "pruned", "best", *metrics, *paths, "epochs", "seconds", "error"]
    table.writerow([cell(name) for name in header])
    table.writerows([_cell(value) for value in _row(trial, metrics, paths)] for trial in trials)
    return text.getvalue()


def _row(trial: TrialOut, metrics: Sequence[str], paths: Sequence[str]) -> Iterator[object]:
    yield from (trial.number, trial.id, trial.state, trial.pruned, trial.best)
    yield from ((trial.values or {}).get(metric) for metric in metrics)
    yield from ((trial.parameters or {}).get(path) for path in paths)
    yield from (trial.epochs, trial.seconds, None if trial.error is None else trial.error.detail)


def _cell(value: object) -> object:
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else cell(value)
