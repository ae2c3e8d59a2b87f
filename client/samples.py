"""Samples, codes and anomaly scores as tables for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from client import cells
from client.http import Json

MAX_NUMBERS = 8
"""Numbers of a code that are shown."""


def images(answer: Mapping[str, Any]) -> list[str]:
    """The images of an answer, PNG files in base64; none if its samples are rows."""
    items = answer.get("reconstructions")
    if items is not None:
        return [item["image"] for item in items if "image" in item]
    return list(answer.get("images") or [])


def described(answer: Mapping[str, Any]) -> RenderableType:
    """Rows as a table, with the errors of reconstructions; of images how many there are, and their seed."""
    if "reconstructions" in answer:
        return _errors(answer["reconstructions"])
    if answer.get("rows"):
        return _rows(answer["rows"])
    if answer.get("texts"):
        return _texts(answer["texts"])
    seed = f" of seed {answer['seed']}" if "seed" in answer else ""
    return f"{len(images(answer))} images{seed}; -o FILE.png saves them."


def codes(items: Sequence[Sequence[float]]) -> Table:
    """One line a code: its first numbers."""
    table = cells.table(">INPUT", "CODE")
    for index, code in enumerate(items):
        shown = "  ".join(cells.number(value) for value in code[:MAX_NUMBERS])
        table.add_row(str(index), Text(shown + (f"  … {len(code)} in all" if len(code) > MAX_NUMBERS else "")))
    return table


def anomalies(names: Sequence[str], items: Sequence[Json]) -> Table:
    """One line an input: its score, the threshold, and whether it is an anomaly."""
    table = cells.table("INPUT", ">SCORE", ">THRESHOLD", "ANOMALOUS")
    for name, item in zip(names, items, strict=True):
        table.add_row(
            cells.text(name),
            Text(cells.number(item["score"])),
            Text(cells.number(item["threshold"])),
            Text("yes", style="red") if item["anomalous"] else Text("no"),
        )
    return table


def _errors(items: Sequence[Json]) -> Table:
    table = cells.table(">INPUT", ">ERROR", "RECONSTRUCTION")
    for index, item in enumerate(items):
        row = item.get("row")
        table.add_row(str(index), Text(cells.number(item["error"])), cells.text("" if row is None else row))
    return table


def _texts(items: Sequence[Json]) -> Table:
    table = cells.table("TEXT", "LABEL", ">LOG PROBABILITY", "ENDED")
    for item in items:
        ended = Text("yes" if item["ended"] else "no")
        number = Text(cells.number(item["log_probability"]))
        table.add_row(cells.text(item["text"]), cells.text(item["label"] or ""), number, ended)
    return table


def _rows(items: Sequence[Any]) -> Table:
    names = list(items[0]) if isinstance(items[0], dict) else [str(place) for place in range(len(items[0]))]
    table = cells.table(*names)
    for item in items:
        values = item.values() if isinstance(item, dict) else item
        table.add_row(*(cells.text(cells.number(each) if isinstance(each, float) else each) for each in values))
    return table
