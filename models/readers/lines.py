"""The lines of a text file of unknown honesty: UTF-8, one at a time, of bounded length."""

from collections.abc import Callable, Iterator

from models.errors import JobError
from models.readers.stream import CHUNK_BYTES, Stream

BOM_UTF8 = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


class Lines:
    """Iterates over the lines, each with its line feed, if it has one. A byte-order mark is left out.

    Args:
        refuse: Makes the error from what is wrong, which begins with the line: `Line 7 is ...`.
        place: What is said behind the number of a line, for a file among others: ` of 'a/b.txt'`.

    Raises:
        JobError: made by `refuse`: a line is too long, holds NUL, is not UTF-8; the file is UTF-16.
    """

    def __init__(self, stream: Stream, max_bytes: int, refuse: Callable[[str], JobError], place: str = "") -> None:
        self.number = 0
        """Of the line given out last, from 1."""
        self.bytes_read = 0
        """Of the file, up to the end of that line."""
        self.line_bytes = 0
        """Of that line alone."""
        self._stream = stream
        self._max_bytes = max_bytes
        self._refuse = refuse
        self._place = place
        self._raw = self._split()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = next(self._raw)
        self.number += 1
        self.line_bytes = len(raw)
        self.bytes_read += len(raw)
        if self.number == 1:
            if raw.startswith(UTF16_BOMS):
                raise self._invalid("is UTF-16; save the file as UTF-8")
            raw = raw.removeprefix(BOM_UTF8)
        if self.line_bytes > self._max_bytes:
            raise self._too_long()
        if b"\0" in raw:
            raise self._invalid("holds a NUL byte; save the file as UTF-8 text (it may be UTF-16)")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise self._invalid("is not valid UTF-8; save the file as UTF-8") from None

    def _split(self) -> Iterator[bytes]:
        begun = b""
        while chunk := self._stream.read(CHUNK_BYTES):
            *whole, begun = (begun + chunk).split(b"\n")
            for line in whole:
                yield line + b"\n"
            if len(begun) > self._max_bytes:
                self.number += 1
                raise self._too_long()
        if begun:
            yield begun

    def _too_long(self) -> JobError:
        return self._invalid(
            f"is longer than {self._max_bytes:,} bytes; break it into several, or, in a table, check the quotes"
        )

    def _invalid(self, problem: str) -> JobError:
        return self._refuse(f"Line {self.number}{self._place} {problem}.")
