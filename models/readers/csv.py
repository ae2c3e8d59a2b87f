"""`csv`: a table with a header (RFC 4180), whose rows are read one at a time, of bounded size."""

import csv
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from models.errors import JobError
from models.readers import table
from models.readers.lines import Lines
from models.readers.rows import Row, check_names, parse_number
from models.readers.source import Source
from models.readers.writer import DatasetWriter, Description

MAX_ROW_BYTES = 4 * 2**20
DELIMITERS = (",", ";", "\t", "|")


def read(source: Source, writer: DatasetWriter) -> Description:
    """Read a table (see `models.readers.table`).

    Raises:
        JobError: `csv_invalid`, naming the row and the remedy; and those of any table.
        UnsuitableData: targets that cannot be learned.
    """
    return table.read(source, writer, CsvFile(source.path))


class CsvFile:
    """A CSV file with a header. The delimiter is that of `DELIMITERS` which finds the most columns in the header.

    Raises:
        JobError: `csv_invalid`, naming the row and the remedy; so does reading the rows.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = path.stat().st_size
        self.fraction = 0.0
        headers: dict[str, list[str]] = {}
        for delimiter in DELIMITERS:
            with suppress(csv.Error):  # Quotes that are right for one delimiter are wrong for another.
                headers[delimiter] = self._header(delimiter)
        if not headers:
            raise invalid("Line 1 is not valid CSV; check its quotes.")
        self._delimiter = max(headers, key=lambda delimiter: len(headers[delimiter]))
        self.columns = headers[self._delimiter]
        _check_header(self.columns)

    def rows(self) -> Iterator[Row]:
        """One pass over the rows, cells without surrounding blanks; empty lines are left out."""
        number = 0
        with self._path.open("rb") as file:
            lines = _RecordLines(file)
            for cells in self._records(lines, self._delimiter):
                if number == 0:
                    number = 1
                    continue
                row = Row(number, lines.number, cells)
                if len(cells) != len(self.columns):
                    raise invalid(f"{row.place} has {len(cells):,} cells, but the header has {len(self.columns):,}.")
                self.fraction = lines.bytes_read / self._bytes
                yield row
                number += 1

    def _header(self, delimiter: str) -> list[str]:
        with self._path.open("rb") as file:
            records = csv.reader(_RecordLines(file), delimiter=delimiter, strict=True)
            return [cell.strip() for cell in next(filter(None, records), [])]

    def _records(self, lines: "_RecordLines", delimiter: str) -> Iterator[list[str]]:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            lines.begin_record()
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise invalid(f"Line {lines.number} is not valid CSV ({error}); check its quotes.") from None
            if cells is None:
                return
            if cells:
                yield [cell.strip() for cell in cells]


class _RecordLines(Lines):
    """The lines of the file. The bytes of a record, which quotes may stretch over lines, are bounded."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, MAX_ROW_BYTES, invalid)
        self._record_bytes = 0

    def begin_record(self) -> None:
        self._record_bytes = 0

    def __next__(self) -> str:
        line = super().__next__()
        self._record_bytes += self.line_bytes
        if self._record_bytes > MAX_ROW_BYTES:
            raise invalid(
                f"The row at line {self.number} is longer than {MAX_ROW_BYTES:,} bytes; check its quotes and line ends."
            )
        return line


def _check_header(columns: list[str]) -> None:
    if not columns:
        raise invalid("The file is empty; its first line must name the columns.")
    numbers = [number for number in map(parse_number, columns) if number is not None]
    if 2 * len(numbers) >= len(columns) or not all(number.is_integer() for number in numbers):
        raise invalid("The first line holds numbers, not names; add a header that names the columns.")
    check_names(columns)


def invalid(detail: str) -> JobError:
    """The file is not a table that can be read."""
    return JobError("csv_invalid", detail)
