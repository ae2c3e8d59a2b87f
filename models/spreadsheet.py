"""Tables as CSV files that a spreadsheet can open without harm."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from shapes.spreadsheet import cell


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table of a line for its columns' names and one for each row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([cell(name) for name in header])
        table.writerows([cell(value) for value in row] for row in rows)


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without objects in it: a column for each of their names."""
    columns: dict[str, Any] = {}
    for name, value in record.items():
        columns |= {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
    return columns
