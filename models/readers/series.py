"""`series`: a CSV file of values at regular times, one series or, with a column that names them, several."""

from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np

from models.errors import JobError, UnsuitableData
from models.readers.columns import FLOAT32_MAX, choose_target, is_missing
from models.readers.csv import CsvFile
from models.readers.rows import Row, parse_number
from models.readers.source import MAX_NAME_CHARACTERS, Source
from models.readers.stream import shown
from models.readers.targets import MAX_CLASSES
from models.readers.times import Beat, Moment, Spacing, parse
from models.readers.writer import Array, DatasetWriter, Description

TIME_COLUMNS = ("time", "date", "datetime", "timestamp", "ds", "month", "year", "week", "day", "hour", "period")
SERIES_COLUMNS = ("series", "series_id", "unique_id")
MAX_SERIES = MAX_CLASSES
MAX_VALUES = 2**24


def read(source: Source, writer: DatasetWriter) -> Description:
    """Read the file twice: once for how regular its times are, once for the values.

    The time is the column of the option `time`, else one called so or by a unit of time, else the first; the series is
    that of the option `series`, else one called so. What is forecast is the column of the option `target` (as in a
    table), and those of `known_ahead` are known in advance. With the option `gaps` set to `interpolate`, missing times
    and values are interpolated linearly.

    Raises:
        JobError: `series_invalid`, naming the row and the remedy: times that are missing, not in order, there twice or
            off the beat; values that are missing or no numbers; and those of a CSV file.
    """
    source.options.check_task("a series is", "forecasting")
    return _Reading(source, writer).read()


def invalid(detail: str) -> JobError:
    """The file is not a series that can be read."""
    return JobError("series_invalid", detail)


