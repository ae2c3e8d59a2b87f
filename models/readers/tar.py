"""The entries of a tar or tar.gz, read as one stream (POSIX.1-1988 ustar, POSIX.1-2001 pax, GNU long names)."""

import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from models.errors import JobError
from models.readers.names import NameRegister
from models.readers.source import Limits
from models.readers.stream import (
    CHUNK_BYTES,
    GZIP,
    Inflated,
    Meter,
    RawEntry,
    Stream,
    corrupt,
    read_up_to,
    shown,
    unsafe,
)

BLOCK_BYTES = tarfile.BLOCKSIZE
MAX_EXTENSION_BYTES = 2**20
REFUSED_KINDS = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
PAX_KINDS = (tarfile.XHDTYPE, tarfile.XGLTYPE)
LONG_NAME_KINDS = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)


class _Member:
    """The bytes of one file in a tar, and the padding that follows them."""

    def __init__(self, stream: Stream, size: int, name: str) -> None:
        self._stream = stream
        self._left = size
        self._padding = -size % BLOCK_BYTES
        self._name = name

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(min(size, self._left)) if self._left else b""
        self._left -= len(data)
        if self._left and not data:
            raise corrupt(f"The archive ends within the entry {shown(self._name)}")
        return data

    def skip(self) -> None:
        """Go on to the next header."""
        while self.read(CHUNK_BYTES):
            pass
        read_up_to(self._stream, self._padding)


def tar_entries(file: BinaryIO, limits: Limits) -> Iterator[RawEntry]:
    """The files of a tar or tar.gz.

    Raises:
        JobError: `archive_unsafe`, `archive_too_large`, `archive_corrupt`.
    """
    size = file.seek(0, 2)
    file.seek(0)
    stream: Stream = file
    if file.read(2) == b"\x1f\x8b":
        stream = Inflated(file, GZIP, Meter("The archive", size, limits.max_decompressed_bytes), "The archive")
    file.seek(0)
    names = NameRegister(limits.max_archive_entries)
    extension: dict[str, str] = {}
    while (header := _read_header(stream)) is not None:
        if header.type in PAX_KINDS + LONG_NAME_KINDS:
            extension |= _read_extension(stream, header)
            continue
        name, length = extension.get("path", header.name), _length(header, extension)
        plain = names.accept(name, is_folder=header.isdir())
        extension = {}
        if header.isdir():
            continue
        if not header.isreg() or header.type in REFUSED_KINDS:
            kind = REFUSED_KINDS.get(header.type, "of an unknown kind")
            raise unsafe(f"The entry {shown(name)} is {kind}; pack plain files only (tar --dereference).")
        member = _Member(stream, length, plain)
        yield RawEntry(plain, member, file.tell() / size)
        member.skip()
    while stream.read(CHUNK_BYTES):
        pass  # To the checksum at the end of a gzip file.


def _read_header(stream: Stream) -> tarfile.TarInfo | None:
    """The next header, or None at the block of zeros that ends the archive."""
    block = read_up_to(stream, BLOCK_BYTES)
    if len(block) < BLOCK_BYTES:
        raise corrupt("The archive is truncated")
    if not block.strip(b"\0"):
        return None
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.TarError, ValueError):
        raise corrupt("The archive is not a tar file or a header in it is damaged") from None


def _length(header: tarfile.TarInfo, extension: dict[str, str]) -> int:
    size = extension.get("size", str(header.size))
    if not (size.isascii() and size.isdigit() and len(size) < 20):
        raise corrupt(f"The entry {shown(header.name)} has the impossible size {shown(size)}")
    return int(size)


def _read_extension(stream: Stream, header: tarfile.TarInfo) -> dict[str, str]:
    """What a pax header or a GNU long name says of the entry that follows: `path` and `size`."""
    if not 0 <= header.size <= MAX_EXTENSION_BYTES:
        raise JobError("archive_too_large", f"A header of the archive takes {header.size:,} bytes; use shorter names.")
    member = _Member(stream, header.size, header.name)
    data = read_up_to(member, header.size)
    member.skip()
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": data.rstrip(b"\0").decode("utf-8", "replace")}
    if header.type != tarfile.XHDTYPE:
        return {}
    records = _pax_records(data)
    if any(key.startswith("GNU.sparse.") for key in records):
        raise unsafe("The archive holds a sparse file; pack plain files only (tar without --sparse).")
    return {key: records[key] for key in ("path", "size") if key in records}


def _pax_records(data: bytes) -> dict[str, str]:
    """The records `<length> <key>=<value>\\n` of a pax header; the length counts all of the record."""
    records = {}
    while data:
        digits, _, _ = data[:20].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record, data = data[:length], data[length:]
        key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if not equals or not record.endswith(b"\n"):
            raise corrupt("An extended header of the archive is damaged")
        records[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
    return records
