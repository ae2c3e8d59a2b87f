"""`parquet`: a table in Apache Parquet, by its own library, of which a cell is read as the text that CSV would have.

So both formats have one set of rules for what a column is.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.errors import JobError
from models.readers import table
from models.readers.rows import Row, check_names
from models.readers.source import Source
from models.readers.stream import shown
from models.readers.writer import DatasetWriter, Description

MAGIC = b"PAR1"
BATCH_CELLS = 2**18
MAX_METADATA_BYTES = 64 * 2**20
CELL_BYTES = 4
"""Of a value as it is kept."""
INDEX = re.compile(r"__index_level_\d+__")
"""What pandas calls the index of a frame, which is no column of it."""


def read(source: Source, writer: DatasetWriter) -> Description:
    """Read a table (see `models.readers.table`).

    Raises:
        JobError: `parquet_invalid`: it cannot be read, or a column holds what is neither number nor text; and those of
            any table.
        UnsuitableData: targets that cannot be learned.
    """
    return table.read(source, writer, ParquetFile(source.path, source.limits.max_decompressed_bytes))


class ParquetFile:
    """A Parquet file of at most so many bytes of values, 4 for each, however small it is packed.

    Raises:
        JobError: `parquet_invalid`; so does reading the rows.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        from pyarrow import parquet  # which takes as long as all other readers together

        self.fraction = 0.0
        try:
            self._file = parquet.ParquetFile(
                path,
                memory_map=False,
                pre_buffer=False,
                thrift_string_size_limit=MAX_METADATA_BYTES,
                thrift_container_size_limit=MAX_METADATA_BYTES,
            )
            fields = list(self._file.schema_arrow)
        except MemoryError:
            raise
        except Exception as error:
            raise _unreadable(error) from error
        self.columns = [field.name for field in fields if not INDEX.fullmatch(field.name)]
        if not self.columns:
            raise invalid("The table has no columns.")
        check_names(self.columns)
        for field in fields:
            if not _is_plain(field.type):
                raise invalid(
                    f"The column {shown(field.name)} holds values of the type {shown(str(field.type))}; numbers, truth"
                    " values, dates and text are read: convert the column, or leave it out."
                )
        self._num_rows = self._file.metadata.num_rows
        if self._num_rows * len(self.columns) * CELL_BYTES > max_bytes:
            raise invalid(f"The table has {self._num_rows:,} rows, which take over {max_bytes:,} bytes; divide it.")

    def rows(self) -> Iterator[Row]:
        """One pass over the rows; a value that is null is an empty cell."""
        number = 0
        size = max(1, BATCH_CELLS // len(self.columns))
        for batch in self._batches(size):
            for cells in zip(*(_texts(column) for column in batch.columns), strict=True):
                number += 1
                self.fraction = min(1.0, number / max(1, self._num_rows))
                yield Row(number, None, list(cells))

    def _batches(self, size: int) -> Iterator[Any]:
        batches = self._file.iter_batches(size, columns=self.columns, use_threads=False)
        while True:
            try:
                batch = next(batches, None)
            except MemoryError:
                raise
            except Exception as error:
                raise _unreadable(error) from error
            if batch is None:
                return
            yield batch


def _is_plain(type: Any) -> bool:
    from pyarrow import types

    if types.is_dictionary(type):
        return _is_plain(type.value_type)
    is_text = types.is_string(type) or types.is_large_string(type) or types.is_string_view(type)
    is_number = types.is_integer(type) or types.is_floating(type) or types.is_decimal(type)
    is_date = types.is_date(type) or types.is_timestamp(type)
    return bool(is_text or is_number or is_date or types.is_boolean(type))


def _texts(column: Any) -> list[str]:
    import pyarrow

    try:
        column.validate(full=True)  # of text that is no UTF-8
        # As a double, since the shortest text of the largest single one is beyond it.
        exact = column.cast(pyarrow.float64()) if pyarrow.types.is_floating(column.type) else column
        cells = exact.cast(pyarrow.string()).to_pylist()
    except MemoryError:
        raise
    except Exception as error:
        raise _unreadable(error) from error
    return ["" if cell is None else cell.strip() for cell in cells]


def _unreadable(error: Exception) -> JobError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return invalid(f"The file is not Parquet that can be read ({shown(reason)}); write it anew.")


def invalid(detail: str) -> JobError:
    """The file is not a Parquet file that can be read."""
    return JobError("parquet_invalid", detail)
