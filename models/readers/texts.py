"""Texts of classes: `text-folder`, a document a file, and `text-classes`, an example a line of the file of its class.

A zip or tar of `class/file.txt` or of `class.txt`; `train|val|test` may lie above.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from models.errors import JobError, UnsuitableData
from models.readers.layout import Layout, arrange
from models.readers.source import Source
from models.readers.stream import shown
from models.readers.targets import MAX_CLASSES
from models.readers.text_files import BLANKS, SURVEY_SHARE, TextFile, archived, entries, refused
from models.readers.writer import LABEL, DatasetWriter, Description

SUFFIX = ".txt"
MAX_DOCUMENT_CHARACTERS = 4 * 2**20
TEXT = {"name": "text", "dtype": "string", "shape": []}


def read_documents(source: Source, writer: DatasetWriter) -> Description:
    """Read a folder of documents for each class. Empty ones are set aside.

    Raises:
        JobError: `text_invalid`, naming the file: too long, not UTF-8; and those of `walk`.
        UnsuitableData: too many classes.
    """
    return _Reading(source, writer, _Kind("class/file.txt", lambda name: name, _document)).read()


def read_examples(source: Source, writer: DatasetWriter) -> Description:
    """Read a file of examples, a line each, for each class. Empty lines are set aside.

    Raises:
        JobError: `text_invalid`, naming the file and the line: too long, not UTF-8; and those of `walk`.
        UnsuitableData: too many classes.
    """
    return _Reading(source, writer, _Kind("class.txt", lambda name: f"{name[: -len(SUFFIX)]}/", _lines)).read()


@dataclass(frozen=True)
class _Kind:
    expected: str
    within_class: Callable[[str], str]
    """From the name of a file to a path whose folders are, from the outside, its split and its class."""
    texts: Callable[[TextFile], Iterator[tuple[str, str]]]
    """The texts of a file, each with where it is."""


class _Reading:
    """Both readings of the archive: for the names, and for the texts."""

    def __init__(self, source: Source, writer: DatasetWriter, kind: _Kind) -> None:
        source.options.check_task("texts of classes are", "classification")
        self._source = source
        self._writer = writer
        self._kind = kind

    def read(self) -> Description:
        layout = self._survey()
        codes = {name: np.array([index]) for index, name in enumerate(layout.classes or [])}
        for entry, reason in entries(self._source, SURVEY_SHARE, 1 - SURVEY_SHARE):
            if (reason or _is_other(entry.name)) is not None:
                continue
            place = layout.place(self._kind.within_class(entry.name))
            if place is None:
                self._writer.skipped.add(entry.name, "lies in no class folder, as others do")
                continue
            for where, text in self._kind.texts(archived(self._source, entry, place.split)):
                if not text:
                    self._writer.skipped.add(where, "empty text")
                    continue
                self._writer.ragged(place.split, "inputs").add_text(text)
                if place.label is not None:
                    self._writer.targets(place.split, np.int64).append(codes[place.label])
        labelled = layout.classes is not None
        return Description(
            modality="text",
            task="classification" if labelled else None,
            classes=layout.classes,
            input=TEXT,
            target=LABEL if labelled else None,
        )

    def _survey(self) -> Layout:
        names = []
        for entry, reason in entries(self._source, 0.0, SURVEY_SHARE):
            reason = reason or _is_other(entry.name)
            if reason is None:
                names.append(self._kind.within_class(entry.name))
            else:
                self._writer.skipped.add(entry.name, reason)
        if not names:
            raise refused(f"The archive holds no {SUFFIX} files; pack them as {self._kind.expected}.")
        layout = arrange(names, unlabelled=self._source.options.unlabelled)
        if layout.classes is not None and len(layout.classes) > MAX_CLASSES:
            raise UnsuitableData(
                f"The texts are of {len(layout.classes):,} classes, and at most {MAX_CLASSES:,} are read; group them,"
                ' or set the option `target` to "" for texts without labels.'
            )
        return layout


def _is_other(name: str) -> str | None:
    return None if name.lower().endswith(SUFFIX) else f"not a {SUFFIX} file"


def _lines(file: TextFile) -> Iterator[tuple[str, str]]:
    for line in file.lines():
        yield f"{file.name}, line {line.number}", line.text.strip(BLANKS)


def _document(file: TextFile) -> Iterator[tuple[str, str]]:
    lines, characters = [], 0
    for line in file.lines():
        lines.append(line.text)
        characters += len(line.text) + 1
        if characters > MAX_DOCUMENT_CHARACTERS:
            raise JobError(
                "text_invalid",
                f"The document {shown(file.name)} has more than {MAX_DOCUMENT_CHARACTERS:,} characters; divide it, or"
                " upload lines as class.txt.",
            )
    yield file.name, "\n".join(lines).strip("\n" + BLANKS)
