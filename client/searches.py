"""What a search has found, drawn for a terminal. All text is escaped."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from client import cells

Json = dict[str, Any]


def trials(items: Sequence[Json]) -> Table:
    """One line a trial: its values, what it was given, and why it failed. A star marks the best so far."""
    metrics = list(dict.fromkeys(name for item in items for name in item["values"] or {}))
    paths = list(dict.fromkeys(path for item in items for path in item["parameters"] or {}))
    values = (f">{metric.upper()}" for metric in metrics)
    table = cells.table("", ">TRIAL", "STATE", *values, *map(_short, paths), ">EPOCHS", ">SECONDS", "ERROR")
    for item in items:
        numbers = [(item["values"] or {}).get(metric) for metric in metrics]
        table.add_row(
            Text("*" if item["best"] else ""),
            Text(str(item["number"])),
            cells.state("pruned" if item["pruned"] else item["state"]),
            *(Text(cells.number(number)) for number in numbers),
            *(cells.text(cells.number((item["parameters"] or {}).get(path))) for path in paths),
            Text(cells.number(item["epochs"])),
            Text(cells.number(item["seconds"])),
            cells.text((item["error"] or {}).get("detail")),
        )
    return table


def findings(result: Mapping[str, Any]) -> Table:
    """The best trial's values and parameters, and the share that each parameter had in how good a trial was."""
    best, importance = result["best"], result.get("importance") or {}
    table = cells.table(f"TRIAL {best['number']}", "VALUE", ">IMPORTANCE")
    for name, value in {**(best["values"] or {}), **(best["parameters"] or {})}.items():
        share = importance.get(name)
        table.add_row(cells.text(name), cells.text(cells.number(value)), Text("" if share is None else f"{share:.0%}"))
    return table


def _short(path: str) -> str:
    """The last part of a path, which says enough in a heading."""
    return path.rpartition(".")[2].upper()
