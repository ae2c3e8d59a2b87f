"""The entries of a zip file, checked against each other before one is opened (PKWARE's APPNOTE.TXT, section 4)."""

import stat
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from models.errors import JobError
from models.readers.names import NameRegister, too_many_entries
from models.readers.source import Limits
from models.readers.stream import RAW_DEFLATE, Inflated, Meter, RawEntry, Stream, corrupt, shown, unsafe

END, END_MAGIC = struct.Struct("<4s4H2LH"), b"PK\x05\x06"
LOCATOR, LOCATOR_MAGIC = struct.Struct("<4sLQL"), b"PK\x06\x07"
END_64, END_64_MAGIC = struct.Struct("<4sQ2H2L4Q"), b"PK\x06\x06"
CENTRAL, CENTRAL_MAGIC = struct.Struct("<4s6H3L5H2L"), b"PK\x01\x02"
LOCAL, LOCAL_MAGIC = struct.Struct("<4s5H3L2H"), b"PK\x03\x04"

MAX_COMMENT_BYTES = 0xFFFF
MAX_DIRECTORY_BYTES = 64 * 2**20
STORED, DEFLATED = 0, 8
ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000
SIZES_FOLLOW_FLAG = 0x0008
IN_EXTRA_FIELD = 0xFFFFFFFF


