"""One safe walk over the files of an untrusted zip, tar or tar.gz.

Nothing is extracted and no header is trusted: entries are decompressed piece by piece into bounded memory, what
comes out is counted, and the whole archive is refused at the first sign of malice. `zipfile` and `tarfile` are not
used: they build every entry's record before anything can be refused, rewrite names silently, and take the sizes
in the headers for true.
"""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from models.errors import JobError
from models.readers.source import Limits
from models.readers.stream import CHUNK_BYTES, GZIP, RawEntry, read_up_to, shown, unsafe
from models.readers.tar import tar_entries
from models.readers.zip import zip_entries

HEAD_BYTES = 512
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
GZIP_MAGIC = b"\x1f\x8b"
NESTED_SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
NESTED_MAGICS = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    GZIP_MAGIC,
    b"BZh",
    b"\xfd7zXZ\0",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",
)


class Entry:
    """One file of an archive, read once and before the walk goes on."""

    def __init__(self, raw: RawEntry) -> None:
        self.name = raw.name
        self.fraction = raw.fraction
        """How far through the archive this entry lies, from 0 to 1."""
        self._stream = raw.stream
        self.head = read_up_to(raw.stream, HEAD_BYTES)
        """The first bytes, to tell what the file is."""
        self._unread = self.head

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; empty at the end."""
        if self._unread:
            data, self._unread = self._unread[:size], self._unread[size:]
            return data
        return self._stream.read(size)

    def read_all(self, limit: int) -> bytes | None:
        """The whole file, or None if it is longer than `limit` bytes."""
        data = read_up_to(self, limit + 1)
        return None if len(data) > limit else data

    def drain(self) -> None:
        """Read what is left, so that sizes and checksums are verified."""
        while self.read(CHUNK_BYTES):
            pass


def walk(path: Path, limits: Limits, *, gzip_entries: bool = False) -> Iterator[Entry]:
    """The files of an archive in the order in which they lie in it; folders are left out.

    Every entry is decompressed to its end, whether the caller reads it or not.

    Args:
        gzip_entries: Let entries that are gzip files pass; all other nested archives are refused.

    Raises:
        JobError: `archive_unsafe`, `archive_too_large`, `archive_corrupt`.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        if not is_archive(head):
            raise JobError("archive_corrupt", "The upload is no zip, tar or tar.gz; pack its files into one.")
        read_entries = zip_entries if head.startswith(b"PK") else tar_entries
        for raw in read_entries(file, limits):
            entry = Entry(raw)
            is_gzip = entry.head.startswith(GZIP_MAGIC) and entry.name.lower().endswith(".gz")
            if _is_nested(entry) and not (gzip_entries and is_gzip):
                raise unsafe(
                    f"The entry {shown(entry.name)} is itself an archive, and nested archives are not opened;"
                    " put its files into the upload directly."
                )
            yield entry
            entry.drain()


def is_archive(head: bytes) -> bool:
    """Whether a file that begins so is a zip, a tar or a tar.gz."""
    if head.startswith(GZIP_MAGIC):
        try:
            head = zlib.decompressobj(GZIP).decompress(head, tarfile.BLOCKSIZE)
        except zlib.error:
            return False
    return head.startswith(ZIP_MAGICS) or _is_tar(head)


def _is_tar(head: bytes) -> bool:
    """Whether the first block is a tar header; its checksum tells."""
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "replace")
    except (tarfile.TarError, ValueError):
        return False
    return True


def _is_nested(entry: Entry) -> bool:
    return entry.name.lower().endswith(NESTED_SUFFIXES) or entry.head.startswith(NESTED_MAGICS)