class _Reading:
    """Both passes over the file."""

    def __init__(self, source: Source, writer: DatasetWriter) -> None:
        self._source = source
        self._writer = writer
        self._file = CsvFile(source.path)
        names, options = self._file.columns, source.options
        self._time_at = _find(names, "time", options.time, TIME_COLUMNS) or 0
        self._series_at = _find(names, "series", options.series, SERIES_COLUMNS)
        self._values_at = [at for at in range(len(names)) if at not in (self._time_at, self._series_at)]
        if not self._values_at:
            raise invalid("The file has no column of values besides the time; add one.")
        self._fills_gaps = options.gaps == "interpolate"
        self._found: list[dict[str, Any]] = []
        """The series so far: their names, where they begin and how many steps they have."""

    def read(self) -> Description:
        roles = self._roles()
        spacing = self._survey()
        for rows in self._series(0.5):
            self._write(rows, spacing)
        columns = [{"name": name, "kind": "numeric", "role": role} for name, role in roles.items()]
        time = {"name": self._file.columns[self._time_at], **spacing.as_json()}
        described = {"name": "series", "dtype": "float32", "shape": [None, len(columns)], "columns": columns}
        return Description("series", "forecasting", None, described | {"time": time, "series": self._found}, None)

    def _roles(self) -> dict[str, str]:
        """What each column of values is: the `target`, `known_ahead`, or known for the `past` alone."""
        options = self._source.options
        names = [self._file.columns[at] for at in self._values_at]
        ahead = options.known_ahead or ()
        for name in ahead:
            if name not in names:
                raise JobError("options_invalid", f"There is no column of values {shown(name)} for `known_ahead`.")
            if name == options.target:
                raise JobError(
                    "options_invalid", f"{shown(name)} is both the `target` and `known_ahead`; take it out of one."
                )
        target = choose_target([name for name in names if name not in ahead] or [""], options.target)
        if target is None:
            raise JobError("options_invalid", "A series is forecast from itself; leave `target` out or name a column.")
        chosen = [name for name in names if name not in ahead][target : target + 1]
        if not chosen:
            raise JobError("options_invalid", "`known_ahead` names all columns; one must be left to forecast.")
        return {name: "target" if name in chosen else "known_ahead" if name in ahead else "past" for name in names}

    def _survey(self) -> Spacing:
        """First pass: times in order, of one kind; the spacing is the smallest that occurs."""
        beat = Beat()
        is_short = True
        for rows in self._series(0.0):
            before: Moment | None = None
            count = 0
            for row in rows:
                moment = self._moment(row)
                if before is not None:
                    self._check_order(row, before, moment)
                    beat.observe(before, moment)
                before, count = moment, count + 1
            is_short = count < 2
            if is_short:
                break
        if is_short:
            raise invalid("A series has fewer than 2 steps; add steps, or name the column of the option `series`.")
        return beat.spacing

    def _write(self, rows: Iterator[Row], spacing: Spacing) -> None:
        """Second pass: the values of one series."""
        values = array("f")
        width = len(self._values_at)
        first, before = "", None
        for row in rows:
            moment = self._moment(row)
            if before is None:
                first = row.cells[self._time_at]
            else:
                self._fill_gap(values, row, spacing.between(before, moment), spacing)
            before = moment
            if len(values) + width > MAX_VALUES:
                raise invalid(f"The series at {row.place} has over {MAX_VALUES:,} values; divide it into several.")
            values.extend(self._value(row, at) for at in self._values_at)
        series = np.array(values, np.float32).reshape(-1, width)
        if self._fills_gaps:
            _interpolate(series, self._found[-1]["id"], [self._file.columns[at] for at in self._values_at])
        self._found[-1] |= {"start": first, "steps": len(series)}
        self._writer.ragged("train", "inputs", np.float32, (width,)).add(series)

    def _series(self, begin: float) -> Iterator[Iterator[Row]]:
        """The rows of each series, which must lie together. Every row must be taken before the next series."""
        self._found = []
        seen: set[str] = set()
        rows = self._file.rows()
        row = next(rows, None)

        def of_one(name: str) -> Iterator[Row]:
            nonlocal row
            while row is not None and self._name(row) == name:
                if row.number % 1000 == 0:
                    self._source.progress(begin + 0.5 * self._file.fraction)
                yield row
                row = next(rows, None)

        while row is not None:
            name = self._name(row)
            if name in seen:
                raise invalid(
                    f"{row.place} goes back to the series {shown(name)}; sort the file by series, then by time."
                )
            if len(seen) == MAX_SERIES or len(name) > MAX_NAME_CHARACTERS:
                raise UnsuitableData(
                    f"The file has more than {MAX_SERIES:,} series, or names of over {MAX_NAME_CHARACTERS} characters;"
                    " upload fewer, or name another column in the option `series`."
                )
            seen.add(name)
            self._found.append({"id": name})
            yield of_one(name)

    def _name(self, row: Row) -> str:
        return "" if self._series_at is None else row.cells[self._series_at]

    def _moment(self, row: Row) -> Moment:
        cell = row.cells[self._time_at]
        moment = parse(cell)
        if moment is None:
            name = shown(self._file.columns[self._time_at])
            problem = "lacks its time" if is_missing(cell) else f"has the time {shown(cell)}, which cannot be read"
            raise invalid(f"{row.place} {problem} in the column {name}; write times as 2024-01-31 or 2024-01-31T12:00.")
        return moment

    def _check_order(self, row: Row, before: Moment, moment: Moment) -> None:
        if isinstance(before, int) != isinstance(moment, int):
            raise invalid(f"{row.place} has a time of another kind than the row before it; write all alike.")
        if moment == before:
            raise invalid(
                f"{row.place} has the time of the row before it; remove one of them, or name the column that tells"
                " series apart in the option `series`."
            )
        if moment < before:  # type: ignore[operator]
            raise invalid(
                f"{row.place} is earlier than the row before it; sort the file by time, and name the column that tells"
                " several series apart in the option `series`."
            )

    def _fill_gap(self, values: "array[float]", row: Row, steps: float, spacing: Spacing) -> None:
        if steps == 1:
            return
        if steps != int(steps):
            raise invalid(
                f"{row.place} is {steps:.4g} steps of {spacing} after the row before it; times must be regular: remove"
                " or move it."
            )
        missing = int(steps) - 1
        if not self._fills_gaps:
            raise invalid(
                f"{row.place} follows a gap: {missing:,} times at a spacing of {spacing} are missing before it; add"
                " them, or set the option `gaps` to interpolate."
            )
        if len(values) + missing * len(self._values_at) > MAX_VALUES:
            raise invalid(f"The gap before {row.place} is too long to fill: {missing:,} times are missing.")
        values.extend([float("nan")] * (missing * len(self._values_at)))

    def _value(self, row: Row, at: int) -> float:
        cell = row.cells[at]
        if is_missing(cell):
            if self._fills_gaps:
                return float("nan")
            raise invalid(
                f"The column {shown(self._file.columns[at])} is missing in {row.place}; fill it in, or set the option"
                " `gaps` to interpolate."
            )
        value = parse_number(cell)
        if value is None or not abs(value) <= FLOAT32_MAX:
            raise invalid(
                f"The column {shown(self._file.columns[at])} holds {shown(cell)} in {row.place}, which is no 32-bit"
                " number; correct it, leave the column out, or name it in the option `series` if it names series."
            )
        return value


def _find(names: list[str], option: str, wish: str | None, usual: tuple[str, ...]) -> int | None:
    """The place of the column that an option names, or else one that is usually called so."""
    if wish is not None:
        if wish not in names:
            known = ", ".join(map(shown, names[:20]))
            raise JobError("options_invalid", f"There is no column {shown(wish)} for `{option}`; there are {known}.")
        return names.index(wish)
    lowered = [name.lower() for name in names]
    return next((lowered.index(name) for name in usual if name in lowered), None)


def _interpolate(series: Array, name: str, columns: list[str]) -> None:
    """Replace NaN in (T, F) by what lies on the line between its neighbours."""
    steps = np.arange(len(series))
    for column, values in zip(columns, series.T, strict=True):
        known = ~np.isnan(values)
        if not known[0] or not known[-1]:
            raise invalid(
                f"The column {shown(column)} is missing at the beginning or the end of the series {shown(name)}, where"
                " nothing can be interpolated; remove those rows."
            )
        values[~known] = np.interp(steps[~known], steps[known], values[known])
