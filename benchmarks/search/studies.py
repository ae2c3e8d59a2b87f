"""Searches in this process: each trial by its job function, after all that came before it, on one thread.

So every trial knows all earlier ones, as in a search of `parallelism` 1, and nothing but training takes time.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from models.errors import JobError
from models.run import JobContext, Outcome, ProducedFile, run
from services.images import decode, fit
from services.pictures import to_png

Json = dict[str, Any]


class Silent:
    """A reporter that nobody listens to, but for what the sampler chose."""

    def __init__(self) -> None:
        self.parameters: Json | None = None

    def progress(self, fraction: float, **_: Any) -> None:
        """Drop it."""

    def metric(self, series: str, step: int, value: float) -> None:
        """Drop it."""

    def log(self, message: str, *, level: str = "info") -> None:
        """Drop it."""

    def artifact(self, file: ProducedFile) -> None:
        """Drop it."""

    def suggested(self, parameters: Json, attributes: Json) -> None:
        """Keep the parameters, which a trial that fails does not return."""
        self.parameters = parameters

    def wish(self) -> None:
        """Nothing."""


def request_of(**given: Any) -> Json:
    """A search's request as the service stores it."""
    return {
        "model": "best",
        "strategy": "random",
        "configurations": None,
        "pruner": "none",
        "folds": 0,
        "hyperparameters": {},
        "training": {},
        "seed": 0,
        "refit": "best",
        **given,
    }


def search(dataset: Path, request: Json, trials: int) -> list[Json]:
    """The records of the trials, one after another. One that fails is among them."""
    records: list[Json] = []
    for number in range(trials):
        own = _record(number, "running", None)
        study = {"id": f"search-{request['seed']}", "number": number, "trials": [*records, own]}
        report = Silent()
        try:
            outcome = _run("trial", dataset, {**request, "number": number}, report, study=study)
        except JobError as error:
            cause = {"code": error.code, "detail": error.detail}
            records.append(_record(number, "failed", report.parameters, error=cause))
            continue
        trial = dict(outcome.trial or {})
        state = "pruned" if trial.pop("pruned") else "complete"
        records.append(_record(number, state, report.parameters, **trial))
    return records


def conclude(dataset: Path, request: Json, records: list[Json]) -> Json:
    """What the search comes to: its result."""
    study = {"id": f"search-{request['seed']}", "number": None, "trials": records}
    return _run("search", dataset, request, Silent(), study=study).result


def train(dataset: Path, request: Json) -> Json:
    """The result of a train job."""
    return _run("train", dataset, {"model": "default", **request}, Silent()).result


@contextmanager
def bundled(*names: str) -> Iterator[dict[str, Path]]:
    """Directories of built-in data sets."""
    with TemporaryDirectory() as directory:
        paths = {}
        for name in names:
            request = {"dataset": name, "format": "builtin", "builtin": name, "options": {}}
            outcome = run(_context("ingest", Path(directory) / name, request, Silent()))
            paths[name] = Path(str(outcome.dataset))
        yield paths


def _record(number: int, state: str, parameters: Json | None, **given: Any) -> Json:
    unknown: Mapping[str, Any] = {"values": None, "intermediate": [], "attributes": {}, "error": None, "seconds": None}
    return {"number": number, "state": state, "parameters": parameters, "warm": False, **unknown, **given}


def _run(kind: str, dataset: Path, request: Json, report: Silent, **given: Any) -> Outcome:
    with TemporaryDirectory() as directory:
        return run(_context(kind, Path(directory), request, report, dataset=dataset, **given))


def _context(kind: str, directory: Path, request: Json, report: Silent, **given: Any) -> JobContext:
    scratch, checkpoints = directory / "scratch", directory / "checkpoints"
    for each in (scratch, checkpoints):
        each.mkdir(parents=True)
    return JobContext(
        kind=kind,
        request={"kind": kind, **request},
        attempt=1,
        scratch=scratch,
        checkpoints=checkpoints,
        checkpoint_interval_seconds=1e9,
        threads=1,
        report=report,
        decode_image=decode,
        fit_image=fit,
        encode_png=to_png,
        **given,
    )
