"""The service's records as tables for a terminal. All of their text is escaped."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich.table import Table
from rich.text import Text

from client.terminal import escape

Json = dict[str, Any]

_STATE_STYLES = {
    "succeeded": "green",
    "ready": "green",
    "failed": "red",
    "cancelled": "yellow",
    "running": "cyan",
    "ingesting": "cyan",
}
_BAR = "█"


def datasets(items: Sequence[Json]) -> Table:
    """One line a data set."""
    table = _table("NAME", "STATE", "MODALITY", "TASK", ">SAMPLES", ">CLASSES", ">SIZE", "ORIGIN")
    for item in items:
        counts = [split["count"] for split in (item.get("splits") or {}).values()]
        table.add_row(
            _text(item["name"]),
            _state(item["state"]),
            _text(item.get("modality")),
            _text(item.get("task")),
            _text(sum(counts) if counts else None),
            _text(len(item["classes"]) if item.get("classes") else None),
            Text(byte_size(item.get("bytes"))),
            Text("built-in" if item.get("builtin") else "uploaded"),
        )
    return table


def jobs(items: Sequence[Json]) -> Table:
    """One line a job."""
    table = _table("ID", "KIND", "STATE", ">DONE", "WHAT", "CREATED")
    for item in items:
        request = item.get("request") or {}
        what = " ".join(str(request[key]) for key in ("architecture", "dataset", "name", "model") if request.get(key))
        fraction = (item.get("progress") or {}).get("fraction") or 0.0
        table.add_row(
            _text(item["id"]),
            _text(item["kind"]),
            _state(item["state"]),
            Text(f"{fraction:.0%}"),
            _text(what),
            Text(moment(item.get("created_at"))),
        )
    return table


def models(items: Sequence[Json]) -> Table:
    """One line a model."""
    table = _table("NAME", "TASK", ">VERSIONS", "ALIASES", "CREATED")
    for item in items:
        aliases = ", ".join(f"{alias}={number}" for alias, number in (item.get("aliases") or {}).items())
        table.add_row(
            _text(item["name"]),
            _text(item.get("task")),
            _text(len(item.get("versions") or [])),
            _text(aliases),
            Text(moment(item.get("created_at"))),
        )
    return table


def versions(items: Sequence[Json]) -> Table:
    """One line a version of one model, with its first test metrics."""
    table = _table(">VERSION", "ARCHITECTURE", "TEST METRICS", "CREATED")
    for item in items:
        test = (item.get("metrics") or {}).get("test") or {}
        figures = [f"{name} {number(value)}" for name, value in test.items() if isinstance(value, int | float)][:2]
        table.add_row(
            _text(item["version"]),
            _text(item.get("architecture")),
            _text("  ".join(figures)),
            Text(moment(item.get("created_at"))),
        )
    return table


def variants(items: Sequence[Json]) -> Table:
    """One line a variant of a version: whether it was kept, what it gains and what it loses."""
    table = _table("VARIANT", "KEPT", ">SIZE", ">OF ORIGINAL", ">MS A ROW", ">ORIGINAL", ">LOSS", "REASON")
    for item in items:
        report = item.get("report") or {}
        sizes, times = report.get("bytes") or {}, (report.get("latency_ms") or {}).get("batch_1") or {}
        share = f"{sizes['variant'] / sizes['original']:.0%}" if sizes.get("original") else ""
        loss = (report.get("metrics") or {}).get("loss")
        table.add_row(
            _text(item["name"]),
            Text("yes" if item.get("accepted") else "no"),
            Text(byte_size(sizes.get("variant"))),
            Text(share),
            Text(number(times.get("variant"))),
            Text(number(times.get("original"))),
            Text(number(loss)),
            _text(item.get("reason")),
        )
    return table


def architectures(items: Sequence[Json]) -> Table:
    """One line an architecture."""
    table = _table("NAME", "TITLE", "UNIT", "TASKS", "MODALITY", "HYPERPARAMETERS")
    for item in items:
        names = (item.get("hyperparameters") or {}).get("properties") or {}
        columns = (item["title"], item.get("unit"), _joined(item.get("tasks")), _joined(item.get("modality")))
        table.add_row(_text(item["name"]), *map(_text, columns), _text(_joined(names)))
    return table


def hyperparameters(schema: Json) -> Table:
    """One line a hyperparameter of an architecture: its default, its bounds, what it does."""
    table = _table("HYPERPARAMETER", "DEFAULT", "ALLOWED", "MEANING")
    for name, field in (schema.get("properties") or {}).items():
        table.add_row(
            _text(name), _text(compact(field.get("default"))), _text(_allowed(field)), _text(field.get("description"))
        )
    return table


def artifacts(items: Sequence[Json]) -> Table:
    """One line a file of a job."""
    table = _table("NAME", ">SIZE", "TYPE", "SHA-256")
    for item in items:
        table.add_row(
            _text(item["name"]),
            Text(byte_size(item.get("size"))),
            _text(item.get("media_type")),
            _text(item.get("sha256")),
        )
    return table


def metrics(columns: Mapping[str, Mapping[str, Any]]) -> Table:
    """Metrics side by side, a column each: `metrics({"test": {...}, "random baseline": {...}})`."""
    table = _table("METRIC", *(f">{name.upper()}" for name in columns))
    first = next(iter(columns.values()), {})
    for name, value in first.items():
        if isinstance(value, int | float):
            table.add_row(_text(name), *(Text(number(column.get(name))) for column in columns.values()))
    return table


def series(points_by_name: Mapping[str, Sequence[tuple[int, float]]]) -> Table:
    """One line a metric series: how many points, where it began, its best and where it is now."""
    table = _table("SERIES", ">POINTS", ">FIRST", ">LOWEST", ">HIGHEST", ">LAST")
    for name, points in points_by_name.items():
        values = [value for _, value in points]
        if values:
            figures = (values[0], min(values), max(values), values[-1])
            table.add_row(_text(name), Text(str(len(points))), *(Text(number(figure)) for figure in figures))
    return table


def predictions(items: Sequence[Json], *, width: int = 24) -> Table:
    """Predicted labels with their probabilities as bars of at most `width`, or predicted values."""
    table = _table(">INPUT", "PREDICTION", ">PROBABILITY", "")
    for index, item in enumerate(items):
        if "label" not in item:
            table.add_row(str(index), _text(number(item.get("value"))), "", "")
            continue
        for rank, candidate in enumerate(item.get("top_k") or [item]):
            probability = candidate.get("probability") or 0.0
            table.add_row(
                str(index) if rank == 0 else "",
                _text(candidate["label"]),
                Text(f"{probability:.2%}"),
                Text(_BAR * round(probability * width), style="cyan" if rank == 0 else "dim"),
            )
    return table


def details(record: Mapping[str, Any]) -> Table:
    """A record's keys and values; the keys of nested objects are joined by points."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in _flattened(record):
        table.add_row(escape(key), _state(value) if key == "state" else _text(value))
    return table


