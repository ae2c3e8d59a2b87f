"""The text files of an upload: those of an archive, or the upload itself."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from models.errors import JobError
from models.readers.archive import HEAD_BYTES, Entry, is_archive, walk
from models.readers.layout import named_split
from models.readers.lines import Lines
from models.readers.source import Source
from models.readers.stream import Stream, shown
from models.readers.writer import DatasetWriter

MAX_LINE_BYTES = 2**20
SURVEY_SHARE = 0.2
BLANKS = " \t\r\f\v"
"""What is stripped: other white space, such as a no-break space, may be what a text is about."""
NOTES = ("readme", "license", "licence", "copying", "notice", "about", "changelog", "citation")


class Line(NamedTuple):
    """A line without its end; `number` counts from 1."""

    number: int
    text: str


class TextFile:
    """One file, read once. `name` is empty for an upload that is no archive.

    Args:
        done: How much of the job is done when so many bytes of the file have been read.
    """

    def __init__(self, source: Source, stream: Stream, name: str, split: str, done: Callable[[int], float]) -> None:
        self.name = name
        self.split = split
        self._source = source
        self._stream = stream
        self._done = done

    def lines(self) -> Iterator[Line]:
        """Raises `JobError` `text_invalid` for a line that is too long, holds NUL or is not UTF-8."""
        lines = Lines(self._stream, MAX_LINE_BYTES, refused, self._place)
        for text in lines:
            if lines.number % 1000 == 0:
                self._source.progress(self._done(lines.bytes_read))
            yield Line(lines.number, text.removesuffix("\n").removesuffix("\r"))

    def invalid(self, number: int, problem: str) -> JobError:
        """What is wrong with a line: it `holds one column; ...`."""
        return refused(f"Line {number}{self._place} {problem}.")

    @property
    def _place(self) -> str:
        return f" of {shown(self.name)}" if self.name else ""


def refused(detail: str) -> JobError:
    """The files are not text that can be read."""
    return JobError("text_invalid", detail)


def entries(source: Source, begin: float, share: float) -> Iterator[tuple[Entry, str | None]]:
    """The files of an archive, each with the reason why it holds no data, if so.

    Reading all of them takes this share of the job, which has come to `begin`.
    """
    for entry in walk(source.path, source.limits):
        source.progress(begin + share * entry.fraction)
        yield entry, side_reason(entry.name)


def side_reason(name: str) -> str | None:
    """Why a file of this name is not meant as data, or None if it is."""
    parts = name.split("/")
    if any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return "hidden file"
    is_note = parts[-1].startswith("_") or PurePosixPath(parts[-1]).stem.lower() in NOTES
    return "a note about the data" if is_note else None


def split_files(source: Source, writer: DatasetWriter) -> Iterator[TextFile]:
    """The files of an upload that has one or more for each split, told by their names (see `named_split`).

    A single file is for training; so are all files of an archive in which none names a split. Where some do, the
    others are set aside.

    Raises:
        JobError: `text_invalid`: there is no file; and those of `walk`.
    """
    size = max(1, source.path.stat().st_size)
    with source.path.open("rb") as file:
        if not is_archive(file.read(HEAD_BYTES)):
            file.seek(0)
            yield TextFile(source, file, "", "train", lambda bytes_read: bytes_read / size)
            return
    names = []
    for entry, reason in entries(source, 0.0, SURVEY_SHARE):
        if reason is None:
            names.append(entry.name)
        else:
            writer.skipped.add(entry.name, reason)
    if not names:
        raise refused("The archive holds no files of text; pack one for each split, such as train.txt and test.txt.")
    splits = _splits(names)
    for entry, reason in entries(source, SURVEY_SHARE, 1 - SURVEY_SHARE):
        if reason is not None:
            continue
        split = splits[entry.name]
        if split is None:
            writer.skipped.add(entry.name, "its name says no split, as others do")
        else:
            yield archived(source, entry, split)


def archived(source: Source, entry: Entry, split: str) -> TextFile:
    """A file of an archive that is read for the second time."""
    done = SURVEY_SHARE + (1 - SURVEY_SHARE) * entry.fraction
    return TextFile(source, entry, entry.name, split, lambda bytes_read: done)


def _splits(names: Sequence[str]) -> dict[str, str | None]:
    splits = {name: named_split(name) for name in names}
    return splits if any(splits.values()) else dict.fromkeys(names, "train")
