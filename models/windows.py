"""Series as rows to learn from: every stretch of steps with those that follow it. Imports no torch.

A window begins nowhere in memory until it is asked for. Its forecast's first step is its origin; it belongs to a part
of the series (the last is for the test, the one before for validation) if all steps that it is to forecast do. What is
seen may reach back into an earlier part, as it will when the model is used.
Shapes: N windows over all series, C steps seen, H steps to forecast, F columns.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import Mismatch, UnsuitableData
from models.ragged import Ragged
from models.training.settings import Split
from shapes import division

Rows = NDArray[np.int64]


class Windowing(NamedTuple):
    """How series are made windows."""

    context: int
    horizon: int
    season: int
    """After how many steps a season comes again; 1 without any."""
    columns: Sequence[Mapping[str, Any]]
    """With their roles: the `target`, those `known_ahead`, and those known for the `past` alone."""

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "Windowing":
        """That in the description of an input."""
        return cls(described["context"], described["horizon"], described["season"], described["columns"])

    @property
    def target(self) -> str:
        """The column that is forecast."""
        return next(str(column["name"]) for column in self.columns if column["role"] == "target")

    @property
    def known_ahead(self) -> list[str]:
        """The columns that are known of the steps to forecast, too."""
        return [str(column["name"]) for column in self.columns if column["role"] == "known_ahead"]

    @property
    def steps(self) -> int:
        """Steps in a row: those to forecast are among them where something is known of them."""
        return self.context + (self.horizon if self.known_ahead else 0)

    def described(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A row, as it stands in a version's signature; `given` is the description of the series."""
        roles = {column["name"]: column["role"] for column in self.columns}
        columns = [{**column, "role": roles.get(column["name"], "past")} for column in given["columns"]]
        return {
            "name": "series",
            "dtype": "float32",
            "shape": [self.steps, len(columns)],
            "columns": columns,
            "context": self.context,
            "horizon": self.horizon,
            "season": self.season,
            "time": given["time"],
        }


class Windows:
    """The windows of some series: those that can be scored, and those that reach beyond the end.

    A window has at least C steps before its origin, and one more than a season, so that the seasonal naive forecast and
    its error are known.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, series: Ragged, windowing: Windowing, names: Sequence[str]) -> None:
        """Of series with columns of these names.

        Raises:
            Mismatch: a column of the windowing is not among them.
        """
        lacking = [str(column["name"]) for column in windowing.columns if column["name"] not in names]
        if lacking:
            raise Mismatch(f"The data set lacks the column {lacking[0]!r} that the model takes.")
        self.series, self.windowing = series, windowing
        self._target = names.index(windowing.target)
        self._ahead = [names.index(name) for name in windowing.known_ahead]
        self.first = division.first_origin(windowing.context, windowing.season)
        beyond = 0 if self._ahead else windowing.horizon
        self._ends = np.cumsum(np.maximum(0, series.lengths - windowing.horizon + beyond - self.first + 1))

    def __len__(self) -> int:
        return int(self._ends[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C or C + H, F)."""
        return (len(self), self.windowing.steps, self.series.item_shape[0])

    def __getitem__(self, rows: Rows) -> NDArray[np.float32]:
        """The windows (M, C or C + H, F) of these numbers; NaN where a column is not known ahead."""
        _, place = self._located(rows)
        context = self.windowing.context
        steps_MT = place[:, None] - context + np.arange(self.windowing.steps)
        windows = np.asarray(self.series.values[steps_MT])
        if self._ahead:
            unknown = np.setdiff1d(np.arange(windows.shape[2]), self._ahead)
            windows[:, context:, unknown] = np.nan
        return windows

    @cached_property
    def complete(self) -> Rows:
        """The numbers of those whose steps to forecast are all there."""
        return self.between(0, 1)

    def divided(self, split: Split, until: float = 1.0) -> dict[str, Rows]:
        """`train` and, of shares above 0, `validation` and `test`: the last steps of each series `until` a share of it.

        Raises:
            UnsuitableData: a part has no window.
        """
        parts = division.in_time(split.validation, split.test, until)
        return {name: self.between(*part) for name, part in parts.items()}

    def between(self, begin: float, end: float) -> Rows:
        """The numbers of those that forecast nothing but steps of each series from one share of its length to another.

        Raises:
            UnsuitableData: there is none.
        """
        lengths, starts = self.series.lengths.tolist(), self._ends - self._counts - self.first
        try:
            found = division.origins(lengths, (begin, end), self.first, self.windowing.horizon)
        except division.Indivisible as error:
            raise UnsuitableData(f"{error}.") from error
        rows = [np.arange(steps.start, steps.stop) + start for steps, start in zip(found, starts, strict=True)]
        return np.concatenate(rows)

    def targets(self, rows: Rows) -> NDArray[np.float32]:
        """(M, H + 1): the values to come, NaN beyond the end, and the scale of the errors.

        That is the mean absolute error of the seasonal naive forecast in all steps of the series before the origin, by
        which MASE divides (Hyndman and Koehler 2006).
        """
        numbers, place = self._located(rows)
        steps_MH = place[:, None] + np.arange(self.windowing.horizon)
        ends = self.series.offsets[numbers + 1][:, None]
        values = self._values[np.minimum(steps_MH, ends - 1)]
        return np.column_stack([np.where(steps_MH < ends, values, np.nan), self._scales(numbers, place)])

    def naive(self, rows: Rows) -> NDArray[np.float32]:
        """(M, H): the seasonal naive forecast, which is what was one season before, the last one known."""
        _, place = self._located(rows)
        season = self.windowing.season
        repeated: NDArray[np.float32] = self._values[
            place[:, None] - season + np.arange(self.windowing.horizon) % season
        ]
        return repeated

    def place(self, row: int) -> tuple[int, int]:
        """The number of the series that a window is of, and the step in it at which its forecast begins."""
        numbers, place = self._located(np.array([row]))
        return int(numbers[0]), int(place[0] - self.series.offsets[numbers[0]])

    @property
    def _counts(self) -> Rows:
        return np.diff(self._ends, prepend=0)

    @cached_property
    def _values(self) -> NDArray[np.float32]:
        return np.asarray(self.series.values[:, self._target])

    @cached_property
    def _naive_errors(self) -> NDArray[np.float64]:
        """(V + 1,): sums of the absolute differences to the step a season before, over all values up to each place."""
        season = self.windowing.season
        errors = np.zeros(len(self._values) + 1)
        errors[season + 1 :] = np.abs(self._values[season:].astype(np.float64) - self._values[:-season])
        return errors.cumsum()

    def _scales(self, numbers: Rows, place: Rows) -> NDArray[np.float64]:
        begins = self.series.offsets[numbers] + self.windowing.season
        return (self._naive_errors[place] - self._naive_errors[begins]) / (place - begins)

    def _located(self, rows: Rows) -> tuple[Rows, Rows]:
        """Of each window its series (M,), and the place (M,) of its origin among all values."""
        numbers = np.searchsorted(self._ends, rows, side="right")
        within = rows - (self._ends - self._counts)[numbers] + self.first
        return numbers, self.series.offsets[numbers] + within
