"""A search's trials as a table."""

import json
from collections.abc import Iterator
from pathlib import Path

from models import spreadsheet
from models.run import ProducedFile
from models.search.history import History, Record


def write(history: History, path: Path) -> ProducedFile:
    """A line for each trial, by number: what it was given, what it came to, and why it failed if it did.

    A parameter that a trial does not have is empty. Lists and objects are JSON.
    """
    paths = list(dict.fromkeys(path for record in history.records for path in record.parameters or {}))
    metrics = [objective.metric for objective in history.objectives]
    metrics += sorted({name for record in history.records for name in record.values or {}} - set(metrics))
    header = ["number", "state", *metrics, *paths, "epochs", "best_epoch", "seconds", "error"]
    spreadsheet.write(path, header, (list(_cells(record, metrics, paths)) for record in history.records))
    return ProducedFile(path.name, path, "text/csv")


def _cells(record: Record, metrics: list[str], paths: list[str]) -> Iterator[object]:
    yield from (record.number, record.state)
    yield from ((record.values or {}).get(metric) for metric in metrics)
    yield from (_cell((record.parameters or {}).get(path)) for path in paths)
    yield from (record.attributes.get("epochs"), record.attributes.get("best_epoch"), record.seconds)
    yield record.error["detail"] if record.error else None


def _cell(value: object) -> object:
    return json.dumps(value) if isinstance(value, list | dict) else value
