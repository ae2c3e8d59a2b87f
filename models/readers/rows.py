"""The rows of a table, whatever file it comes in."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from models.errors import JobError
from models.readers.stream import shown

MAX_COLUMNS = 10_000


class Row(NamedTuple):
    """A row of the table. `number` counts from 1, without a header; `line` the lines of a file that has any."""

    number: int
    line: int | None
    cells: list[str]

    @property
    def place(self) -> str:
        """Where the row is, for messages."""
        return f"row {self.number}" if self.line is None else f"row {self.number} (line {self.line} of the file)"


class TableFile(Protocol):
    """A file of rows that are all of the same length."""

    columns: list[str]
    """Their names, each once."""
    fraction: float
    """How much of the current pass has been read."""

    def rows(self) -> Iterator[Row]:
        """One pass over the rows, cells as text without surrounding blanks."""


def parse_number(cell: str) -> float | None:
    """A cell as a number, or None. Python's digit separators are no numbers here."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def check_names(columns: list[str]) -> None:
    """Refuse columns that cannot be told apart.

    Raises:
        JobError: `table_invalid`: there are too many, one has no name, or two have the same.
    """
    if len(columns) > MAX_COLUMNS:
        raise invalid(f"The table has {len(columns):,} columns; at most {MAX_COLUMNS:,} are read.")
    for position, name in enumerate(columns, start=1):
        if not name:
            raise invalid(f"Column {position} has no name; name or remove it.")
    if len(set(columns)) < len(columns):
        double = next(name for name in columns if columns.count(name) > 1)
        raise invalid(f"The table names the column {shown(double)} twice; rename one.")


def invalid(detail: str) -> JobError:
    """The table holds what cannot be learned from."""
    return JobError("table_invalid", detail)
