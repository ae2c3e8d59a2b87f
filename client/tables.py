"""The service's records as tables for a terminal. All of their text is escaped."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from client import cells
from client.terminal import escape

Json = dict[str, Any]


def datasets(items: Sequence[Json]) -> Table:
    """One line a data set."""
    table = cells.table("NAME", "STATE", "MODALITY", "TASK", ">SAMPLES", ">CLASSES", ">SIZE", "ORIGIN")
    for item in items:
        counts = [split["count"] for split in (item.get("splits") or {}).values()]
        table.add_row(
            cells.text(item["name"]),
            cells.state(item["state"]),
            cells.text(item.get("modality")),
            cells.text(item.get("task")),
            cells.text(sum(counts) if counts else None),
            cells.text(len(item["classes"]) if item.get("classes") else None),
            Text(cells.byte_size(item.get("bytes"))),
            Text("built-in" if item.get("builtin") else "uploaded"),
        )
    return table


def jobs(items: Sequence[Json]) -> Table:
    """One line a job."""
    table = cells.table("ID", "KIND", "STATE", ">DONE", "WHAT", "CREATED")
    for item in items:
        request = item.get("request") or {}
        what = " ".join(str(request[key]) for key in ("architecture", "dataset", "name", "model") if request.get(key))
        fraction = (item.get("progress") or {}).get("fraction") or 0.0
        table.add_row(
            cells.text(item["id"]),
            cells.text(item["kind"]),
            cells.state(item["state"]),
            Text(f"{fraction:.0%}"),
            cells.text(what),
            Text(cells.moment(item.get("created_at"))),
        )
    return table


def models(items: Sequence[Json]) -> Table:
    """One line a model."""
    table = cells.table("NAME", "TASK", ">VERSIONS", "ALIASES", "CREATED")
    for item in items:
        aliases = ", ".join(f"{alias}={number}" for alias, number in (item.get("aliases") or {}).items())
        table.add_row(
            cells.text(item["name"]),
            cells.text(item.get("task")),
            cells.text(len(item.get("versions") or [])),
            cells.text(aliases),
            Text(cells.moment(item.get("created_at"))),
        )
    return table


def versions(items: Sequence[Json]) -> Table:
    """One line a version of one model, with its first test metrics."""
    table = cells.table(">VERSION", "ARCHITECTURE", "TEST METRICS", "CREATED")
    for item in items:
        test = (item.get("metrics") or {}).get("test") or {}
        figures = {name: value for name, value in test.items() if isinstance(value, int | float)}
        table.add_row(
            cells.text(item["version"]),
            cells.text(item.get("architecture")),
            cells.text("  ".join(f"{name} {cells.number(figures[name])}" for name in list(figures)[:2])),
            Text(cells.moment(item.get("created_at"))),
        )
    return table


def architectures(items: Sequence[Json]) -> Table:
    """One line an architecture."""
    table = cells.table("NAME", "TITLE", "UNIT", "TASKS", "MODALITY", "HYPERPARAMETERS")
    for item in items:
        names = (item.get("hyperparameters") or {}).get("properties") or {}
        columns = (item["title"], item.get("unit"), _joined(item.get("tasks")), _joined(item.get("modality")))
        table.add_row(cells.text(item["name"]), *map(cells.text, columns), cells.text(_joined(names)))
    return table


def hyperparameters(schema: Json) -> Table:
    """One line a hyperparameter of an architecture: its default, its bounds, what it does."""
    table = cells.table("HYPERPARAMETER", "DEFAULT", "ALLOWED", "MEANING")
    for name, field in (schema.get("properties") or {}).items():
        columns = (name, field.get("default"), _allowed(field), field.get("description"))
        table.add_row(*map(cells.text, columns))
    return table


def artifacts(items: Sequence[Json]) -> Table:
    """One line a file of a job."""
    table = cells.table("NAME", ">SIZE", "TYPE", "SHA-256")
    for item in items:
        table.add_row(
            cells.text(item["name"]),
            Text(cells.byte_size(item.get("size"))),
            cells.text(item.get("media_type")),
            cells.text(item.get("sha256")),
        )
    return table


def details(record: Mapping[str, Any]) -> Table:
    """A record's keys and values; the keys of nested objects are joined by points."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in _flattened(record):
        table.add_row(escape(key), cells.state(value) if key == "state" else cells.text(value))
    return table


def _joined(names: object) -> str:
    return ", ".join(map(str, names)) if isinstance(names, list | tuple | dict) else cells.compact(names)


def _allowed(field: Mapping[str, Any]) -> str:
    """The bounds or choices of a JSON Schema property."""
    if "enum" in field:
        return " | ".join(map(cells.compact, field["enum"]))
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {field[key]}" for key, sign in signs.items() if key in field]
    return " and ".join(bounds) or cells.compact(field.get("type"))


def _flattened(record: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in record.items():
        if isinstance(value, dict) and value:
            pairs += _flattened(value, f"{prefix}{key}.")
        elif value is not None:
            pairs.append((prefix + key, value))
    return pairs
