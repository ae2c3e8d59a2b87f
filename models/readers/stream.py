"""Reading compressed streams of unknown honesty: piece by piece, counted, in bounded memory."""

import zlib
from typing import NamedTuple, Protocol

from models.errors import JobError

CHUNK_BYTES = 2**18
# Photographs, tables and digits compress at most about 20 times; a bomb of zeros 1,000 times.
MAX_RATIO = 200
RATIO_FLOOR_BYTES = 16 * 2**20
RAW_DEFLATE, GZIP = -15, 31  # zlib's `wbits`


class Stream(Protocol):
    """Bytes that are read once, from front to back; an empty answer is the end."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""


class RawEntry(NamedTuple):
    """A file in an archive: its plain name, its bytes, and how far through the archive it lies (0 to 1)."""

    name: str
    stream: Stream
    fraction: float


def unsafe(detail: str) -> JobError:
    """The archive tries what an honest one does not."""
    return JobError("archive_unsafe", detail)


def corrupt(detail: str) -> JobError:
    """The archive is damaged."""
    return JobError("archive_corrupt", f"{detail}; make the archive anew and upload it again.")


def shown(name: str) -> str:
    """A name from an upload as it may appear in a message: escaped and of bounded length."""
    return repr(name if len(name) <= 120 else f"{name[:120]}...")


class Meter:
    """Counts what comes out of something compressed, and refuses a bomb.

    Args:
        within: The meter of the archive that this one's entry lies in.
    """

    def __init__(self, what: str, compressed_bytes: int, max_bytes: int, within: "Meter | None" = None) -> None:
        self._what = what
        self._max_bytes = max_bytes
        self._max_by_ratio = max(RATIO_FLOOR_BYTES, MAX_RATIO * compressed_bytes)
        self._within = within
        self._total = 0

    def add(self, count: int) -> None:
        """Count `count` more bytes.

        Raises:
            JobError: `archive_too_large`.
        """
        self._total += count
        self.check(self._total)
        if self._within is not None:
            self._within.add(count)

    def check(self, total: int) -> None:
        """Judge a number of bytes, counted or declared.

        Raises:
            JobError: `archive_too_large`.
        """
        if total > self._max_bytes:
            raise JobError(
                "archive_too_large",
                f"{self._what} unpacks to more than the {self._max_bytes:,} bytes allowed; upload less at once.",
            )
        if total > self._max_by_ratio:
            raise JobError(
                "archive_too_large",
                f"{self._what} unpacks to more than {MAX_RATIO} times its size, as a decompression bomb does;"
                " upload the files less compressed if they are real.",
            )


class Inflated:
    """A deflate or gzip stream, decompressed piece by piece."""

    def __init__(self, source: Stream, wbits: int, meter: Meter, what: str) -> None:
        self._source = source
        self._wbits = wbits
        self._meter = meter
        self._what = what
        self._inflate = zlib.decompressobj(wbits)
        self._input = b""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes. Raises `JobError` for a bomb, and for a damaged or truncated stream."""
        while not self._inflate.eof or self._begin_next_member():
            try:
                data = self._inflate.decompress(self._input, size)
            except zlib.error:
                raise corrupt(f"{self._what} cannot be decompressed") from None
            self._input = self._inflate.unconsumed_tail
            if data:
                self._meter.add(len(data))
                return data
            if not self._input and not self._inflate.eof:
                self._input = self._source.read(CHUNK_BYTES)
                if not self._input:
                    raise corrupt(f"{self._what} is truncated")
        return b""

    def _begin_next_member(self) -> bool:
        """A gzip file may hold several streams, and zeros after the last (RFC 1952); a zip entry one."""
        rest = self._inflate.unused_data or self._source.read(CHUNK_BYTES)
        if self._wbits == RAW_DEFLATE:
            if rest:
                raise unsafe(f"{self._what} is smaller than its header says; make the archive anew.")
            return False
        while rest and not rest.strip(b"\0"):
            rest = self._source.read(CHUNK_BYTES)
        if not rest:
            return False
        self._inflate = zlib.decompressobj(self._wbits)
        self._input = rest.lstrip(b"\0")
        return True


def read_up_to(stream: Stream, size: int) -> bytes:
    """`size` bytes, fewer only at the end of the stream."""
    pieces = []
    while size > 0 and (data := stream.read(min(size, CHUNK_BYTES))):
        pieces.append(data)
        size -= len(data)
    return b"".join(pieces)