class _Record(NamedTuple):
    """An entry as the central directory describes it."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    checksum: int
    compressed: int
    size: int
    offset: int
    unix_mode: int

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")


class _Stored:
    """A range of the file."""

    def __init__(self, file: BinaryIO, begin: int, size: int) -> None:
        self._file = file
        self._at = begin
        self._end = begin + size

    def read(self, size: int, /) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(min(size, self._end - self._at))
        self._at += len(data)
        return data


class _Verified:
    """A stream that must have the size and checksum that the directory declares."""

    def __init__(self, stream: Stream, record: _Record) -> None:
        self._stream = stream
        self._record = record
        self._left = record.size
        self._checksum = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        self._checksum = zlib.crc32(data, self._checksum)
        if self._left < 0 or (not data and self._left):
            raise unsafe(f"The entry {shown(self._record.name)} has another size than it declares.")
        if not data and self._checksum != self._record.checksum:
            raise corrupt(f"The entry {shown(self._record.name)} does not match its checksum")
        return data


def zip_entries(file: BinaryIO, limits: Limits) -> Iterator[RawEntry]:
    """The files of a zip file.

    Raises:
        JobError: `archive_unsafe`, `archive_too_large`, `archive_corrupt`.
    """
    archive_bytes = file.seek(0, 2)
    directory_begin, directory = _read_directory(file, archive_bytes, limits)
    records = list(_records(directory, limits))
    meter = Meter("The archive", archive_bytes, limits.max_decompressed_bytes)
    meter.check(sum(record.size for record in records))
    names = NameRegister(limits.max_archive_entries)
    plain_names = [names.accept(record.name, is_folder=record.is_folder) for record in records]
    for record in records:
        _check_record(record)
    begins = _data_offsets(file, records, directory_begin)
    for index, (record, name, begin) in enumerate(zip(records, plain_names, begins, strict=True)):
        if record.is_folder:
            continue
        stream: Stream = _Stored(file, begin, record.compressed)
        if record.method == DEFLATED:
            what = f"The entry {shown(name)}"
            own = Meter(what, record.compressed, limits.max_decompressed_bytes, within=meter)
            stream = Inflated(stream, RAW_DEFLATE, own, what)
        yield RawEntry(name, _Verified(stream, record), index / len(records))


def _read_directory(file: BinaryIO, archive_bytes: int, limits: Limits) -> tuple[int, bytes]:
    """Where the central directory begins, and its bytes; only its declared size and count are judged."""
    tail_begin = max(0, archive_bytes - END.size - MAX_COMMENT_BYTES)
    file.seek(tail_begin)
    tail = file.read()
    at = tail.rfind(END_MAGIC)
    if at < 0 or len(tail) < at + END.size:
        raise corrupt("The zip file is truncated: its directory is missing")
    _, disk, first_disk, _, count, size, begin, _ = END.unpack_from(tail, at)
    end = tail_begin + at
    if at >= LOCATOR.size and tail[at - LOCATOR.size : at].startswith(LOCATOR_MAGIC):
        count, size, begin, end = _read_end_64(file, LOCATOR.unpack_from(tail, at - LOCATOR.size)[2])
    if count > limits.max_archive_entries:
        raise too_many_entries(limits.max_archive_entries)
    if size > MAX_DIRECTORY_BYTES:
        raise JobError("archive_too_large", "The zip file's directory is over 64 MiB; use fewer or shorter names.")
    if disk or first_disk or begin + size != end:
        raise corrupt("The zip file has several parts, or bytes where its directory should be")
    file.seek(begin)
    return begin, file.read(size)


def _read_end_64(file: BinaryIO, offset: int) -> tuple[int, int, int, int]:
    """Count, size and begin of a zip64 directory, and where it must end."""
    file.seek(min(offset, 2**62))
    data = file.read(END_64.size)
    if len(data) < END_64.size or not data.startswith(END_64_MAGIC):
        raise corrupt("The zip file's directory is damaged")
    *_, count, size, begin = END_64.unpack(data)
    return count, size, begin, offset


def _records(directory: bytes, limits: Limits) -> Iterator[_Record]:
    """The entries of the central directory. They are counted as they come: the declared count may lie."""
    at, count = 0, 0
    while at < len(directory):
        count += 1
        if count > limits.max_archive_entries:
            raise too_many_entries(limits.max_archive_entries)
        if len(directory) < at + CENTRAL.size or not directory.startswith(CENTRAL_MAGIC, at):
            raise corrupt("The zip file's directory is damaged")
        values = CENTRAL.unpack_from(directory, at)
        flags, method, checksum, compressed, size = values[3], values[4], *values[7:10]
        name_bytes, extra_bytes, comment_bytes = values[10:13]
        attributes, offset = values[15:17]
        at += CENTRAL.size
        raw_name = directory[at : at + name_bytes]
        extra = directory[at + name_bytes : at + name_bytes + extra_bytes]
        at += name_bytes + extra_bytes + comment_bytes
        size, compressed, offset = _widen([size, compressed, offset], extra)
        name = _decode_name(raw_name)
        yield _Record(raw_name, name, flags, method, checksum, compressed, size, offset, attributes >> 16)


def _widen(values: list[int], extra: bytes) -> list[int]:
    """Replace the numbers that do not fit into 32 bits by those of the zip64 extra field, in this order."""
    at = 0
    while IN_EXTRA_FIELD in values and len(extra) >= at + 4:
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            numbers = extra[at + 4 : at + 4 + length]
            wide = [number for (number,) in struct.iter_unpack("<Q", numbers[: len(numbers) // 8 * 8])]
            return [wide.pop(0) if value == IN_EXTRA_FIELD and wide else value for value in values]
        at += 4 + length
    return values


def _decode_name(raw: bytes) -> str:
    """UTF-8 where it is valid, whether flagged as such or not (as macOS writes it); else the format's code page."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _check_record(record: _Record) -> None:
    if record.flags & ENCRYPTED_FLAGS:
        raise unsafe(f"The entry {shown(record.name)} is encrypted; pack the files without a password.")
    if stat.S_IFMT(record.unix_mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise unsafe(f"The entry {shown(record.name)} is a link or a device; pack plain files only.")
    if record.method not in (STORED, DEFLATED):
        raise JobError(
            "archive_unsupported",
            f"The entry {shown(record.name)} is compressed with method {record.method}; only deflate is read.",
        )
    if record.is_folder and (record.size or record.compressed):
        raise unsafe(f"The folder {shown(record.name)} holds data; make the archive anew.")
    if record.method == STORED and record.compressed != record.size:
        raise unsafe(f"The entry {shown(record.name)} declares two different sizes.")


def _data_offsets(file: BinaryIO, records: list[_Record], directory_begin: int) -> list[int]:
    """Where the data of each record begins. Local headers must agree with the directory, and nothing may overlap."""
    begins = [0] * len(records)
    order = sorted(range(len(records)), key=lambda index: records[index].offset)
    limits = [*(records[index].offset for index in order), directory_begin]
    for index, limit in zip(order, limits[1:], strict=True):
        record = records[index]
        begins[index] = _check_local_header(file, record)
        if begins[index] + record.compressed > limit:
            raise unsafe(f"The entry {shown(record.name)} overlaps the next one; make the archive anew.")
    return begins


def _check_local_header(file: BinaryIO, record: _Record) -> int:
    """Where the data of an entry begins, after its local header."""
    file.seek(min(record.offset, 2**62))
    header = file.read(LOCAL.size)
    if len(header) < LOCAL.size or not header.startswith(LOCAL_MAGIC):
        raise corrupt(f"The entry {shown(record.name)} is not where the directory says")
    _, _, flags, method, _, _, checksum, compressed, size, name_bytes, extra_bytes = LOCAL.unpack(header)
    sizes_agree = all(
        here in (there, IN_EXTRA_FIELD)
        for here, there in ((compressed, record.compressed), (size, record.size), (checksum, record.checksum))
    )
    if file.read(name_bytes) != record.raw_name or method != record.method or flags & ENCRYPTED_FLAGS:
        raise unsafe(f"The entry {shown(record.name)} is described in two different ways; make the archive anew.")
    if not sizes_agree and not flags & SIZES_FOLLOW_FLAG:
        raise unsafe(f"The entry {shown(record.name)} declares two different sizes; make the archive anew.")
    return int(record.offset + LOCAL.size + name_bytes + extra_bytes)
