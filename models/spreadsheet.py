"""Tables as CSV files that a spreadsheet can open without harm."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table of a line for its columns' names and one for each row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([cell(name) for name in header])
        table.writerows([cell(value) for value in row] for row in rows)


def cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula is marked as text; numbers stay as they are."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
