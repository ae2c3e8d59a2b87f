"""`conll`: sentences as columns, a word and its tags a line, an empty line between sentences (Tjong Kim Sang 2002).

A file, or a zip or tar of one for each split, told by their names.
"""

import re

import numpy as np

from models.errors import JobError
from models.readers.source import Source
from models.readers.targets import ClassIndex
from models.readers.text_files import BLANKS, Line, TextFile, split_files
from models.readers.writer import DatasetWriter, Description
from shapes.entities import is_iob

DOCUMENT_MARK = "-DOCSTART-"
MAX_WORDS = 100_000
BLANK = re.compile(f"[{BLANKS}]+")


def read(source: Source, writer: DatasetWriter) -> Description:
    """Read sentences: the first column is the word, the last its tag; the option `target` is the number of another.

    Columns are divided by tabs, or without any by blanks. CoNLL-2003's marks of a new document are set aside.

    Raises:
        JobError: `text_invalid`, naming the file and the line: ragged columns, a missing tag; and those of `walk`.
        UnsuitableData: too many distinct tags.
    """
    source.options.check_task("words with tags are", "tagging")
    reading = _Reading(writer, _column(source.options.target))
    for file in split_files(source, writer):
        reading.read(file)
    return reading.close()


def _column(wish: str | None) -> int:
    """The place of the tag in a line; -1 is the last."""
    if wish is None:
        return -1
    if not wish.isascii() or not wish.isdigit() or not 2 <= int(wish[:6]) <= 1000:
        raise JobError("options_invalid", "`target` is the number of the column with the tags, from 2; the word is 1.")
    return int(wish) - 1


class _Reading:
    """The sentences of all files."""

    def __init__(self, writer: DatasetWriter, tag_at: int) -> None:
        self._writer = writer
        self._tag_at = tag_at
        self._tags = ClassIndex("column of the tags")
        self._words: list[str] = []
        self._codes: list[int] = []

    def read(self, file: TextFile) -> None:
        num_columns = 0
        for line in file.lines():
            columns = _split(line)
            if not columns:
                self._end_sentence(file.split)
                continue
            num_columns = num_columns or len(columns)
            self._check(file, line, columns, num_columns)
            self._words.append(columns[0])
            self._codes.append(self._tags.code(columns[self._tag_at]))
        self._end_sentence(file.split)

    def close(self) -> Description:
        """The description, once all files have been read."""
        for split in self._writer.splits():
            self._tags.recode(self._writer.read_values(split, "targets"))
        classes = self._tags.classes
        scheme = "iob" if is_iob(classes) else None
        return Description(
            modality="text",
            task="tagging",
            classes=classes,
            input={"name": "tokens", "dtype": "string", "shape": [None]},
            target={"name": "tags", "dtype": "int64", "shape": [None], "scheme": scheme},
        )

    def _check(self, file: TextFile, line: Line, columns: list[str], num_columns: int) -> None:
        if len(columns) != num_columns:
            raise file.invalid(
                line.number, f"has {len(columns):,} columns, and the lines before it {num_columns:,}; make them alike"
            )
        if num_columns < 2 or self._tag_at >= num_columns:
            raise file.invalid(
                line.number, f"has {num_columns:,} columns; write the word first and its tag in a column behind it"
            )
        if not columns[0] or not columns[self._tag_at]:
            raise file.invalid(line.number, "lacks the word or its tag; fill it in, or leave the line empty")
        if len(self._words) == MAX_WORDS:
            raise file.invalid(
                line.number, f"is within a sentence of over {MAX_WORDS:,} words; leave a line empty between sentences"
            )

    def _end_sentence(self, split: str) -> None:
        words, codes, self._words, self._codes = self._words, self._codes, [], []
        if words and words[0] != DOCUMENT_MARK:
            self._writer.ragged(split, "inputs").add_text("\n".join(words))
            self._writer.ragged(split, "targets", np.int64).add(np.array(codes, np.int64))


def _split(line: Line) -> list[str]:
    """The columns of a line; none of one that is blank."""
    if not line.text.strip(BLANKS):
        return []
    columns = line.text.split("\t") if "\t" in line.text else BLANK.split(line.text.strip(BLANKS))
    return [column.strip(BLANKS) for column in columns]