def number(value: object) -> str:
    """Four significant digits; integers in full."""
    return f"{value:.4g}" if isinstance(value, float) else compact(value)


def byte_size(size: int | None) -> str:
    """`12.3 MB`, in powers of 1000; empty when unknown."""
    if size is None:
        return ""
    value, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"


def moment(rfc3339: str | None) -> str:
    """`2026-11-23 14:31:02`, in UTC as the service sends it."""
    return escape(rfc3339 or "")[:19].replace("T", " ")


def compact(value: object) -> str:
    """Text as it is, anything else as JSON; nothing for None."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(*headings: str) -> Table:
    """A table without rules; a heading that begins with `>` makes its column right-aligned."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        justify: Literal["left", "right"] = "right" if heading.startswith(">") else "left"
        title = heading.removeprefix(">")
        # What is copied from the screen into the next command stays in one piece.
        table.add_column(Text(title), justify=justify, overflow="fold", no_wrap=title in {"ID", "NAME"})
    return table


def _text(value: object) -> Text:
    return Text(escape(compact(value)))


def _state(state: object) -> Text:
    return Text(escape(state), style=_STATE_STYLES.get(str(state), ""))


def _joined(names: object) -> str:
    return ", ".join(map(str, names)) if isinstance(names, list | tuple | dict) else compact(names)


def _allowed(field: Mapping[str, Any]) -> str:
    """The bounds or choices of a JSON Schema property."""
    if "enum" in field:
        return " | ".join(map(compact, field["enum"]))
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {field[key]}" for key, sign in signs.items() if key in field]
    return " and ".join(bounds) or compact(field.get("type"))


def _flattened(record: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in record.items():
        if isinstance(value, dict) and value:
            pairs += _flattened(value, f"{prefix}{key}.")
        elif value is not None:
            pairs.append((prefix + key, value))
    return pairs
