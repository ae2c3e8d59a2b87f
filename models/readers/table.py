"""Tables, read in passes: what the columns are, their categories, their values."""

from collections.abc import Iterator

import numpy as np

from models.errors import UnsuitableData
from models.readers.columns import Column, TargetColumn, choose_target, is_missing
from models.readers.rows import Row, TableFile, invalid
from models.readers.source import Source
from models.readers.stream import shown
from models.readers.writer import DatasetWriter, Description

BATCH_VALUES = 2**18
MAX_BATCH_ROWS = 4096
MAX_ALL_CATEGORIES = 100_000


def read(source: Source, writer: DatasetWriter, file: TableFile) -> Description:
    """Read a table. Rows whose target is missing are dropped and counted.

    The target is the column of the option `target`, else the first called target, label, class or y, else the last.

    Raises:
        JobError: `table_invalid`, naming the row and the remedy; and those of the file.
        UnsuitableData: targets that cannot be learned.
    """
    source.options.check_task("a table is", "classification", "regression")
    return _Reading(source, writer, file).read()


class _Reading:
    """The passes over one file."""

    def __init__(self, source: Source, writer: DatasetWriter, file: TableFile) -> None:
        self._source = source
        self._writer = writer
        self._file = file
        names = self._file.columns
        self._target_at = choose_target(names, source.options.target)
        self._features_at = [index for index in range(len(names)) if index != self._target_at]
        self._features = [Column(names[index]) for index in self._features_at]
        if not self._features:
            raise invalid(f"The only column is the target {shown(names[0])}; add columns to predict it from.")

    def read(self) -> Description:
        target = self._survey()
        self._collect_categories()
        self._write(target)
        columns = [column.as_json() for column in self._features]
        return Description(
            modality="tabular",
            task=target.task if target else None,
            classes=target.classes if target else None,
            input={"name": "features", "dtype": "float32", "shape": [len(columns)], "columns": columns},
            target=target.as_json() if target else None,
        )

    def _survey(self) -> TargetColumn | None:
        """First pass: the kind of every column."""
        target_at, target = self._target_at, None
        if target_at is not None:
            target = TargetColumn(self._file.columns[target_at], self._source.options.task)
        for row in self._rows(0.0, 0.4):
            if target is not None and target_at is not None:
                target.observe(row, row.cells[target_at])
            for column, at in zip(self._features, self._features_at, strict=True):
                column.observe(row.cells[at])
        if target is None:
            return None
        target.close()
        empty = next((column for column in self._features if column.is_empty), None)
        if empty is not None:
            raise UnsuitableData(f"The column {shown(empty.name)} is empty in all rows; remove it.")
        return target

    def _collect_categories(self) -> None:
        """Second pass, if a column holds text."""
        texts = [pair for pair in zip(self._features, self._features_at, strict=True) if not pair[0].is_numeric]
        total = 0
        for row in self._rows(0.4, 0.2) if texts else ():
            total += sum(column.collect(row.cells[at]) for column, at in texts)
            if total > MAX_ALL_CATEGORIES:
                raise invalid(
                    f"The text columns hold over {MAX_ALL_CATEGORIES:,} distinct values in all; remove some columns."
                )
        for column, _ in texts:
            column.close()

    def _write(self, target: TargetColumn | None) -> None:
        """Last pass: the values."""
        inputs = self._writer.inputs("train", np.float32, (len(self._features),))
        most = max(1, min(MAX_BATCH_ROWS, BATCH_VALUES // len(self._features)))
        batch, targets = [], []
        for row in self._rows(0.6, 0.4):
            if target is not None and self._target_at is not None:
                cell = row.cells[self._target_at]
                if is_missing(cell):
                    self._writer.skipped.add(f"row {row.number}", "the target is missing")
                    continue
                targets.append(target.encode(cell))
            pairs = zip(self._features, self._features_at, strict=True)
            batch.append([column.encode(row, row.cells[at]) for column, at in pairs])
            if len(batch) == most:
                inputs.append(np.array(batch, np.float32))
                self._append_targets(target, targets)
                batch, targets = [], []
        if batch:
            inputs.append(np.array(batch, np.float32))
            self._append_targets(target, targets)

    def _append_targets(self, target: TargetColumn | None, values: list[float]) -> None:
        if target is not None:
            dtype = np.float32 if target.classes is None else np.int64
            self._writer.targets("train", dtype).append(np.array(values))

    def _rows(self, begin: float, share: float) -> Iterator[Row]:
        for row in self._file.rows():
            if row.number % 1000 == 1:
                self._source.progress(begin + share * self._file.fraction)
            yield row
